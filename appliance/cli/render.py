"""Texts, columns and trees of what the API answers: pure functions; rich draws the trees."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from appliance.cli.media import media_in
from appliance.cli.tables import Column
from appliance.model.media import readable
from appliance.model.messages import full_text, parse_messages, summary
from appliance.model.printable import on_one_line, printable

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

Json = Mapping[str, Any]
SIDES = ("input", "output")
MOST_CHARACTERS = 2000
"""Of one message, or of an input or output that is no chat, in the tree of a trace."""


def duration(seconds: object) -> str:
    """Seconds for people: `850 ms`, `1.2 s`, `3 m 20 s`; empty for nothing."""
    if not isinstance(seconds, int | float):
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds // 60:.0f} m {seconds % 60:.0f} s"


def usd(amount: object) -> str:
    """US dollars with enough places to tell small amounts apart; empty for nothing or zero."""
    if not isinstance(amount, int | float) or not amount:
        return ""
    if amount >= 0.0001:
        return f"${amount:.{2 if amount >= 1 else 4 if amount >= 0.001 else 5}f}"
    return "$" + f"{amount:.10f}".rstrip("0").rstrip(".")


def tokens(row: Json) -> str:
    """The total of an observation's `usageDetails`, with ≈ where the server counted it; empty for nothing."""
    usage = row.get("usageDetails")
    total = usage.get("total") if isinstance(usage, Mapping) else None
    return f"{'≈' if row.get('usageEstimated') else ''}{total:,}" if total else ""


def moment(text: object) -> str:
    """An ISO time in the local zone, to the second; what is none stays as it is."""
    if (time := _time(text)) is None:
        return preview(text)
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_moment(text: object, now: datetime | None = None) -> str:
    """The same in at most ten characters: `14:03:22` today, `Mon 14:03` within a week, `2026-11-02` before."""
    if (time := _time(text)) is None:
        return preview(text)
    local, today = time.astimezone(), now or datetime.now().astimezone()
    if local.date() == today.date():
        return local.strftime("%H:%M:%S")
    is_recent = timedelta(0) < today - local < timedelta(days=6)
    return local.strftime("%a %H:%M" if is_recent else "%Y-%m-%d")


def preview(value: object) -> str:
    """Any value on one line, without anything that a terminal obeys."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return on_one_line(readable(text))


def between(start: object, end: object) -> str:
    """The time from one ISO moment to another; empty when one is missing."""
    if (began := _time(start)) is None or (ended := _time(end)) is None:
        return ""
    return duration((ended.astimezone() - began.astimezone()).total_seconds())


def _time(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) and text else None
    except ValueError:
        return None


def field(name: str) -> Callable[[Json], str]:
    """A column's text straight from a field."""
    return lambda row: preview(row.get(name))


def said(name: str) -> Callable[[Json], str]:
    """A column's text from a field that may hold a chat: what its last message says."""
    return lambda row: on_one_line(summary(row.get(name))) or preview(row.get(name))


def time_of(name: str) -> Callable[[Json], str]:
    """A column's text from a field that holds a time."""
    return lambda row: moment(row.get(name))


def listed(name: str) -> Callable[[Json], str]:
    """A column's text from a field that holds a list of words."""
    return lambda row: preview(", ".join(str(word) for word in row.get(name) or ()))


def counted(name: str) -> Callable[[Json], str]:
    """A column's text: how many items a field holds."""
    return lambda row: str(len(row.get(name) or ()))


def time_column(title: str, name: str, rank: int = 0) -> Column:
    """A column of moments, which lose their date where the terminal is narrow."""
    return Column(title, time_of(name), short=lambda row: short_moment(row.get(name)), rank=rank)


def id_column(title: str, name: str, rank: int = 0) -> Column:
    """A column of ids."""
    return Column(title, field(name), style="cyan", is_whole=True, rank=rank)


TRACES = (
    time_column("Time", "timestamp", rank=1),
    Column("Name", field("name"), style="bold", is_free=True),
    Column("Input", said("input"), style="dim", is_free=True, least=20, rank=5),
    Column("User", field("userId"), is_free=True, rank=4),
    Column("Latency", lambda row: duration(row.get("latency")), is_number=True, rank=2),
    Column("Cost", lambda row: usd(row.get("totalCost")), is_number=True, rank=3),
    Column("Obs", counted("observations"), is_number=True, rank=6),
    Column("Tags", listed("tags"), is_free=True, rank=7),
    id_column("ID", "id"),
)
SESSIONS = (
    time_column("Created", "createdAt", rank=1),
    id_column("ID", "id"),
    Column("Environment", field("environment"), is_free=True, rank=2),
)
OBSERVATIONS = (
    time_column("Time", "startTime", rank=1),
    Column("Type", field("type"), rank=4),
    Column("Name", field("name"), style="bold", is_free=True),
    Column("Model", field("model"), is_free=True, rank=3),
    Column("Latency", lambda row: between(row.get("startTime"), row.get("endTime")), is_number=True, rank=2),
    Column("Tokens", tokens, is_number=True, rank=6),
    Column("Cost", lambda row: usd(row.get("calculatedTotalCost")), is_number=True, rank=5),
    Column("Level", field("level"), rank=7),
    id_column("ID", "id"),
    id_column("Trace", "traceId", rank=8),
)
SCORES = (
    time_column("Time", "timestamp", rank=1),
    Column("Name", field("name"), style="bold", is_free=True),
    Column("Value", lambda row: preview(row.get("stringValue") or row.get("value")), is_number=True, is_free=True),
    Column("Source", field("source"), rank=4),
    Column("Comment", field("comment"), style="dim", is_free=True, rank=2),
    id_column("Trace", "traceId", rank=3),
    id_column("Observation", "observationId", rank=5),
)
PROMPTS = (
    Column("Name", field("name"), style="bold", is_free=True),
    Column("Type", field("type"), rank=2),
    Column("Versions", listed("versions"), is_free=True),
    Column("Labels", listed("labels"), is_free=True),
    Column("Tags", listed("tags"), is_free=True, rank=3),
    time_column("Updated", "lastUpdatedAt", rank=1),
)
DATASETS = (
    Column("Name", field("name"), style="bold", is_free=True),
    Column("Description", field("description"), style="dim", is_free=True, rank=2),
    time_column("Updated", "updatedAt", rank=1),
    id_column("ID", "id"),
)


def columns_of(rows: Sequence[Json]) -> tuple[Column, ...]:
    """Columns for rows of any shape: every key that appears, in order of appearance; numbers and ids stay whole."""
    keys = dict.fromkeys(key for row in rows for key in row)
    numeric = {key for key in keys if all(isinstance(row.get(key), int | float | None) for row in rows)}
    return tuple(
        Column(preview(key), field(key), is_number=key in numeric, is_free=key not in numeric and not _is_id(key))
        for key in keys
    )


def _is_id(key: str) -> bool:
    return key == "id" or key.endswith("Id")


def trace_tree(trace: Json, media: Mapping[str, Json] | None = None) -> Tree:
    """One trace: what is said of it, its observations as a tree with their messages and files, and its scores."""
    from rich.tree import Tree

    observations = trace["observations"]
    tree = Tree(_line((preview(trace.get("name")) or "(no name)", "bold"), "  ", (trace["id"], "cyan")))
    tree.add(_line((_trace_facts(trace), "dim")))
    _add_media(tree, trace, media or {})
    _add_texts(tree, {side: trace.get(side) for side in SIDES if not _is_among(observations, side, trace)}, set())
    _add_observations(tree, observations, media or {})
    for score in trace.get("scores") or ():
        value = preview(score.get("stringValue") or score.get("value"))
        tree.add(_line("score ", (preview(score["name"]), "bold"), f" {value}  {preview(score.get('comment'))}"))
    return tree


def _add_observations(tree: Tree, observations: Sequence[Json], media: Mapping[str, Json]) -> None:
    """Below their parents, siblings by their start; of those that are each other's parents, the first is a root."""
    entries = sorted(observations, key=lambda entry: (entry["startTime"], entry["id"]))
    known = {entry["id"] for entry in entries}
    children: dict[str | None, list[Json]] = {}
    for entry in entries:
        parent = entry.get("parentObservationId")
        children.setdefault(parent if parent in known else None, []).append(entry)
    drawn: set[str] = set()
    said: set[tuple[str, str]] = set()
    waiting = [(tree, entry) for entry in reversed([*children.get(None, ()), *entries])]
    while waiting:
        branch, entry = waiting.pop()
        if entry["id"] in drawn:
            continue
        drawn.add(entry["id"])
        line = branch.add(_observation_line(entry))
        _add_media(line, entry, media)
        _add_texts(line, entry, said)
        waiting += [(line, child) for child in reversed(children.get(entry["id"], ()))]


def _add_media(branch: Tree, one: Json, media: Mapping[str, Json]) -> None:
    for where, media_id in media_in(one):
        if found := media.get(media_id):
            branch.add(_line("media ", (f"{where} {_media_facts(found)}  ", "dim"), (media_id, "cyan")))


def _is_among(observations: Sequence[Json], side: str, trace: Json) -> bool:
    return any(entry.get(side) == trace.get(side) for entry in observations)


def _add_texts(branch: Tree, one: Json, said: set[tuple[str, str]]) -> None:
    """Its input and output; of a chat each message, but for those of an input that were said before."""
    for side in SIDES:
        value = one.get(side)
        if value is None or value == "":
            continue
        messages = [(message.role, full_text(message)) for message in parse_messages(value) or ()]
        new = [message for message in messages if side == "output" or message not in said]
        if len(new) < len(messages):
            branch.add(_line((f"{side}  {len(messages) - len(new)} of {len(messages)} messages stand above", "dim")))
        if not messages:
            new = [("", readable(value) if isinstance(value, str) else preview(value))]
        for role, text in new:
            line = _line((f"{side} {role}".rstrip(), "dim"), "  ")
            branch.add(line.append(printable(_cut(text), "\n")))
        said.update(messages)


def _cut(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}… ({len(text):,} characters; --json shows all)"


def media_lines(media: Mapping[str, Json]) -> list[str]:
    """Where each file can be opened; not for a table, which would break the links."""
    return [printable(f"{media_id}  {_media_facts(found)}  {found['url']}") for media_id, found in media.items()]


def _media_facts(found: Json) -> str:
    return f"{found['contentType']}, {_size(found['contentLength'])}"


def _size(number: int) -> str:
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= limit:
            return f"{number / limit:.3g} {unit}"
    return f"{number} B"


def _trace_facts(trace: Json) -> str:
    facts = {
        "time": moment(trace.get("timestamp")),
        "latency": duration(trace.get("latency")),
        "cost": usd(trace.get("totalCost")),
        "user": preview(trace.get("userId")),
        "session": preview(trace.get("sessionId")),
        "tags": listed("tags")(trace),
        "environment": preview(trace.get("environment")),
    }
    return "  ".join(f"{name} {value}" for name, value in facts.items() if value)


def _observation_line(entry: Json) -> Text:
    is_error = entry.get("level") == "ERROR"
    figures = [
        preview(entry.get("model")),
        between(entry.get("startTime"), entry.get("endTime")),
        f"{total} tok" if (total := tokens(entry)) else "",
        usd(entry.get("calculatedTotalCost")),
        entry["level"] if entry.get("level") in ("ERROR", "WARNING") else "",
        preview(entry.get("statusMessage")),
    ]
    return _line(
        (str(entry["type"]).lower(), "dim"),
        " ",
        (preview(entry.get("name")) or "(no name)", "bold red" if is_error else "bold"),
        "  ",
        "  ".join(figure for figure in figures if figure),
    )


def _line(*pieces: str | tuple[str, str]) -> Text:
    """Styled text of pieces, each with its style or without, that leaves nothing for the terminal to obey."""
    from rich.text import Text

    return Text.assemble(
        *(printable(piece) if isinstance(piece, str) else (printable(piece[0]), piece[1]) for piece in pieces)
    )
