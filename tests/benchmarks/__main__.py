"""Runs every benchmark, one after another, and prints a Markdown table."""

from __future__ import annotations

from tests.benchmarks import fresh, freshness, idle, ingest, legacy, prompts, startup
from tests.benchmarks.report import say

say("figure", "measured", "goal")
say("---", "---", "---")
for benchmark in (startup, freshness, ingest, legacy, fresh, prompts, idle):
    benchmark.main()
