"""The progress of an image's download, by layer and in total."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.orchestrator.progress import PullProgress

_DONE = {"Pull complete", "Already exists"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PullMessage:
    """One message of the engine about one layer."""

    layer: str
    status: str
    current_bytes: int = 0
    total_bytes: int = 0


@dataclass(slots=True)
class PullTracker:
    """Sums up the messages of one pull."""

    image: str
    _done: set[str] = field(default_factory=set)
    _sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def advance(self, message: PullMessage) -> PullProgress:
        """Adds one message; returns the progress after it."""
        if message.layer:
            self._sizes.setdefault(message.layer, (0, 0))
            current, total = self._sizes[message.layer]
            if message.status == "Downloading" and message.total_bytes:
                self._sizes[message.layer] = (message.current_bytes, message.total_bytes)
            elif message.status in ("Download complete", "Extracting") or message.status in _DONE:
                self._sizes[message.layer] = (max(current, total), total)
            if message.status in _DONE:
                self._done.add(message.layer)
        return PullProgress(
            image=self.image,
            layer=message.layer,
            status=message.status,
            layer_bytes=message.current_bytes,
            layer_total_bytes=message.total_bytes,
            layers_done=len(self._done),
            layers_total=len(self._sizes),
            current_bytes=sum(current for current, _ in self._sizes.values()),
            total_bytes=sum(total for _, total in self._sizes.values()),
        )


def parse_message(message: Mapping[str, object]) -> PullMessage:
    """One message of the engine's pull stream; those about the whole image have no layer."""
    detail = message.get("progressDetail")
    numbers = detail if isinstance(detail, Mapping) else {}
    status = str(message.get("status", ""))
    # "Pulling from library/postgres" carries the tag in the layer's place.
    layer = "" if status.startswith(("Pulling from", "Digest", "Status")) else str(message.get("id", ""))
    return PullMessage(
        layer=layer,
        status=status,
        current_bytes=_count(numbers.get("current")),
        total_bytes=_count(numbers.get("total")),
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
