"""Every path that web answers; the modules below `api` hold the handlers."""

from __future__ import annotations

from starlette.routing import Route

from appliance.web.api import (
    dataset_runs,
    datasets,
    deletes,
    health,
    ingestion,
    jobs,
    live,
    local_tree,
    media,
    media_content,
    metrics,
    models,
    observations,
    observations_v2,
    otel,
    projects,
    prompts,
    score_configs,
    scores,
    scores_v3,
    scores_write,
    sessions,
    traces,
)
from appliance.web.read_limiter import limited

_lists: list[Route] = [
    *local_tree.ROUTES,
    *traces.ROUTES,
    *observations.ROUTES,
    *observations_v2.ROUTES,
    *sessions.ROUTES,
    *scores.ROUTES,
    *scores_v3.ROUTES,
]

# Ingestion stands first: routing is a linear search.
ROUTES: list[Route] = [
    *otel.ROUTES,
    *ingestion.ROUTES,
    *health.ROUTES,
    *projects.ROUTES,
    *live.ROUTES,
    *scores_write.ROUTES,
    *limited("lists", _lists),
    *limited("metrics", metrics.ROUTES),
    *score_configs.ROUTES,
    *models.ROUTES,
    *prompts.ROUTES,
    *datasets.ROUTES,
    *dataset_runs.ROUTES,
    *media.ROUTES,
    *media_content.ROUTES,
    *deletes.ROUTES,
    *jobs.ROUTES,
]
