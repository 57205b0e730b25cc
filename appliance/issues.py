"""What is wrong with a request, field by field, in the form that the reference server writes (Zod 4).

Each kind of issue is a struct whose fields stand in the order of the reference server; the functions make them with
their messages. `Path` leads to the value: names of fields, and positions in lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

Path = tuple[str | int, ...]

ISO_TIME_PATTERN: Final = (
    r"/^(?:(?:\d\d[2468][048]|\d\d[13579][26]|\d\d0[48]|[02468][048]00|[13579][26]00)-02-29|"
    r"\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|"
    r"(?:02)-(?:0[1-9]|1\d|2[0-8])))T(?:(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?"
    r"(?:Z|([+-](?:[01]\d|2[0-3]):[0-5]\d)))$/"
)
"""How the reference server spells the pattern of ISO 8601 times; `parse_time` decides here."""

_UNITS: Final = {"string": "characters", "array": "items", "map": "entries"}


class InvalidType(msgspec.Struct, kw_only=True):
    """A value of another type, or a missing one."""

    expected: str
    format: str | UnsetType = UNSET
    code: Literal["invalid_type"] = "invalid_type"
    received: str | UnsetType = UNSET
    """Only where text was read as a number or as a time."""
    path: Path
    message: str


class InvalidValue(msgspec.Struct, kw_only=True):
    """A value outside a closed list."""

    code: Literal["invalid_value"] = "invalid_value"
    values: Sequence[str]
    path: Path
    message: str


class TooSmall(msgspec.Struct, kw_only=True):
    """A number, or a length, below its minimum."""

    origin: str
    code: Literal["too_small"] = "too_small"
    minimum: float
    inclusive: bool
    path: Path
    message: str


class TooBig(msgspec.Struct, kw_only=True):
    """A number, or a length, above its maximum."""

    origin: str
    code: Literal["too_big"] = "too_big"
    maximum: float
    inclusive: bool
    path: Path
    message: str


class InvalidFormat(msgspec.Struct, kw_only=True):
    """A text that does not match a pattern."""

    origin: Literal["string"] = "string"
    code: Literal["invalid_format"] = "invalid_format"
    format: str
    pattern: str
    path: Path
    message: str


class UnrecognizedKeys(msgspec.Struct, kw_only=True):
    """Names of fields or parameters that do not exist."""

    code: Literal["unrecognized_keys"] = "unrecognized_keys"
    keys: Sequence[str]
    path: Path
    message: str


class InvalidUnion(msgspec.Struct, kw_only=True):
    """A value that matches none of several types."""

    code: Literal["invalid_union"] = "invalid_union"
    errors: Sequence[Sequence[Any]]
    """The issues with each type; their paths begin at the value."""
    note: str | UnsetType = UNSET
    discriminator: str | UnsetType = UNSET
    path: Path
    message: str


class Custom(msgspec.Struct, kw_only=True):
    """A rule that no other kind describes, such as one between fields."""

    code: Literal["custom"] = "custom"
    path: Path
    message: str


Issue = InvalidType | InvalidValue | TooSmall | TooBig | InvalidFormat | UnrecognizedKeys | InvalidUnion | Custom


class BrokenRule(ValueError):
    """What `__post_init__` of a struct raises for an issue; its path begins at the struct."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.message)
        self.issue = issue


def type_name(value: object) -> str:
    """The type of a JSON value; UNSET stands for a missing one."""
    if value is UNSET:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, (list, tuple)) else "object"


def invalid_type(path: Path, expected: str, value: object = UNSET) -> InvalidType:
    """A value of another type than `expected`; UNSET for a missing one."""
    message = f"Invalid input: expected {expected}, received {type_name(value)}"
    return InvalidType(expected=expected, path=path, message=message)


def no_number(path: Path) -> InvalidType:
    """A text that is no number."""
    message = "Invalid input: expected number, received NaN"
    return InvalidType(expected="number", received="NaN", path=path, message=message)


def no_integer(path: Path) -> InvalidType:
    """A number that is not whole."""
    message = "Invalid input: expected int, received number"
    return InvalidType(expected="int", format="safeint", path=path, message=message)


def no_date(path: Path) -> InvalidType:
    """A text that is no time, where the reference server reads any notation of JavaScript."""
    message = "Invalid input: expected date, received Date"
    return InvalidType(expected="date", received="Invalid Date", path=path, message=message)


def no_iso_time(path: Path) -> InvalidFormat:
    """A text that is no ISO 8601 time with offset."""
    return InvalidFormat(format="datetime", pattern=ISO_TIME_PATTERN, path=path, message="Invalid ISO datetime")


def invalid_value(path: Path, values: Sequence[str], message: str = "") -> InvalidValue:
    """A value that is none of `values`."""
    quoted = "|".join(f'"{value}"' for value in values)
    standard = f"Invalid option: expected one of {quoted}" if len(values) > 1 else f"Invalid input: expected {quoted}"
    return InvalidValue(values=values, path=path, message=message or standard)


def too_small(path: Path, origin: str, minimum: float, *, inclusive: bool = True, message: str = "") -> TooSmall:
    """A number (`origin` is `number`), or the length of a `string` or an `array`, below `minimum`."""
    standard = f"Too small: expected {origin} {_bound(origin, '>', minimum, inclusive=inclusive)}"
    return TooSmall(origin=origin, minimum=minimum, inclusive=inclusive, path=path, message=message or standard)


def too_big(path: Path, origin: str, maximum: float, *, inclusive: bool = True, message: str = "") -> TooBig:
    """A number (`origin` is `number`), or the length of a `string` or an `array`, above `maximum`."""
    standard = f"Too big: expected {origin} {_bound(origin, '<', maximum, inclusive=inclusive)}"
    return TooBig(origin=origin, maximum=maximum, inclusive=inclusive, path=path, message=message or standard)


def no_match(path: Path, pattern: str, message: str = "") -> InvalidFormat:
    """A text that does not match a regular expression, spelled between slashes."""
    standard = f"Invalid string: must match pattern {pattern}"
    return InvalidFormat(format="regex", pattern=pattern, path=path, message=message or standard)


def unrecognized_keys(path: Path, keys: Sequence[str]) -> UnrecognizedKeys:
    """Names that do not exist."""
    quoted = ", ".join(f'"{key}"' for key in keys)
    message = f"Unrecognized key{'s' if len(keys) > 1 else ''}: {quoted}"
    return UnrecognizedKeys(keys=keys, path=path, message=message)


def invalid_union(path: Path, errors: Sequence[Sequence[Issue]], message: str = "Invalid input") -> InvalidUnion:
    """A value that matches none of the types with these issues."""
    return InvalidUnion(errors=errors, path=path, message=message)


def no_discriminator(path: Path, name: str) -> InvalidUnion:
    """An object whose field `name`, which chooses its type, is missing or unknown."""
    note = "No matching discriminator"
    return InvalidUnion(errors=(), note=note, discriminator=name, path=(*path, name), message="Invalid input")


def custom(path: Path, message: str) -> Custom:
    """A rule in words."""
    return Custom(path=path, message=message)


def as_text(issues: Sequence[Issue]) -> str:
    """Issues as the reference server writes them into a message: JSON over several lines."""
    return msgspec.json.format(msgspec.json.encode(issues), indent=2).decode()


def _bound(origin: str, sign: str, bound: float, *, inclusive: bool) -> str:
    number = f"{bound:g}" if isinstance(bound, float) else str(bound)
    comparison = f"{sign}{'=' if inclusive else ''}{number}"
    return f"to have {comparison} {_UNITS[origin]}" if origin in _UNITS else f"to be {comparison}"
