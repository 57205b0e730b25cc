"""GET /v2/observations: pages by cursor, groups of fields (contract: SDK contract 7.1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Set
from typing import Annotated, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from appliance.api_types.observations import ApiObservationV2
from appliance.api_types.pages import ApiPage, PageMeta
from appliance.errors import InvalidRequest
from appliance.model.filters import Condition
from appliance.model.observations import Observation
from appliance.model.times import clamp, parse_time
from appliance.queries.observations import read_in_traces
from appliance.storage.clickhouse import observations
from appliance.storage.clickhouse.observations import ObservationKey, ObservationQuery, Position
from appliance.web.api.observations import CLOSED_LISTS, seconds, total_cost
from appliance.web.auth import authorize
from appliance.web.filter_params import conditions_from
from appliance.web.params import bool_param, int_param, list_param
from appliance.web.responses import iso_micros, json_response, optional_time
from appliance.web.state import context_of
from appliance.web.stored_json import parsed
from appliance.web.unit_prices import unit_price

GROUPS: Final = frozenset(
    {"core", "basic", "time", "io", "metadata", "model", "usage", "prompt", "metrics", "trace_context"}
)
_DEFAULT: Final = frozenset({"core", "basic"})
_FROM_TRACE: Final = frozenset({"basic", "trace_context"})
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "core": ("parent_id", "type"),
    "basic": (
        *("name", "level", "status_message", "version", "environment"),
        *("public", "user_id", "session_id", "is_app_root"),
    ),
    "io": ("input", "output"),
    "metadata": ("metadata",),
    "model": (
        *("model", "model_id", "model_parameters", "pricing_tier_id"),
        *("usage_details", "cost_details", "provided_cost_details"),
    ),
    "usage": ("usage_details", "cost_details", "total_cost", "pricing_tier_name"),
    "prompt": ("prompt_id", "prompt_name", "prompt_version"),
    "trace_context": ("trace_name", "tags", "release"),
}
_SHORT: Final = 200
"""Characters of a metadata value that are shown unless `expandMetadata` names its key."""


class _Cursor(msgspec.Struct, rename="camel"):
    last_start_time_to: str
    last_trace_id: str
    last_id: str
    hash: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]


async def list_page(request: Request) -> Response:
    """Observations from the cursor on, the newest start first; no cursor is answered on the last page."""
    auth = await authorize(request)
    if bool_param(request, "parseIoAsJson"):
        raise InvalidRequest("parseIoAsJson is not supported: input and output are always raw strings.")
    limit = int_param(request, "limit", default=50, low=0, high=1000)
    names = list_param(request, "fields")
    groups = frozenset({"core", *names} & GROUPS) if names else _DEFAULT
    query = ObservationQuery(
        project_id=auth.project_id,
        conditions=_conditions(request),
        limit=limit + 1,
        after=_position(request.query_params.get("cursor", "")),
        fields=fields_of(groups),
    )
    clickhouse = context_of(request).clickhouse
    keys = await observations.list_keys(clickhouse, query) if limit else []
    more = len(keys) > limit
    keys = keys[:limit]
    if groups & _FROM_TRACE:
        rows, traces = await read_in_traces(clickhouse, query, keys)
    else:
        rows, traces = await observations.read(clickhouse, query, keys), {}
    bookmarked = {trace_id for trace_id, trace in traces.items() if trace.bookmarked}
    expanded = set(list_param(request, "expandMetadata"))
    data = [api_observation_v2(row, groups, expanded, in_bookmarked_trace=row.trace_id in bookmarked) for row in rows]
    return json_response(ApiPage(data, PageMeta(cursor=_cursor(keys[-1]) if more else None)))


def _conditions(request: Request) -> list[Condition]:
    conditions = conditions_from(
        request,
        texts=("name", "userId", "sessionId", "traceId", "version", "parentObservationId"),
        one_of=CLOSED_LISTS,
        lists=("environment",),
        since={"fromStartTime": "startTime"},
        until={"toStartTime": "startTime"},
    )
    mentioned = {condition.column for condition in conditions}
    is_root = bool_param(request, "isRootObservation")
    if is_root is not None and "isRootObservation" not in mentioned:
        conditions.append(Condition(type="boolean", column="isRootObservation", operator="=", value=is_root))
    if request.query_params.get("parentObservationId") == "" and "parentObservationId" not in mentioned:
        conditions.append(Condition(type="null", column="parentObservationId", operator="is null"))
    return conditions


def fields_of(groups: Iterable[str]) -> frozenset[str]:
    """What `api_observation_v2` reads of an observation, besides the key and the times."""
    return frozenset(name for group in ("core", *groups) for name in _FIELDS.get(group, ()))


def api_observation_v2(
    row: Observation, groups: Set[str], expanded: Set[str], *, in_bookmarked_trace: bool = False
) -> ApiObservationV2:
    """The observation with these groups of fields; metadata values of the keys `expanded` are not cut."""
    observation = ApiObservationV2(
        id=row.id,
        trace_id=row.trace_id or None,
        start_time=iso_micros(row.start_time),
        end_time=optional_time(row.end_time),
        project_id=row.project_id,
        parent_observation_id=row.parent_id or None,
        type=row.type,
    )
    for group in groups & _SETTERS.keys():
        _SETTERS[group](observation, row)
    if "basic" in groups:
        # A trace is bookmarked, and its root stands for it.
        observation.bookmarked = in_bookmarked_trace and _is_root(row)
    if "metadata" in groups:
        observation.metadata = {
            key: parsed(text) if key in expanded or len(text) <= _SHORT else text[:_SHORT]
            for key, text in row.metadata.items()
        }
    return observation


def _set_basic(observation: ApiObservationV2, row: Observation) -> None:
    observation.name = row.name or None
    observation.level = row.level
    observation.status_message = row.status_message or None
    observation.version = row.version or None
    observation.environment = row.environment
    observation.public = row.public
    observation.user_id = row.user_id or None
    observation.session_id = row.session_id or None
    observation.is_root_observation = _is_root(row)


def _is_root(row: Observation) -> bool:
    return not row.parent_id or row.is_app_root


def _set_time(observation: ApiObservationV2, row: Observation) -> None:
    observation.completion_start_time = optional_time(row.completion_start_time)
    observation.created_at = iso_micros(row.created_at)
    observation.updated_at = iso_micros(row.updated_at)


def _set_io(observation: ApiObservationV2, row: Observation) -> None:
    observation.input = row.input or None
    observation.output = row.output or None


def _set_model(observation: ApiObservationV2, row: Observation) -> None:
    observation.model_id = row.model_id or None
    observation.input_price = _price_text(row, "input")
    observation.output_price = _price_text(row, "output")
    observation.total_price = _price_text(row, "total")
    observation.model = row.model or None
    observation.provided_model_name = row.model or None
    observation.internal_model_id = row.model_id or None
    observation.model_parameters = parsed(row.model_parameters)


def _price_text(row: Observation, kind: str) -> str | None:
    price = unit_price(row, kind)
    return None if price is None else f"{price:.12f}".rstrip("0").rstrip(".")


def _set_usage(observation: ApiObservationV2, row: Observation) -> None:
    observation.usage_details = row.usage_details
    observation.cost_details = row.cost_details
    observation.total_cost = total_cost(row)
    observation.usage_pricing_tier_name = row.pricing_tier_name or None


def _set_prompt(observation: ApiObservationV2, row: Observation) -> None:
    observation.prompt_id = row.prompt_id or None
    observation.prompt_name = row.prompt_name or None
    observation.prompt_version = row.prompt_version or None


def _set_metrics(observation: ApiObservationV2, row: Observation) -> None:
    observation.latency = seconds(row.start_time, row.end_time)
    observation.time_to_first_token = seconds(row.start_time, row.completion_start_time)


def _set_trace_context(observation: ApiObservationV2, row: Observation) -> None:
    observation.trace_name = row.trace_name or None
    observation.tags = sorted(row.tags)
    observation.release = row.release or None


_SETTERS: Final[Mapping[str, Callable[[ApiObservationV2, Observation], None]]] = {
    "basic": _set_basic,
    "time": _set_time,
    "io": _set_io,
    "model": _set_model,
    "usage": _set_usage,
    "prompt": _set_prompt,
    "metrics": _set_metrics,
    "trace_context": _set_trace_context,
}


def _cursor(key: ObservationKey) -> str:
    seconds, micros = divmod(key.start_micros, 1_000_000)
    content = _Cursor(f"{seconds}.{micros:06d}", key.trace_id, key.id, key.trace_hash)
    return base64.b64encode(msgspec.json.encode(content)).decode()


def _position(text: str) -> Position | None:
    if not text:
        return None
    try:
        cursor = msgspec.json.decode(base64.b64decode(text.replace(" ", "+"), validate=True), type=_Cursor)
        start = _micros(cursor.last_start_time_to)
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        raise InvalidRequest("Invalid cursor format") from None
    return Position(start_micros=start, trace_hash=cursor.hash, id=cursor.last_id)


def _micros(text: str) -> int:
    if "T" in text:
        return parse_time(text)
    seconds, _, micros = text.partition(".")
    return clamp(int(seconds) * 1_000_000 + int(micros))


ROUTES = [Route("/api/public/v2/observations", list_page, methods=["GET"])]
