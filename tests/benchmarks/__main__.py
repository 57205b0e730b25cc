"""Run every benchmark, one after another, and print a Markdown table.

They are programs, not tests, because a shared machine must not fail a build. Each starts an appliance of its own on an
empty directory, and ends with an error when what it read is not what was written: a figure of nothing is no figure.

Machines differ by two to three times, and one machine from hour to hour. So each figure stands beside the least that
can be asked of the same machine in the same run (`yardstick`, or a bare program): compare the ratios.

Leave the machine alone for five minutes first. On ext4 without a journal the kernel steps over every inode that was
deleted within the last minutes whenever a file is made: right after a test run, a third of ClickHouse's time went into
that, and traces took twice as long to be readable.
"""

from __future__ import annotations

from tests.benchmarks import fresh, freshness, idle, ingest, legacy, prompts, startup
from tests.benchmarks.report import say

say("figure", "measured", "goal")
say("---", "---", "---")
for benchmark in (startup, freshness, ingest, legacy, fresh, prompts, idle):
    benchmark.main()
