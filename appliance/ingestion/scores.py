"""Bodies of scores and the rules between their fields (contract: server semantics 3.2, SDK contract 5.1 and 5.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from appliance import issues
from appliance.issues import BrokenRule

Text = str | None

_MAX_TEXT_CHARS: Final = 500
_SUBJECTS: Final = ("traceId", "sessionId", "datasetRunId", "observationId")
_ONE_SUBJECT: Final = (
    "Provide exactly one of the following: traceId (with optional observationId), sessionId or datasetRunId. "
    "ObservationId requires traceId."
)


class ScoreBody(msgspec.Struct, kw_only=True, rename="camel"):
    """Body of `score-create`, and one item of POST /scores."""

    name: str
    value: str | float
    id: Text = None
    trace_id: Text = None
    observation_id: Text = None
    session_id: Text = None
    dataset_run_id: Text = None
    comment: Text = None
    data_type: Literal["NUMERIC", "CATEGORICAL", "BOOLEAN", "CORRECTION", "TEXT"] | None = None
    source: Literal["API", "EVAL", "ANNOTATION"] | None = None
    config_id: Text = None
    queue_id: Text = None
    execution_trace_id: Text = None
    timestamp: Annotated[datetime, Meta(tz=True)] | None = None

    def __post_init__(self) -> None:
        if not self.name and self.data_type != "CORRECTION":
            raise BrokenRule(issues.too_small(("name",), "string", 1))
        self._check_subject()
        self._check_value()
        if self.source == "ANNOTATION" and not self.config_id and self.data_type != "CORRECTION":
            raise BrokenRule(issues.custom(("configId",), "configId is required when source is ANNOTATION"))

    def _check_subject(self) -> None:
        subjects = sum(1 for subject in (self.trace_id, self.session_id, self.dataset_run_id) if subject)
        if subjects != 1 or (self.observation_id and not self.trace_id):
            raise BrokenRule(issues.custom(_SUBJECTS, _ONE_SUBJECT))
        if self.data_type == "CORRECTION" and not self.trace_id:
            raise BrokenRule(issues.custom((), "A CORRECTION must belong to a trace or an observation"))
        if self.data_type == "CORRECTION" and self.config_id:
            raise BrokenRule(issues.custom((), "A CORRECTION must not have a configId"))

    def _check_value(self) -> None:
        is_text = isinstance(self.value, str)
        if self.data_type in ("NUMERIC", "BOOLEAN") and is_text:
            raise BrokenRule(issues.invalid_type(("value",), "number", self.value))
        if self.data_type in ("CATEGORICAL", "TEXT", "CORRECTION") and not is_text:
            raise BrokenRule(issues.invalid_type(("value",), "string", self.value))
        if self.data_type == "BOOLEAN" and self.value not in (0, 1):
            message = "Value must be a number equal to either 0 or 1 for data type BOOLEAN"
            raise BrokenRule(issues.custom(("value",), message))
        if self.data_type == "TEXT" and not self.value:
            raise BrokenRule(issues.too_small(("value",), "string", 1))
        if self.data_type == "TEXT" and len(str(self.value)) > _MAX_TEXT_CHARS:
            raise BrokenRule(issues.too_big(("value",), "string", _MAX_TEXT_CHARS))
