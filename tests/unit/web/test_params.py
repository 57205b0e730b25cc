"""Query parameters that many endpoints share."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from appliance.api_types.pages import PageMeta
from appliance.errors import InvalidData
from appliance.web.params import list_param, page_params, time_param


def asked(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


def test_pages_count_from_one() -> None:
    page = page_params(asked("page=3&limit=20"))
    assert (page.number, page.limit, page.offset) == (3, 20, 40)
    assert page.meta(41) == PageMeta(page=3, limit=20, total_items=41, total_pages=3)


def test_empty_values_mean_the_default() -> None:
    page = page_params(asked("page=&limit="), default_limit=10)
    assert (page.number, page.limit) == (1, 10)
    assert page.meta(0).total_pages == 0


@pytest.mark.parametrize("query", ["limit=101", "limit=0", "page=0", "page=x", "limit=nan", "page=inf"])
def test_out_of_range_is_refused(query: str) -> None:
    with pytest.raises(InvalidData):
        page_params(asked(query))


def test_lists_are_repeated_or_separated_by_commas() -> None:
    assert list_param(asked("tags=a,b&tags=c&tags="), "tags") == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["1970-01-01T00:00:00", "yesterday", "0"])
def test_times_need_an_offset(text: str) -> None:
    with pytest.raises(InvalidData):
        time_param(asked(f"from={text}"), "from")
