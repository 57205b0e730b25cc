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
from appliance.web.turns import in_turn

_lists: list[Route] = [
    *local_tree.routes,
    *traces.routes,
    *observations.routes,
    *observations_v2.routes,
    *sessions.routes,
    *scores.routes,
    *scores_v3.routes,
]

# The two ways in stand first: routing is a linear search.
routes: list[Route] = [
    *otel.routes,
    *ingestion.routes,
    *health.routes,
    *projects.routes,
    *live.routes,
    *scores_write.routes,
    *in_turn("lists", _lists),
    *in_turn("metrics", metrics.routes),
    *score_configs.routes,
    *models.routes,
    *prompts.routes,
    *datasets.routes,
    *dataset_runs.routes,
    *media.routes,
    *media_content.routes,
    *deletes.routes,
    *jobs.routes,
]
