"""The progress of an image's download, layer by layer and in all."""

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
    """Folds the steps of one pull into its progress."""

    image: str
    _done: set[str] = field(default_factory=set)
    _sizes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def advance(self, step: PullMessage) -> PullProgress:
        """Takes one step; the progress after it."""
        if step.layer:
            self._sizes.setdefault(step.layer, (0, 0))
            current, total = self._sizes[step.layer]
            if step.status == "Downloading" and step.total_bytes:
                self._sizes[step.layer] = (step.current_bytes, step.total_bytes)
            elif step.status in ("Download complete", "Extracting") or step.status in _DONE:
                self._sizes[step.layer] = (max(current, total), total)
            if step.status in _DONE:
                self._done.add(step.layer)
        return PullProgress(
            image=self.image,
            layer=step.layer,
            status=step.status,
            layer_bytes=step.current_bytes,
            layer_total_bytes=step.total_bytes,
            layers_done=len(self._done),
            layers_total=len(self._sizes),
            current_bytes=sum(current for current, _ in self._sizes.values()),
            total_bytes=sum(total for _, total in self._sizes.values()),
        )


def step_of(message: Mapping[str, object]) -> PullMessage:
    """A step from one message of the engine's pull stream; messages about the whole image have no layer."""
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
