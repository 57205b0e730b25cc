"""The JSON of answers about rows of Postgres, and of daily figures, is the one that was recorded."""

from __future__ import annotations

from appliance.api_types.dataset_runs import ApiDatasetRun, DatasetRunDetail
from appliance.api_types.datasets import DatasetDetail, DatasetSummary
from appliance.storage.clickhouse.metrics import DailyUsage
from appliance.web.api import datasets
from appliance.web.api.dataset_runs import api_run_item, run_fields
from appliance.web.api.datasets import api_dataset, api_dataset_item
from appliance.web.api.jobs import api_job
from appliance.web.api.metrics import daily_metrics
from appliance.web.api.models import api_model
from appliance.web.api.prompts import api_prompt, api_prompt_summary
from appliance.web.api.score_configs import api_score_config
from tests.unit.web.api import postgres_rows as rows
from tests.unit.web.api.recorded import recorded, sent


def test_prompts() -> None:
    assert recorded("prompts") == {
        "text": sent(api_prompt(rows.TEXT_PROMPT)),
        "chat": sent(api_prompt(rows.CHAT_PROMPT)),
        "read": sent(api_prompt(rows.TEXT_PROMPT, is_read=True)),
        "summary": sent(api_prompt_summary(rows.PROMPT_SUMMARY)),
    }


def test_datasets() -> None:
    item, fields = api_dataset_item(rows.ITEM, []), datasets.dataset_fields(rows.FULL_DATASET)
    assert recorded("datasets") == {
        "full": sent(api_dataset(rows.FULL_DATASET)),
        "bare": sent(api_dataset(rows.BARE_DATASET)),
        "item": sent(item),
        "summary": sent(DatasetSummary(**fields, items=["item-1"], runs=["run-1"])),
        "detail": sent(DatasetDetail(**fields, items=[item], runs=[])),
    }


def test_dataset_runs() -> None:
    item, fields = api_run_item(rows.RUN_ITEM, "gpt-5"), run_fields(rows.RUN)
    assert recorded("dataset_runs") == {
        "run": sent(ApiDatasetRun(**fields)),
        "item": sent(item),
        "detail": sent(DatasetRunDetail(**fields, dataset_run_items=[item])),
    }


def test_models() -> None:
    assert recorded("models") == {
        "flat": sent(api_model(rows.FLAT_MODEL)),
        "tiered": sent(api_model(rows.TIERED_MODEL, {"slow"})),
    }


def test_score_configs() -> None:
    assert recorded("score_configs") == {
        "categorical": sent(api_score_config(rows.SCORE_CONFIG)),
        "numeric": sent(api_score_config(rows.NUMERIC_CONFIG)),
    }


def test_jobs() -> None:
    assert recorded("jobs") == {"waiting": sent(api_job(rows.WAITING_JOB)), "failed": sent(api_job(rows.FAILED_JOB))}


def test_days() -> None:
    usage = [
        DailyUsage("2026-01-01", "gpt-4o", 1.0, 2.0, 3.0, 0.1, 4, 2),
        DailyUsage("2026-01-01", None, 0, 0, 0, 0.2, 1, 1),
    ]
    assert recorded("metrics") == {
        "day": sent(daily_metrics("2026-01-01", 3, usage)),
        "empty day": sent(daily_metrics("2026-01-02", 3, [])),
    }
