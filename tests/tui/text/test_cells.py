"""Texts made as wide as their cells."""

from __future__ import annotations

from tui.text.cells import fit


def test_fit_counts_cells_not_characters() -> None:
    assert fit("日本語テキスト", 7) == "日本語…"
    assert fit("ab", 4, "right") == "  ab"


def test_control_characters_never_reach_the_terminal() -> None:
    assert fit("a\x1b[31mb\tc", 12) == "a·[31mb c   "
