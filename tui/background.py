"""Starts background work of a widget, a screen or the application."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, cast

from textual.dom import DOMNode


def run(node: DOMNode, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> None:
    """Runs `work` as long as the node lives; newer work of the same group cancels the older."""
    # Given as a function, so that work which is cancelled before it began leaves no coroutine that nobody awaited.
    node.run_worker(cast("Any", work), group=group, exclusive=True)
