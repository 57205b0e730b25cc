"""Bodies of scores and the rules between their fields (contract: server semantics 3.2, SDK contract 5.1 and 5.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Text = str | None

_MAX_TEXT_CHARS: Final = 500


class ScoreBody(msgspec.Struct, rename="camel"):
    """Body of `score-create`, and one item of POST /scores."""

    value: float | str
    name: str = ""
    id: Text = None
    trace_id: Text = None
    observation_id: Text = None
    session_id: Text = None
    dataset_run_id: Text = None
    comment: Text = None
    data_type: Literal["NUMERIC", "CATEGORICAL", "BOOLEAN", "TEXT", "CORRECTION"] | None = None
    source: Literal["API", "EVAL", "ANNOTATION"] | None = None
    config_id: Text = None
    queue_id: Text = None
    execution_trace_id: Text = None
    timestamp: Annotated[datetime, Meta(tz=True)] | None = None

    def __post_init__(self) -> None:
        if not self.name and self.data_type != "CORRECTION":
            raise ValueError("name must not be empty")
        self._check_subject()
        self._check_value()
        if self.source == "ANNOTATION" and not self.config_id and self.data_type != "CORRECTION":
            raise ValueError("configId is required when source is ANNOTATION")

    def _check_subject(self) -> None:
        if sum(1 for subject in (self.trace_id, self.session_id, self.dataset_run_id) if subject) != 1:
            raise ValueError("Provide exactly one of traceId (with observationId if needed), sessionId, datasetRunId")
        if self.observation_id and not self.trace_id:
            raise ValueError("observationId needs a traceId")
        if self.data_type == "CORRECTION" and not self.trace_id:
            raise ValueError("A CORRECTION must belong to a trace or an observation")
        if self.data_type == "CORRECTION" and self.config_id:
            raise ValueError("A CORRECTION must not have a configId")

    def _check_value(self) -> None:
        is_text = isinstance(self.value, str)
        if self.data_type == "NUMERIC" and is_text:
            raise ValueError("value must be a number for data type NUMERIC")
        if self.data_type in ("CATEGORICAL", "TEXT", "CORRECTION") and not is_text:
            raise ValueError(f"value must be a string for data type {self.data_type}")
        if self.data_type == "BOOLEAN" and self.value not in (0, 1):
            raise ValueError("value must be 0 or 1 for data type BOOLEAN")
        if self.data_type == "TEXT" and not 1 <= len(str(self.value)) <= _MAX_TEXT_CHARS:
            raise ValueError(f"value must have 1 to {_MAX_TEXT_CHARS} characters for data type TEXT")
