"""Pages of a long list under live rows."""

from __future__ import annotations

from tui.paged import PagedRows


def rows(total: int = 120) -> PagedRows[str]:
    paged: PagedRows[str] = PagedRows(50, lambda row: row[:4])
    paged.put_page(1, [f"{i:04}" for i in range(50)], total)
    return paged


def test_missing_pages_are_asked_for_once() -> None:
    paged = rows()
    assert paged.missing(0, 20, ahead=25) == []
    assert paged.missing(30, 45, ahead=25) == [2]
    paged.requested.add(2)
    assert paged.missing(30, 60, ahead=25) == []
    assert paged.missing(110, 120, ahead=0) == [3]


def test_live_rows_come_above_and_known_ones_are_replaced() -> None:
    paged = rows()
    assert paged.merge_live(["new1", "0003 changed"]) == 1
    assert (paged.get(0), paged.get(4), len(paged)) == ("new1", "0003 changed", 121)


def test_without_a_total_the_list_grows_while_pages_are_full() -> None:
    paged: PagedRows[str] = PagedRows(2, str)
    paged.put_page(1, ["a", "b"], None)
    assert len(paged) == 4
    paged.put_page(2, ["c"], None)
    assert paged.get(2) == "c"
