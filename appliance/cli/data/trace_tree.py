"""A trace as a tree: its observations with their messages and files, and its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from appliance.api_types.media import ApiMedia
from appliance.api_types.observations import ApiObservation
from appliance.api_types.traces import ApiTrace, ApiTraceDetail
from appliance.cli.data.media import media_in
from appliance.cli.data.texts import between, duration, moment, preview, score_value, tokens, usd, words
from appliance.model import format
from appliance.model.media import readable
from appliance.model.messages import full_text, parse_messages
from appliance.model.printable import printable

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

MOST_CHARACTERS = 2000
"""Of one message, or of an input or output that is no chat."""


def trace_tree(trace: ApiTraceDetail, media: Mapping[str, ApiMedia] | None = None) -> Tree:
    """One trace: its facts, its observations as a tree with their messages and files, and its scores."""
    from rich.tree import Tree

    tree = Tree(_line((preview(trace.name) or "(no name)", "bold"), "  ", (trace.id, "cyan")))
    tree.add(_line((_trace_facts(trace), "dim")))
    _add_media(tree, trace, media or {})
    own = {side: value for side, value in _sides(trace).items() if not _is_among(trace.observations, side, value)}
    _add_texts(tree, own, set())
    _add_observations(tree, trace.observations, media or {})
    for score in trace.scores:
        tree.add(_line("score ", (preview(score.name), "bold"), f" {score_value(score)}  {preview(score.comment)}"))
    return tree


def _add_observations(tree: Tree, observations: Sequence[ApiObservation], media: Mapping[str, ApiMedia]) -> None:
    """Below their parents, siblings by their start; of those that are each other's parents, the first is a root."""
    entries = sorted(observations, key=lambda entry: (entry.start_time, entry.id))
    known = {entry.id for entry in entries}
    children: dict[str | None, list[ApiObservation]] = {}
    for entry in entries:
        parent = entry.parent_observation_id
        children.setdefault(parent if parent in known else None, []).append(entry)
    drawn: set[str] = set()
    shown: set[tuple[str, str]] = set()
    waiting = [(tree, entry) for entry in reversed([*children.get(None, ()), *entries])]
    while waiting:
        branch, entry = waiting.pop()
        if entry.id in drawn:
            continue
        drawn.add(entry.id)
        line = branch.add(_observation_line(entry))
        _add_media(line, entry, media)
        _add_texts(line, _sides(entry), shown)
        waiting += [(line, child) for child in reversed(children.get(entry.id, ()))]


def _add_media(branch: Tree, holder: ApiTrace | ApiObservation, media: Mapping[str, ApiMedia]) -> None:
    for field, media_id in media_in(holder):
        if file := media.get(media_id):
            branch.add(_line("media ", (f"{field} {_media_facts(file)}  ", "dim"), (media_id, "cyan")))


def _sides(holder: ApiTrace | ApiObservation) -> dict[str, Any]:
    return {"input": holder.input, "output": holder.output}


def _is_among(observations: Sequence[ApiObservation], side: str, value: Any) -> bool:
    return any(_sides(entry)[side] == value for entry in observations)


def _add_texts(branch: Tree, sides: Mapping[str, Any], shown: set[tuple[str, str]]) -> None:
    """Input and output; of a chat each message, but for those of an input that are `shown` above."""
    for side, value in sides.items():
        if value is None or value == "":
            continue
        messages = [(message.role, full_text(message)) for message in parse_messages(value) or ()]
        new = [message for message in messages if side == "output" or message not in shown]
        if len(new) < len(messages):
            branch.add(_line((f"{side}  {len(messages) - len(new)} of {len(messages)} messages stand above", "dim")))
        if not messages:
            new = [("", readable(value) if isinstance(value, str) else preview(value))]
        for role, text in new:
            line = _line((f"{side} {role}".rstrip(), "dim"), "  ")
            branch.add(line.append(printable(_cut(text), "\n")))
        shown.update(messages)


def _cut(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}… ({len(text):,} characters; --json shows all)"


def media_lines(media: Mapping[str, ApiMedia]) -> list[str]:
    """Where each file can be opened; not for a table, which would break the links."""
    return [printable(f"{media_id}  {_media_facts(file)}  {file.url}") for media_id, file in media.items()]


def _media_facts(file: ApiMedia) -> str:
    return f"{file.content_type}, {format.size(file.content_length)}"


def _trace_facts(trace: ApiTraceDetail) -> str:
    facts = {
        "time": moment(trace.timestamp),
        "latency": duration(trace.latency),
        "cost": usd(trace.total_cost),
        "user": preview(trace.user_id),
        "session": preview(trace.session_id),
        "tags": words(trace.tags),
        "environment": preview(trace.environment),
    }
    return "  ".join(f"{name} {value}" for name, value in facts.items() if value)


def _observation_line(entry: ApiObservation) -> Text:
    figures = [
        preview(entry.model),
        between(entry.start_time, entry.end_time),
        f"{total} tok" if (total := tokens(entry)) else "",
        usd(entry.calculated_total_cost),
        entry.level if entry.level in ("ERROR", "WARNING") else "",
        preview(entry.status_message),
    ]
    return _line(
        (entry.type.lower(), "dim"),
        " ",
        (preview(entry.name) or "(no name)", "bold red" if entry.level == "ERROR" else "bold"),
        "  ",
        "  ".join(figure for figure in figures if figure),
    )


def _line(*pieces: str | tuple[str, str]) -> Text:
    """Styled text of pieces, each with its style or without, that leaves nothing for the terminal to obey."""
    from rich.text import Text

    return Text.assemble(
        *(printable(piece) if isinstance(piece, str) else (printable(piece[0]), piece[1]) for piece in pieces)
    )
