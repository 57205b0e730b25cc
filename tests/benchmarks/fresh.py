"""Compare lists and single traces while and right after much is written with the same reads once all is aggregated.

`python -m tests.benchmarks.fresh --traces 200000` lets `tests.benchmarks.seed` write into an appliance of its own (or
into `--data-dir`), reads every kind in turns meanwhile and afterwards, until every trace is aggregated, and then for
some rounds more. Each answer is looked at. A ratio is made of the medians of five neighbouring reads: other work of the
machine makes any single one slow. `SELECT 1` at the same moments tells how much of a ratio is the machine's.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from appliance.storage.clickhouse.client import ClickHouse
from appliance.storage.clickhouse.traces.aggregate import count_pending
from tests.acceptance.appliance_process import new_appliance
from tests.benchmarks.reads import timed
from tests.benchmarks.report import say
from tests.benchmarks.running import clickhouse_of, web_of
from tests.benchmarks.seeded import Read, Seeded, count, lists
from tests.benchmarks.yardstick import medians, select_1, times

NEIGHBOURS = 5
FIRST_TRACES = 2_000
"""They lie there before the load, so that there is something to read from its first moment."""
SETTLED_ROUNDS = 15
FOLDED_WITHIN_S = 900.0
RUNS = 20


@dataclass(slots=True)
class Phase:
    """Milliseconds of each kind of read, and of `SELECT 1`, in the order they were made."""

    reads: dict[str, list[float]] = field(default_factory=dict)
    beside: list[float] = field(default_factory=list)

    def worst(self, name: str) -> float:
        """The largest median of neighbouring reads."""
        return max(medians(self.reads[name], NEIGHBOURS))


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=200_000)
    parser.add_argument("--data-dir", help="of a running appliance; else one is started on an empty directory")
    parser.add_argument("--project", default="local-project", help="which the appliance's key opens")
    parser.add_argument("--seed", default="fresh", help="of the load; its traces must not lie there yet")
    arguments = parser.parse_args(argv)
    with ExitStack() as stack:
        data_dir = arguments.data_dir
        if data_dir is None:
            appliance = stack.enter_context(new_appliance())
            appliance.up()
            data_dir = str(appliance.data_dir)
        asyncio.run(_measure(data_dir, arguments.project, arguments.seed, arguments.traces))


async def _measure(data_dir: str, project: str, seed: str, traces: int) -> None:
    address, keys = web_of(data_dir)
    clickhouse = ClickHouse(clickhouse_of(data_dir))
    try:
        async with httpx.AsyncClient(base_url=address, auth=keys, timeout=120) as http:
            assert not await count(clickhouse, project, seed), f"there are traces of the seed {seed!r} already"
            await _seed(data_dir, project, f"before-{seed}", FIRST_TRACES)
            seeded = await Seeded.look(clickhouse, http, project, f"before-{seed}", RUNS)
            bench = _Bench(clickhouse, http, list(lists(seeded)))
            loading = asyncio.create_task(_seed(data_dir, project, seed, traces))
            during = await bench.read_while(loading)
            began = time.monotonic()
            after, most = await bench.read_until_folded()
            seconds = time.monotonic() - began
            assert await count(clickhouse, project, seed) == traces, "the load is not whole"
            settled = await bench.read_rounds(SETTLED_ROUNDS)
            assert not await count_pending(clickhouse), "something was written while settled reads were measured"
    finally:
        await clickhouse.close()
    say(f"{traces:,} traces loaded: all aggregated after", f"{seconds:.0f} s, at most {most:,} waited then")
    for read in bench.kinds:
        base = statistics.median(settled.reads[read.name])
        figure = f"{base:.0f} ms settled; worst after {times(after.worst(read.name), base)}"
        figure += f", during the load {times(during.worst(read.name), base)}"
        say(f"{read.name}, fresh against settled", figure, "2 times after")
    least = statistics.median(settled.beside)
    figure = f"{least:.1f} ms settled; worst after {times(max(medians(after.beside, NEIGHBOURS)), least)}"
    say("`SELECT 1` at the same moments", f"{figure}, during {times(max(medians(during.beside, NEIGHBOURS)), least)}")


class _Bench:
    """Reads every kind in turns."""

    def __init__(self, clickhouse: ClickHouse, http: httpx.AsyncClient, kinds: list[Read]) -> None:
        self.kinds = kinds
        self._clickhouse = clickhouse
        self._http = http
        self._run = 0

    async def read_while(self, load: asyncio.Task[None]) -> Phase:
        """What reads take until the load ends; raises what the load raises."""
        phase = Phase()
        while not load.done():
            await self._read_each(phase)
        await load
        assert phase.beside, "the load ended before anything was read"
        return phase

    async def read_until_folded(self) -> tuple[Phase, int]:
        """What reads take until nothing waits to be aggregated, and how many touches waited at most."""
        phase, most = Phase(), 0
        deadline = time.monotonic() + FOLDED_WITHIN_S
        while True:
            waiting = await count_pending(self._clickhouse)
            most = max(most, waiting)
            await self._read_each(phase)
            if not waiting:
                return phase, most
            assert time.monotonic() < deadline, f"{waiting:,} touches still wait"

    async def read_rounds(self, rounds: int) -> Phase:
        """What so many rounds of reads take."""
        phase = Phase()
        for _ in range(rounds):
            await self._read_each(phase)
        return phase

    async def _read_each(self, phase: Phase) -> None:
        for read in self.kinds:
            phase.reads.setdefault(read.name, []).append(await timed(self._http, read, self._run % RUNS))
        phase.beside.append(await select_1(self._clickhouse))
        self._run += 1


async def _seed(data_dir: str, project: str, seed: str, traces: int) -> None:
    """Runs the generator; raises AssertionError with its last words when it fails."""
    command = [sys.executable, "-m", "tests.benchmarks.seed", "--data-dir", data_dir, "--project", project]
    process = await asyncio.create_subprocess_exec(
        *command,
        "--seed",
        seed,
        "--traces",
        str(traces),
        cwd=Path(__file__).parents[2],
        stderr=asyncio.subprocess.PIPE,
    )
    _, words = await process.communicate()
    assert process.returncode == 0, words.decode(errors="replace")[-500:]


if __name__ == "__main__":
    main()
