"""Score configs: what scores of one name may look like (contract: server semantics 6.7)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from msgspec import UNSET

from appliance import issues
from appliance.issues import Issue

_NAME: Final = re.compile(r"[\w .()\-]+")
_MAX_NAME_CHARS: Final = 35
BOOLEAN_CATEGORIES: Final[list[dict[str, Any]]] = [{"label": "True", "value": 1}, {"label": "False", "value": 0}]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreConfig:
    """One config."""

    id: str
    project_id: str
    name: str
    data_type: str
    """`NUMERIC`, `CATEGORICAL`, `BOOLEAN` or `TEXT`."""
    is_archived: bool
    min_value: float | None
    max_value: float | None
    categories: list[dict[str, Any]] | None
    """Labels and their numeric values."""
    description: str | None
    created_at: datetime
    updated_at: datetime


def config_issues(
    name: str,
    data_type: str,
    min_value: float | None,
    max_value: float | None,
    categories: list[dict[str, Any]] | None,
) -> list[Issue]:
    """Why there cannot be such a config; none when there can."""
    found: list[Issue] = []
    if not name:
        found.append(issues.too_small(("name",), "string", 1))
    if len(name) > _MAX_NAME_CHARS:
        found.append(issues.too_big(("name",), "string", _MAX_NAME_CHARS))
    if not _NAME.fullmatch(name):
        found.append(issues.no_match(("name",), r"/^[\p{L}\p{N}_ .()-]+$/u", "Name contains invalid characters"))
    if data_type != "NUMERIC":
        bounds = {"minValue": min_value, "maxValue": max_value}
        found += [_unwanted(field, value) for field, value in bounds.items() if value is not None]
    elif min_value is not None and max_value is not None and min_value >= max_value:
        found.append(issues.custom((), "Maximum value must be greater than Minimum value"))
    return found + _category_issues(data_type, categories)


def _category_issues(data_type: str, categories: list[dict[str, Any]] | None) -> list[Issue]:
    if data_type == "BOOLEAN":
        return [] if categories in (None, BOOLEAN_CATEGORIES) else [_unwanted("categories", categories)]
    if data_type != "CATEGORICAL":
        return [_unwanted("categories", categories)] if categories else []
    if not categories:
        missing = issues.invalid_type(("categories",), "array", UNSET)
        return [missing if categories is None else issues.too_small(("categories",), "array", 1)]
    for key in ("label", "value"):
        counts = Counter(category[key] for category in categories)
        if twice := [value for value, count in counts.items() if count > 1]:
            message = f"Duplicate category {key}: {twice[0]}, category {key}s must be unique"
            return [issues.custom(("categories",), message)]
    return []


def _unwanted(field: str, value: object) -> Issue:
    return issues.invalid_type((field,), "undefined", value)


def score_fault(config: ScoreConfig | None, data_type: str | None, value: object) -> str | None:
    """Why a score that names this config (None: one that does not exist) is not taken; None when it is.

    A score without a data type has that of its config (contract: server semantics 3.5, rule 11).
    """
    if config is None:
        return "its config does not exist"
    if config.is_archived:
        return f"its config {config.name!r} is archived"
    if data_type not in (None, config.data_type):
        return f"it is {data_type}, its config {config.name!r} is {config.data_type}"
    if isinstance(value, str) != (config.data_type in ("CATEGORICAL", "TEXT")):
        return f"{value!r} is no value for {config.data_type}"
    if config.data_type == "BOOLEAN" and value not in (0, 1):
        return f"{value!r} is neither 0 nor 1"
    if config.data_type == "CATEGORICAL" and category_value(config, str(value)) is None:
        return f"{value!r} is no category of {config.name!r}"
    if isinstance(value, (int, float)) and not _is_within(config, value):
        return f"{value!r} is out of the range of {config.name!r}"
    return None


def category_value(config: ScoreConfig, label: str) -> float | None:
    """The number that stands for a label; None when there is no such category."""
    return next((float(each["value"]) for each in config.categories or () if each["label"] == label), None)


def _is_within(config: ScoreConfig, value: float) -> bool:
    return (config.min_value is None or config.min_value <= value) and (
        config.max_value is None or value <= config.max_value
    )
