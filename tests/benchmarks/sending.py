"""Sends prepared requests by a number of exporters, at their speed or a steady one, each until it is accepted."""

from __future__ import annotations

import asyncio
import math
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp

_RETRYABLE: Final = (429, 502, 503, 504)
_LONGEST_PAUSE_S: Final = 2.0


@dataclass(slots=True)
class Sent:
    """What became of the requests."""

    latencies: list[float] = field(default_factory=list)
    """Seconds from sending to the answer that accepted."""
    retries: int = 0


async def send_all(
    url: str,
    bodies: Sequence[bytes],
    headers: Mapping[str, str],
    *,
    concurrency: int = 4,
    until: float = math.inf,
    requests_per_s: float = math.inf,
) -> Sent:
    """Post every body; raises AssertionError when one is refused for good. Gives up at `until` (monotonic seconds)."""
    sent = Sent()
    began = time.monotonic()
    waiting = iter([(began + number / requests_per_s, body) for number, body in enumerate(bodies)])
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:
        await asyncio.gather(*(_exporter(http, url, waiting, sent, until) for _ in range(concurrency)))
    return sent


def login(keys: tuple[str, str]) -> dict[str, str]:
    """The header that says who sends."""
    return {"authorization": "Basic " + b64encode(":".join(keys).encode()).decode()}


async def _exporter(
    http: aiohttp.ClientSession, url: str, waiting: Iterator[tuple[float, bytes]], sent: Sent, until: float
) -> None:
    for not_before, body in waiting:
        await asyncio.sleep(max(not_before - time.monotonic(), 0.0))
        pause = 0.1
        while time.monotonic() < until:
            start = time.perf_counter()
            try:
                async with http.post(url, data=body) as answer:
                    said = await answer.text()
                if answer.status in (200, 207):
                    sent.latencies.append(time.perf_counter() - start)
                    break
                assert answer.status in _RETRYABLE, f"{answer.status} {said[:200]}"
            except (aiohttp.ClientConnectionError, TimeoutError):
                pass  # as an exporter does: it may be there again in a moment
            sent.retries += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
