"""What the conventions make of one span, filled in by one mapper after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from appliance.ingestion.otel.span import Span
from appliance.ingestion.otel.texts import Texts
from appliance.model.usage import Usage


@dataclass(slots=True)
class Draft:
    """Findings about one span; None (or empty) means that no convention has said it yet, and the first to say it wins.

    Input and output are chosen separately: a span may carry its input in one convention and its output in another.
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
    model: str | None = None
    requested_model: str | None = None
    """What the price goes by when nothing is known of the model that answered."""
    provider: str | None = None
    model_parameters: dict[str, Any] | None = None
    usage: Usage | None = None
    """As it is stored, but for a missing total."""
    costs: dict[str, Any] | None = None
    prompt_name: str | None = None
    prompt_version: int | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    """Text, or JSON text for what is not a string."""
    experiment: dict[str, str] = field(default_factory=dict)
    is_aggregate: bool = False
    """Whether model, usage and cost repeat those of the children, if there are any, and must not be counted again."""
    as_root: bool = False
    is_app_root: bool = False
    user_id: str | None = None
    session_id: str | None = None
    conversation_id: str | None = None
    """A session that is only meant as one when nobody names another."""
    tags: list[str] | None = None
    public: bool = False
    trace_name: str | None = None
    trace_input: Any = None
    trace_output: Any = None
    trace_metadata: dict[str, str] = field(default_factory=dict)
    other_inputs: list[Any] = field(default_factory=list)
    """What further conventions on the same span call its input, where it has a text that the input lacks."""
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
        """The same for the output."""
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
    """First words (up to the dot) of the attributes, events or scopes it reads; other spans it is not asked about."""

    def map_span(self, span: Span, draft: Draft) -> None:
        """Fill in what this convention says and nobody has said before; take the attributes read out of the span."""
        ...
