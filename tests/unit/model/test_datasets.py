"""Ids of dataset runs are those that the Python SDK computes for experiments."""

from __future__ import annotations

from appliance.model.datasets import dataset_run_id


def test_the_id_of_a_run() -> None:
    """Recorded from `Langfuse._create_experiment_id` of the Python SDK 5.0.4."""
    assert dataset_run_id("p", "d", 'run "ä" / 1') == "a2b0fa331407a0ff"
    assert (
        len({dataset_run_id("p", "d", "run"), dataset_run_id("p", "other", "run"), dataset_run_id("q", "d", "run")})
        == 3
    )
