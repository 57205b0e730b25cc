"""Charts out of block characters."""

from __future__ import annotations

from tui.content.charts import bar, resample, sparkline, stacked_columns, used_width


def test_sparkline_is_as_wide_as_asked() -> None:
    assert sparkline([0, 1, 2, 4], 4) == "▁▂▄█"
    assert len(sparkline(list(range(100)), 12)) == 12
    assert sparkline([], 5) == ""


def test_resample_keeps_the_level() -> None:
    assert resample([2.0] * 7, 3) == [2.0, 2.0, 2.0]
    assert resample([1.0, 2.0], 4) == [1.0, 1.0, 2.0, 2.0]


def test_bar_is_exact_to_an_eighth() -> None:
    assert bar(0.5, 4) == "██  "
    assert bar(0.5625, 2) == "█▏"


def test_columns_pile_up() -> None:
    rows = stacked_columns([[1.0, 0.0], [1.0, 2.0]], 2, 2)
    assert [[cell.front for cell in row] for row in rows] == [[1, 1], [0, 1]]


def test_more_points_than_cells_are_summed() -> None:
    rows = stacked_columns([[1.0] * 10], 4, 1)
    assert [cell.char for cell in rows[0]] == ["█", "█", "█", "▃"]


def test_wide_columns_stand_apart() -> None:
    assert "".join(cell.char for cell in stacked_columns([[1.0, 1.0]], 9, 1)[0]) == "███ ███  "
    assert (used_width(2, 9), used_width(3, 9)) == (8, 9)


def test_a_partial_cell_shows_the_next_series_behind() -> None:
    cell = stacked_columns([[1.0], [3.0]], 1, 1)[0][0]
    assert (cell.front, cell.back, cell.char) == (0, 1, "▂")
