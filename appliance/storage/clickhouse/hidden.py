"""The setting that hides deleted rows from a statement, so that no query has to know of deletions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

_OF_PROJECT: Final = "project_id NOT IN (SELECT id FROM {0} WHERE kind = 'project')"
_OF_TRACE: Final = "(project_id, {1}) NOT IN (SELECT project_id, id FROM {0} WHERE kind = 'trace')"
_OF_SESSION: Final = "(project_id, session_id) NOT IN (SELECT project_id, id FROM {0} WHERE kind = 'session')"
_OF_RUN: Final = "(project_id, dataset_run_id) NOT IN (SELECT project_id, id FROM {0} WHERE kind = 'dataset_run')"
_OF_SCORE: Final = "(project_id, id) NOT IN (SELECT project_id, id FROM {0} WHERE kind = 'score')"
_FILTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "observations": (_OF_PROJECT, _OF_TRACE.replace("{1}", "trace_id")),
    "observations_list": (_OF_PROJECT, _OF_TRACE.replace("{1}", "trace_id")),
    "trace_parts": (_OF_PROJECT, _OF_TRACE.replace("{1}", "id")),
    "folded_traces": (_OF_PROJECT, _OF_TRACE.replace("{1}", "id")),
    "scores": (_OF_PROJECT, _OF_TRACE.replace("{1}", "trace_id"), _OF_SESSION, _OF_RUN, _OF_SCORE),
}


@cache
def hiding(database: str) -> Mapping[str, str]:
    """The setting for reads of the tables in `database`; other servers of a cluster need its name."""
    escaped = database.replace("\\", "\\\\").replace("`", "\\`")
    deletions = f"`{escaped}`.deletions"
    filters = {
        table: " AND ".join(each.replace("{0}", deletions) for each in conditions)
        for table, conditions in _FILTERS.items()
    }
    pairs = ", ".join(f"{_literal(table)}: {_literal(condition)}" for table, condition in filters.items())
    return {"additional_table_filters": f"{{{pairs}}}"}


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
