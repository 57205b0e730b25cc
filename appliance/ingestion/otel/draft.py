"""The draft of an observation, filled in from a span by one convention after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from appliance.ingestion.otel.span import Span
from appliance.ingestion.otel.texts import Texts
from appliance.model.usage import Usage


@dataclass(slots=True)
class Draft:
    """The fields of one span; None (or empty) means that no convention has set it yet, and the first one wins.

    A convention writes `draft.name = draft.name or take_text(...)`: the right side takes its attribute out of the span,
    so it may only run while the field is open; attributes that nobody takes become metadata. Input and output are
    chosen separately: a span may carry its input in one convention and its output in another.
    """

    type: str | None = None
    name: str | None = None
    input: Any = None
    output: Any = None
    level: str | None = None
    status_message: str | None = None
    version: str | None = None
    release: str | None = None
    environment: str | None = None
    completion_start: int | None = None
    """When the answer began, microseconds since the epoch."""
    model: str | None = None
    requested_model: str | None = None
    """The model that decides the price when the one that answered is unknown."""
    provider: str | None = None
    model_parameters: dict[str, Any] | None = None
    usage: Usage | None = None
    """Usage as it is stored, except that the total may be missing."""
    costs: dict[str, Any] | None = None
    prompt_name: str | None = None
    prompt_version: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    """Strings as they are, other values as JSON text."""
    experiment: dict[str, str] = field(default_factory=dict)
    is_aggregate: bool = False
    """Whether model, usage and cost repeat those of children, and must not be counted again."""
    as_root: bool = False
    is_app_root: bool = False
    user_id: str | None = None
    session_id: str | None = None
    conversation_id: str | None = None
    """A conversation, which counts as the session when no session is named."""
    tags: list[str] | None = None
    public: bool = False
    trace_name: str | None = None
    trace_input: Any = None
    trace_output: Any = None
    trace_metadata: dict[str, str] = field(default_factory=dict)
    other_inputs: list[Any] = field(default_factory=list)
    """Inputs by further conventions on the same span that hold a text which the input lacks."""
    other_outputs: list[Any] = field(default_factory=list)
    _input_texts: Texts | None = None
    _output_texts: Texts | None = None

    def offer_input(self, *values: Any) -> None:
        """Take the first value that is not None as the input, unless there is one; keep others that add a text."""
        for value in values:
            if self.input is None:
                self.input = value
            elif value is not None:
                self._input_texts = self._input_texts or Texts(self.input)
                if self._input_texts.takes(value):
                    self.other_inputs.append(value)

    def offer_output(self, *values: Any) -> None:
        """As `offer_input`, for the output."""
        for value in values:
            if self.output is None:
                self.output = value
            elif value is not None:
                self._output_texts = self._output_texts or Texts(self.output)
                if self._output_texts.takes(value):
                    self.other_outputs.append(value)


class Mapper(Protocol):
    """One convention. Stateless; a module with these two names is one."""

    prefixes: frozenset[str]
    """First words (up to the dot) of the attributes, events or scopes that it reads; it gets no other spans."""

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in the open fields that this convention knows, and take their attributes out of the span."""
        ...
