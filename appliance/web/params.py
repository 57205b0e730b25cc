"""Query parameters that many endpoints share: pages, lists and points in time (contract: server semantics 6.3)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from appliance.api_types.pages import PageMeta
from appliance.errors import InvalidData
from appliance.model.times import parse_time

MAX_LIMIT = 100


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


def issue(path: str, message: str, code: str = "invalid_type") -> dict[str, object]:
    """One entry of the issue list that a 400 carries."""
    return {"code": code, "path": [path] if path else [], "message": message}


def page_params(request: Request, *, default_limit: int = 50, max_limit: int = MAX_LIMIT) -> PageParams:
    """The page that `page` and `limit` select; raises InvalidData when one is out of range."""
    number = int_param(request, "page", default=1, low=1, high=1_000_000_000)
    limit = int_param(request, "limit", default=default_limit, low=1, high=max_limit)
    return PageParams(number, limit)


def int_param(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """A whole number between `low` and `high`, both included; an empty value means the default."""
    text = request.query_params.get(name, "").strip()
    if not text:
        return default
    try:
        value = int(float(text))  # any notation, such as 2.0 or 1e2
    except (ValueError, OverflowError):
        raise InvalidData([issue(name, f"Expected number, received {text!r}")]) from None
    if value < low:
        raise InvalidData([issue(name, f"Number must be greater than or equal to {low}", "too_small")])
    if value > high:
        raise InvalidData([issue(name, f"Number must be less than or equal to {high}", "too_big")])
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
        raise InvalidData([issue(name, "Expected true or false")])
    return None


def time_param(request: Request, name: str) -> int | None:
    """A point in time as microseconds since the epoch, None when missing; raises InvalidData, also without offset."""
    text = text_param(request, name)
    if text is None:
        return None
    try:
        return parse_time(text)
    except ValueError:
        raise InvalidData([issue(name, "Invalid datetime", "invalid_string")]) from None
