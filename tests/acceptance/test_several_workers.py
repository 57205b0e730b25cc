"""Several workers and web processes at once, workers that stay away, stops under load: the receipts add up."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.acceptance.appliance_process import Appliance, eventually, new_appliance
from tests.acceptance.exporter import SPANS_PER_TRACE, Load
from tests.acceptance.test_durability import RECOVERY_S, observation_ids, settled_receipts

LONGEST_STOP_S = 30.0


@pytest.fixture(scope="module")
def crowd() -> Iterator[Appliance]:
    with new_appliance() as appliance:
        appliance.up("--workers", "3", "--web-workers", "2")
        yield appliance


def accepts(load: Load, more: int) -> None:
    """Waits until so many more traces were accepted."""
    wanted = len(load.accepted) + more
    eventually(lambda: len(load.accepted), until=lambda count: count >= wanted, within_s=RECOVERY_S)


def span_ids(load: Load) -> Counter[str]:
    return Counter(span_id for span_ids in load.accepted.values() for span_id in span_ids)


def test_killing_workers_again_and_again_loses_nothing(crowd: Appliance) -> None:
    with crowd.http() as http, Load(http, "storm", traces=5) as load:
        accepts(load, 50)
        for round in range(6):
            [pid] = crowd.pids(f"worker-{round % 3 + 1}")
            os.kill(pid, signal.SIGKILL)
            accepts(load, 20)
    assert load.error is None
    with crowd.http() as http:
        receipts = settled_receipts(http)
        assert observation_ids(http, "storm-user") == span_ids(load)
    # A request whose answer was lost is sent again: it counts twice, its spans are there once.
    assert receipts["written"]["items"] >= len(load.accepted) * SPANS_PER_TRACE
    assert receipts["dead"]["requests"] == 0


def test_a_worker_that_hangs_does_not_hold_anything_back(crowd: Appliance) -> None:
    [pid] = crowd.pids("worker-2")
    os.kill(pid, signal.SIGSTOP)
    try:
        with crowd.http() as http, Load(http, "hang") as load:
            accepts(load, 100)
        with crowd.http() as http:
            eventually(lambda: observation_ids(http, "hang-user") == span_ids(load), within_s=2 * RECOVERY_S)
    finally:
        with contextlib.suppress(ProcessLookupError):  # the supervisor has started it anew
            os.kill(pid, signal.SIGCONT)
    with crowd.http() as http:
        settled_receipts(http)


def test_stopping_under_load_is_quick_and_loses_nothing(crowd: Appliance) -> None:
    with crowd.http() as http, Load(http, "stop", traces=20) as load:
        accepts(load, 200)
        start = time.monotonic()
        crowd.down()
        assert time.monotonic() - start < LONGEST_STOP_S
        crowd.up("--workers", "1")
        accepts(load, 50)
    assert load.error is None
    with crowd.http() as http:
        settled_receipts(http)
        assert observation_ids(http, "stop-user") == span_ids(load)
    told = crowd.status()["receipts"]
    assert [receipts["waiting"]["requests"] for receipts in told.values()] == [0]
