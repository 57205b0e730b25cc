"""How a benchmark says its figures: one line each, ready for docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Sequence


def say(what: str, figure: str, goal: str = "") -> None:
    """Prints one row of a Markdown table."""
    print(f"| {what} | {figure} | {goal} |", flush=True)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which the given share (0 to 1) of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
