"""All issues of a JSON value that msgspec refused, found by walking the value along its type.

msgspec decides what is valid and stops at the first fault; this runs only after it refused. `Meta(extra=...)` may
hold a `message` to use instead of the standard one, the `values` that a pattern stands for, `date` for times that
the reference server reads in any notation, and `discriminator` for a field that chooses between types there.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, UnsetType

from appliance import issues
from appliance.issues import Issue, Path

_FAULT_PATH: Final = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_MOST_ISSUES: Final = 100
"""Of one list or object; a body with millions of wrong values gets no answer with millions of issues."""
_END: Final = r"\Z"
"""The end of a text, which JavaScript spells `$`; here `$` also matches before a line break."""
_PATH_STEP: Final = re.compile(r"\.([^.\[]+)|\[([^\]]*)\]")


def issues_of(
    value: Any, schemas: Sequence[Any], error: msgspec.ValidationError, path: Path = (), message: str = "Invalid input"
) -> list[Issue]:
    """Why `value` is of none of the types `schemas`; what only msgspec can tell is taken from its `error`.

    `path` leads to the value, and `message` is that of a value that matches none of several types.
    """
    found = _first_that_fits(value, schemas, path, message)
    return found or [issue_from(error, path)]


def schema_issues(value: Any, schema: Any, path: Path = ()) -> list[Issue]:
    """Everything that keeps `value` from being of the type; UNSET stands for a missing value."""
    metas: list[Meta] = []
    while get_origin(schema) is Annotated:
        schema, *more = get_args(schema)
        metas += [each for each in more if isinstance(each, Meta)]
    origin = get_origin(schema)
    if origin in (Union, types.UnionType):
        members = [each for each in get_args(schema) if each not in (types.NoneType, UnsetType)]
        if value is None and types.NoneType in get_args(schema):
            return []
        return _first_that_fits(value, members, path, "Invalid input")
    if origin is Literal:
        values = get_args(schema)
        return [] if value in values else [issues.invalid_value(path, values, _message(metas))]
    if origin in (list, tuple):
        return _list_issues(value, get_args(schema)[0], metas, path)
    if origin is dict:
        return _dict_issues(value, get_args(schema)[1], metas, path)
    if isinstance(schema, type) and issubclass(schema, msgspec.Struct):
        return _struct_issues(value, schema, path)
    return _scalar_issues(value, schema, metas, path)


def _first_that_fits(value: Any, schemas: Sequence[Any], path: Path, message: str) -> list[Issue]:
    """None when one of the types fits; else the issues with the only one of the right shape, or with each."""
    if len(schemas) == 1:
        return schema_issues(value, schemas[0], path)
    branches = [schema_issues(value, schema) for schema in schemas]
    if not all(branches):
        return []
    close = [index for index, branch in enumerate(branches) if not any(map(_is_mismatch, branch))]
    if len(close) == 1:
        return schema_issues(value, schemas[close[0]], path)
    return [issues.invalid_union(path, branches, message)]


def _is_mismatch(issue: Issue) -> bool:
    """Whether the value has another type; otherwise it has the right one and breaks a rule."""
    kinds = (issues.InvalidType, issues.InvalidValue, issues.InvalidUnion, issues.UnrecognizedKeys)
    return isinstance(issue, kinds)


def _struct_issues(value: Any, schema: type[msgspec.Struct], path: Path) -> list[Issue]:
    if not isinstance(value, dict):
        return [issues.invalid_type(path, "object", value)]
    fields = _fields_of(schema)
    for field in fields:
        name = field.encode_name
        if _is_discriminator(field.type) and schema_issues(value.get(name, UNSET), field.type):
            return [issues.no_discriminator(path, name)]
    found: list[Issue] = []
    for field in fields:
        if field.encode_name in value or field.required:
            found += schema_issues(value.get(field.encode_name, UNSET), field.type, (*path, field.encode_name))
    if schema.__struct_config__.forbid_unknown_fields:
        known = {field.encode_name for field in fields}
        unknown = list(islice((name for name in value if name not in known), _MOST_ISSUES))
        found += [issues.unrecognized_keys(path, unknown)] if unknown else []
    return found


@cache  # resolving the annotations takes longer than the walk
def _fields_of(schema: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(schema)


def _is_discriminator(schema: Any) -> bool:
    return get_origin(schema) is Annotated and bool(_extra(schema.__metadata__, "discriminator"))


def _list_issues(value: Any, item_schema: Any, metas: Iterable[Meta], path: Path) -> list[Issue]:
    if not isinstance(value, list):
        return [issues.invalid_type(path, "array", value)]
    found = (issue for index, item in enumerate(value) for issue in schema_issues(item, item_schema, (*path, index)))
    return [*islice(found, _MOST_ISSUES), *_length_issues(value, "array", metas, path)]


def _dict_issues(value: Any, value_schema: Any, metas: Iterable[Meta], path: Path) -> list[Issue]:
    if not isinstance(value, dict):
        return [issues.invalid_type(path, "record", value)]
    found = (issue for name, item in value.items() for issue in schema_issues(item, value_schema, (*path, name)))
    return [*islice(found, _MOST_ISSUES), *_length_issues(value, "map", metas, path)]


def _scalar_issues(value: Any, schema: Any, metas: list[Meta], path: Path) -> list[Issue]:
    if schema in (Any, object):
        return [issues.invalid_type(path, "nonoptional")] if value is UNSET else []
    if schema is datetime:
        return _time_issues(value, metas, path)
    if schema is bool:
        return [] if isinstance(value, bool) else [issues.invalid_type(path, "boolean", value)]
    if schema is None or schema is types.NoneType:
        return [] if value is None else [issues.invalid_type(path, "null", value)]
    if schema is str:
        if not isinstance(value, str):
            return [issues.invalid_type(path, "string", value)]
        if (allowed := _extra(metas, "values")) and value not in allowed:
            return [issues.invalid_value(path, allowed, _message(metas))]
        return _length_issues(value, "string", metas, path) + _pattern_issues(value, metas, path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return [issues.invalid_type(path, "number", value)]
    if schema is int and isinstance(value, float) and not value.is_integer():
        return [issues.no_integer(path)]
    return _range_issues(value, metas, path)


def _time_issues(value: Any, metas: list[Meta], path: Path) -> list[Issue]:
    is_date = bool(_extra(metas, "date"))
    if not isinstance(value, str):
        return [issues.no_date(path) if is_date else issues.invalid_type(path, "string", value)]
    try:
        msgspec.convert(value, Annotated[datetime, Meta(tz=True)])
    except msgspec.ValidationError:
        return [issues.no_date(path) if is_date else issues.no_iso_time(path)]
    return []


def _range_issues(value: float, metas: Iterable[Meta], path: Path) -> list[Issue]:
    found: list[Issue] = []
    for meta in metas:
        message = _message([meta])
        if meta.gt is not None and value <= meta.gt:
            found.append(issues.too_small(path, "number", meta.gt, inclusive=False, message=message))
        if meta.ge is not None and value < meta.ge:
            found.append(issues.too_small(path, "number", meta.ge, message=message))
        if meta.lt is not None and value >= meta.lt:
            found.append(issues.too_big(path, "number", meta.lt, inclusive=False, message=message))
        if meta.le is not None and value > meta.le:
            found.append(issues.too_big(path, "number", meta.le, message=message))
    return found


def _length_issues(value: Any, origin: str, metas: Iterable[Meta], path: Path) -> list[Issue]:
    found: list[Issue] = []
    for meta in metas:
        if meta.min_length is not None and len(value) < meta.min_length:
            found.append(issues.too_small(path, origin, meta.min_length, message=_message([meta])))
        if meta.max_length is not None and len(value) > meta.max_length:
            found.append(issues.too_big(path, origin, meta.max_length, message=_message([meta])))
    return found


def _pattern_issues(value: str, metas: Iterable[Meta], path: Path) -> list[Issue]:
    return [
        issues.no_match(path, f"/{meta.pattern.replace(_END, '$')}/", _message([meta]))
        for meta in metas
        if meta.pattern is not None and not re.search(meta.pattern, value)
    ]


def _message(metas: Iterable[Meta]) -> str:
    return _extra(metas, "message") or ""


def _extra(metas: Iterable[Meta], name: str) -> Any:
    return next((meta.extra[name] for meta in metas if meta.extra and name in meta.extra), None)


def issue_from(error: msgspec.ValidationError, path: Path) -> Issue:
    """The issue of a rule in a type's own code, and of what msgspec alone checks."""
    text = str(error)
    steps: list[str | int] = list(path)
    if match := _FAULT_PATH.search(text):
        text = text[: match.start()]
        for name, index in _PATH_STEP.findall(match["path"]):
            steps.append(name or (int(index) if index.isdigit() else index))
    if isinstance(error.__cause__, issues.BrokenRule):
        issue = error.__cause__.issue
        return msgspec.structs.replace(issue, path=(*steps, *issue.path))
    return issues.custom(tuple(steps), text)
