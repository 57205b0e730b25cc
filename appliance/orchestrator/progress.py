"""Events that report the progress of a start, a stop or a move of data."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec


class StepDone(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="step"):
    """One step that is done."""

    text: str
    seconds: float
    """Its duration."""


class PullProgress(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="fetching"):
    """Progress of an image's download."""

    image: str
    layer: str
    """Empty for an event of the whole image."""
    status: str
    layer_bytes: int
    layer_total_bytes: int
    """0 while it is not known."""
    layers_done: int
    layers_total: int
    current_bytes: int
    total_bytes: int
    """Of the layers whose size is known so far."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ready"):
    """The start is complete: the API answers healthy."""

    url: str
    public_key: str
    secret_key: str
    seconds: float
    """Since the start began."""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="failed"):
    """The start failed; everything that it had started is stopped again."""

    message: str


ProgressEvent = StepDone | PullProgress | Ready | Failed
Report = Callable[[ProgressEvent], None]


class Timer:
    """Measures the seconds since it was created."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def seconds(self) -> float:
        return round(time.monotonic() - self._began, 2)

    def step(self, text: str) -> StepDone:
        """The step that took this long."""
        return StepDone(text=text, seconds=self.seconds())


def encode(event: ProgressEvent) -> bytes:
    """The event as one line of JSON."""
    return msgspec.json.encode(event) + b"\n"


def decode(line: bytes) -> ProgressEvent:
    """The event of a line; raises msgspec.DecodeError."""
    event: ProgressEvent = msgspec.json.decode(line, type=ProgressEvent)
    return event
