"""Which scores fit the config that they name."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from appliance.model.score_configs import BOOLEAN_CATEGORIES, ScoreConfig, config_issues, score_fault

CATEGORIES = [{"label": "good", "value": 2}, {"label": "bad", "value": -1}]


def config(data_type: str, **fields: Any) -> ScoreConfig:
    now = datetime.now(UTC)
    plain: dict[str, Any] = {"is_archived": False, "min_value": None, "max_value": None, "categories": None}
    return ScoreConfig(
        id="c",
        project_id="p",
        name="quality",
        data_type=data_type,
        description=None,
        created_at=now,
        updated_at=now,
        **{**plain, **fields},
    )


@pytest.mark.parametrize(
    ("found", "data_type", "value"),
    [
        (config("NUMERIC"), "NUMERIC", -3.5),
        (config("NUMERIC", min_value=1, max_value=5), None, 1),
        (config("NUMERIC", min_value=1, max_value=5), None, 5),
        (config("BOOLEAN", categories=BOOLEAN_CATEGORIES), None, 1),
        (config("CATEGORICAL", categories=CATEGORIES), "CATEGORICAL", "good"),
        (config("TEXT"), None, "fine"),
    ],
)
def test_scores_that_fit(found: ScoreConfig, data_type: str | None, value: object) -> None:
    assert score_fault(found, data_type, value) is None


@pytest.mark.parametrize(
    ("found", "data_type", "value", "why"),
    [
        (None, None, 1, "does not exist"),
        (config("NUMERIC", is_archived=True), None, 1, "archived"),
        (config("NUMERIC"), "BOOLEAN", 1, "is NUMERIC"),
        (config("NUMERIC"), None, "1", "no value"),
        (config("NUMERIC", min_value=1), None, 0.9, "out of the range"),
        (config("NUMERIC", max_value=5), None, 5.1, "out of the range"),
        (config("BOOLEAN", categories=BOOLEAN_CATEGORIES), None, 2, "neither 0 nor 1"),
        (config("CATEGORICAL", categories=CATEGORIES), None, "Good", "no category"),
        (config("CATEGORICAL", categories=CATEGORIES), None, 2, "no value"),
    ],
)
def test_scores_that_do_not(found: ScoreConfig | None, data_type: str | None, value: object, why: str) -> None:
    assert why in (score_fault(found, data_type, value) or "")


def test_many_categories_are_compared_in_one_pass() -> None:
    categories = [{"label": str(number), "value": number} for number in range(30_000)]
    began = time.monotonic()
    assert config_issues("n", "CATEGORICAL", None, None, categories) == []
    assert time.monotonic() - began < 2  # each with each takes 16 s
