"""The content of the tabs beside the tree, for one step; pure."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from appliance.api_types.observations import ApiObservation
from appliance.api_types.scores import ApiScore
from appliance.api_types.traces import ApiTraceDetail
from appliance.model import format
from tui.content.documents import Line, blank, heading, json_lines, pair_lines, score_lines, value_lines
from tui.model.records import Observation
from tui.model.spantree import Node
from tui.text.palette import ICONS, Palette


def preview_lines(node: Node, input_value: Any, output_value: Any, *, is_trace: bool, palette: Palette) -> list[Line]:
    """A head with the figures, then input and output as chat, text or JSON."""
    lines = _head(node, is_trace, palette)
    lines += [blank(), heading("Input", palette), *value_lines(input_value, palette)]
    return [*lines, blank(), heading("Output", palette), *value_lines(output_value, palette)]


def _head(node: Node, is_trace: bool, palette: Palette) -> list[Line]:
    one = node.observation
    icon = "◇" if is_trace else ICONS.get(one.type, "▪")
    title = Text.assemble((f"{icon} ", palette.kind(one.type)), (one.name or "unnamed", f"bold {palette.text}"))
    title.append(f"  {one.type.lower()}", style=palette.faint)
    facts = ["open, its end has not arrived" if one.is_open else format.duration(one.duration)]
    facts += [f"first token {format.duration(one.first_token_s)}"] if one.first_token_s else []
    facts += [one.model_name] if one.model_name else []
    facts += (
        [_tokens(one.usage_details)]
        if one.usage_details
        else [f"{format.count(node.tokens)} tok"]
        if node.tokens
        else []
    )
    facts += [format.cost(node.cost)] if node.cost else []
    facts += [f"prompt {one.prompt_name} v{one.prompt_version}"] if one.prompt_name else []
    lines = [Line(title), Line(Text(" · ".join(facts), style=palette.muted))]
    if one.level in ("ERROR", "WARNING"):
        color = palette.level(one.level)
        lines.append(Line(Text.assemble((f"{one.level.lower()} ", f"bold {color}"), (one.status_message or "", color))))
    return lines


def _tokens(usage: dict[str, int]) -> str:
    input_tokens, output_tokens = usage.get("input"), usage.get("output")
    if input_tokens is not None and output_tokens is not None:
        return f"{format.count(input_tokens)} → {format.count(output_tokens)} tok"
    return f"{format.count(usage.get('total', sum(usage.values())))} tok"


def metadata_lines(
    one: Observation, metadata: Any, facts: ApiTraceDetail | ApiObservation | None, folded: set[str], palette: Palette
) -> list[Line]:
    """Ids, times, usage and cost in detail, and the metadata."""
    pairs: dict[str, Any] = {
        "id": one.id,
        "type": one.type,
        "start": format.absolute(one.start_time),
        "end": format.absolute(one.end_time) if one.end_time else "",
        "environment": one.environment,
        "version": one.version,
        "status": one.status_message,
    }
    lines = [heading("About", palette)]
    if isinstance(facts, ApiTraceDetail):
        pairs |= {
            "environment": facts.environment, "user": facts.user_id, "session": facts.session_id,
            "tags": " ".join(facts.tags), "release": facts.release, "version": facts.version,
        }  # fmt: skip
    lines += pair_lines(pairs, palette)
    if isinstance(facts, ApiObservation):
        lines += _details("Model parameters", facts.model_parameters, palette)
        title = "Usage ≈ counted here, not reported" if facts.usage_estimated else "Usage"
        lines += _details(title, facts.usage_details, palette)
        costs = {key: format.cost(value) for key, value in (facts.cost_details or {}).items()}
        lines += _details("Cost", costs, palette)
    lines += [blank(), heading("Metadata", palette)]
    return lines + (
        json_lines(metadata, palette, folded) if metadata else [Line(Text("none", style=f"italic {palette.faint}"))]
    )


def _details(title: str, pairs: Any, palette: Palette) -> list[Line]:
    return [blank(), heading(title, palette), *pair_lines(pairs, palette)] if isinstance(pairs, dict) and pairs else []


def score_tab_lines(scores: dict[str, list[ApiScore]], node: Node, trace_id: str, palette: Palette) -> list[Line]:
    """The scores of the step at the cursor, then those of the whole trace."""
    lines: list[Line] = []
    if node.id != trace_id:
        lines += [heading("This step", palette), *score_lines(scores.get(node.id, []), palette), blank()]
    lines += [heading("The trace", palette), *score_lines(scores.get(trace_id, []), palette)]
    if node.id == trace_id and (below := [one for key, many in scores.items() if key != trace_id for one in many]):
        lines += [blank(), heading("Its steps", palette), *score_lines(below, palette)]
    return lines
