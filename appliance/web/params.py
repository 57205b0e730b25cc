"""Query parameters that many endpoints share: pages, lists and points in time (contract: server semantics 6.3)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from appliance import issues
from appliance.api_types.pages import PageMeta
from appliance.errors import InvalidData
from appliance.model.times import parse_time

MAX_LIMIT = 100

_NO_WORD = [[issues.invalid_value((), ["true"])], [issues.invalid_value((), ["false"])]]


@dataclass(frozen=True, slots=True)
class PageParams:
    """The page of a list and its size; pages count from 1."""

    number: int
    limit: int

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.limit

    def meta(self, total_items: int) -> PageMeta:
        """The `meta` object of a list."""
        total_pages = -(-total_items // self.limit)
        return PageMeta(page=self.number, limit=self.limit, total_items=total_items, total_pages=total_pages)


def page_params(
    request: Request, *, default_limit: int = 50, max_limit: int = MAX_LIMIT, first_is_minimum: bool = False
) -> PageParams:
    """The page that `page` and `limit` select; raises InvalidData when one is out of range.

    `first_is_minimum` words the refusal of page 0 as "at least 1" instead of "more than 0".
    """
    low = 1 if first_is_minimum else 0
    number = int_param(request, "page", default=1, low=low, high=1_000_000_000, low_is_included=first_is_minimum)
    limit = int_param(request, "limit", default=default_limit, low=1, high=max_limit)
    return PageParams(number, limit)


def int_param(request: Request, name: str, *, default: int, low: int, high: int, low_is_included: bool = True) -> int:
    """A whole number between `low` and `high`; an empty value means the default."""
    text = request.query_params.get(name, "").strip()
    if not text:
        return default
    value = int_value(name, text)
    if value < low or (value == low and not low_is_included):
        raise InvalidData([issues.too_small((name,), "number", low, inclusive=low_is_included)])
    if value > high:
        raise InvalidData([issues.too_big((name,), "number", high)])
    return value


def int_value(name: str, text: str) -> int:
    """A whole number in any notation, such as 2.0 or 1e2; raises InvalidData."""
    try:
        number = float(text)
        value = int(number)
    except (ValueError, OverflowError):
        raise InvalidData([issues.no_number((name,))]) from None
    if value != number:
        raise InvalidData([issues.no_integer((name,))])
    return value


def text_param(request: Request, name: str) -> str | None:
    """A string, or None when the parameter is missing or empty."""
    return request.query_params.get(name) or None


def list_param(request: Request, name: str) -> list[str]:
    """All values of a parameter that may be repeated or comma-separated, without empty ones."""
    return [part.strip() for value in request.query_params.getlist(name) for part in value.split(",") if part.strip()]


def bool_param(request: Request, name: str) -> bool | None:
    """`true` or `false`; None when the parameter is missing; raises InvalidData for other words."""
    text = request.query_params.get(name, "").lower()
    if text in ("true", "1"):
        return True
    if text in ("false", "0"):
        return False
    if text:
        raise InvalidData([issues.invalid_union((name,), _NO_WORD)])
    return None


def time_param(request: Request, name: str, *, is_date: bool = False) -> int | None:
    """A point in time as microseconds since the epoch, None when missing; raises InvalidData, also without offset.

    `is_date` says that the reference server reads this one in any notation of JavaScript, which words its refusal.
    """
    text = text_param(request, name)
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError:
        raise InvalidData([issues.no_date((name,)) if is_date else issues.no_iso_time((name,))]) from None
