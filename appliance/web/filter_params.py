"""Query parameters of the read endpoints as conditions of a filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from starlette.requests import Request

from appliance import issues
from appliance.errors import InvalidData
from appliance.model.filters import Condition, parse_filter
from appliance.model.ids import canonical_id
from appliance.web.params import list_param, text_param, time_param

_IDS: Final = frozenset({"traceId", "observationId", "parentObservationId"})


def conditions_from(
    request: Request,
    *,
    texts: Mapping[str, str] | Iterable[str] = (),
    one_of: Mapping[str, Sequence[str]] | None = None,
    lists: Mapping[str, str] | Iterable[str] = (),
    all_of: Mapping[str, str] | Iterable[str] = (),
    since: Mapping[str, str] | None = None,
    until: Mapping[str, str] | None = None,
    are_dates: bool = False,
) -> list[Condition]:
    """The conditions of the parameters named (parameter, or parameter to column) and of the `filter` parameter.

    `one_of` names the parameters with closed lists of values. A column that `filter` mentions is decided by `filter`
    alone. Ids of OpenTelemetry are found in any case. `are_dates` words the refusal of a time as `time_param` does.
    Raises InvalidData and InvalidRequest.
    """
    filter_text = text_param(request, "filter")
    from_filter = parse_filter(filter_text) if filter_text else []
    mentioned = {condition.column for condition in from_filter}
    simple = [
        *(_equal(request, name, column) for name, column in _pairs(texts)),
        *(_equal_to_one_of(request, name, allowed) for name, allowed in (one_of or {}).items()),
        *(_options(request, name, column, "string") for name, column in _pairs(lists)),
        *(_options(request, name, column, "array") for name, column in _pairs(all_of)),
        *(_moment(request, name, column, ">=", are_dates) for name, column in (since or {}).items()),
        *(_moment(request, name, column, "<", are_dates) for name, column in (until or {}).items()),
    ]
    kept = [each for each in simple if each is not None and each.column not in mentioned]
    return [_in_any_case(each) if each.column in _IDS else each for each in (*kept, *from_filter)]


def _in_any_case(condition: Condition) -> Condition:
    """A condition on ids that holds for their canonical form, too."""
    if condition.operator not in ("=", "any of", "none of"):
        return condition
    ids = condition.value if isinstance(condition.value, list) else [str(condition.value)]
    values = list(dict.fromkeys((*ids, *map(canonical_id, ids))))
    if len(values) == len(ids):
        return condition
    operator = "any of" if condition.operator == "=" else condition.operator
    return Condition(type="stringOptions", column=condition.column, operator=operator, value=values)


def _pairs(names: Mapping[str, str] | Iterable[str]) -> Iterable[tuple[str, str]]:
    return names.items() if isinstance(names, Mapping) else [(name, name) for name in names]


def _equal(request: Request, name: str, column: str) -> Condition | None:
    text = text_param(request, name)
    return None if text is None else Condition(type="string", column=column, operator="=", value=text)


def _equal_to_one_of(request: Request, name: str, allowed: Sequence[str]) -> Condition | None:
    condition = _equal(request, name, name)
    if condition is not None and condition.value not in allowed:
        raise InvalidData([issues.invalid_value((name,), allowed)])
    return condition


def _options(request: Request, name: str, column: str, kind: str) -> Condition | None:
    values = list_param(request, name)
    if not values:
        return None
    if kind == "array":
        return Condition(type="arrayOptions", column=column, operator="all of", value=values)
    return Condition(type="stringOptions", column=column, operator="any of", value=values)


def _moment(request: Request, name: str, column: str, operator: str, is_date: bool) -> Condition | None:
    moment = time_param(request, name, is_date=is_date)
    if moment is None:
        return None
    return Condition(type="datetime", column=column, operator=operator, value=moment)
