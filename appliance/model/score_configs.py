"""Score configs: what scores of one name may look like (contract: server semantics 6.7)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

_NAME: Final = re.compile(r"[A-Za-z0-9_ .()\-]{1,35}")
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


def config_fault(
    name: str,
    data_type: str,
    min_value: float | None,
    max_value: float | None,
    categories: list[dict[str, Any]] | None,
) -> str | None:
    """Why there cannot be such a config, None when there can."""
    if not _NAME.fullmatch(name):
        return "Name must have 1 to 35 characters: letters, digits, spaces and _ . ( ) -"
    if data_type != "NUMERIC" and (min_value is not None or max_value is not None):
        return f"minValue and maxValue do not fit data type {data_type}"
    if min_value is not None and max_value is not None and min_value >= max_value:
        return "maxValue must be greater than minValue"
    if data_type == "CATEGORICAL":
        return _categories_fault(categories)
    if data_type == "BOOLEAN" and categories not in (None, BOOLEAN_CATEGORIES):
        return "The categories of a BOOLEAN config are fixed"
    if data_type in ("NUMERIC", "TEXT") and categories:
        return f"Categories do not fit data type {data_type}"
    return None


def _categories_fault(categories: list[dict[str, Any]] | None) -> str | None:
    if not categories:
        return "A CATEGORICAL config needs categories"
    for key in ("label", "value"):
        if len({category[key] for category in categories}) < len(categories):
            return f"Each category needs its own {key}"
    return None


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
