"""Pages of a long list under live rows."""

from __future__ import annotations

from tui.lists.paged import PagedRows


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


def test_a_list_that_changed_comes_in_the_place_of_all_pages() -> None:
    paged = rows()
    paged.put_page(3, ["0100"], 120)
    paged.requested.add(2)
    paged.restart({1: ["new1", "0000"], 2: ["0049"]}, 121)
    assert [paged.get(index) for index in (0, 1, 50, 100)] == ["new1", "0000", "0049", None]
    assert (len(paged), paged.missing(100, 120, ahead=0)) == (121, [3])
    assert (list(paged.pages_of(-3, 20)), list(paged.pages_of(49, 101))) == ([1], [1, 2, 3])
    paged.replace("0049 changed")
    assert paged.find("0049") == "0049 changed"


def test_without_a_total_the_list_grows_while_pages_are_full() -> None:
    paged: PagedRows[str] = PagedRows(2, str)
    paged.put_page(1, ["a", "b"], None)
    assert len(paged) == 4
    paged.put_page(2, ["c"], None)
    assert paged.get(2) == "c"
