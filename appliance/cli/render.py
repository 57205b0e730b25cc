"""Tables and trees on the terminal: pure functions from the API's answers to text; rich draws them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from appliance.cli.media import media_in
from appliance.model.media import readable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.tree import Tree

Json = Mapping[str, Any]
WIDE = 200
"""Columns of a table that is not shown on a terminal."""
GAP = 2
NARROWEST = 6
"""To what a free text may be cut."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its title, and what of a row it shows."""

    title: str
    text: Callable[[Json], str]
    is_number: bool = False
    style: str = ""
    is_free: bool = False
    """Whether it is free text, which may be cut where the terminal is narrow."""
    is_optional: bool = False
    """Whether it is left out where the terminal is too narrow for all columns; the last one goes first."""


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
    """An ISO time in the local zone, to the second."""
    if not isinstance(text, str) or not text:
        return ""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def preview(value: object) -> str:
    """Any value on one line."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(readable(text).split())


def between(start: object, end: object) -> str:
    """The time from one ISO moment to another; empty when one is missing."""
    if not isinstance(start, str) or not isinstance(end, str):
        return ""
    return duration((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())


def field(name: str) -> Callable[[Json], str]:
    """A column's text straight from a field."""
    return lambda row: preview(row.get(name))


def time_of(name: str) -> Callable[[Json], str]:
    """A column's text from a field that holds a time."""
    return lambda row: moment(row.get(name))


def listed(name: str) -> Callable[[Json], str]:
    """A column's text from a field that holds a list of words."""
    return lambda row: ", ".join(str(word) for word in row.get(name) or ())


def counted(name: str) -> Callable[[Json], str]:
    """A column's text: how many items a field holds."""
    return lambda row: str(len(row.get(name) or ()))


TRACES = (
    Column("Time", time_of("timestamp")),
    Column("Name", field("name"), style="bold", is_free=True),
    Column("Input", field("input"), style="dim", is_free=True, is_optional=True),
    Column("User", field("userId"), is_free=True, is_optional=True),
    Column("Latency", lambda row: duration(row.get("latency")), is_number=True),
    Column("Cost", lambda row: usd(row.get("totalCost")), is_number=True),
    Column("Obs", counted("observations"), is_number=True, is_optional=True),
    Column("Tags", listed("tags"), is_free=True, is_optional=True),
    Column("ID", field("id"), style="cyan"),
)
SESSIONS = (
    Column("Created", time_of("createdAt")),
    Column("ID", field("id"), style="cyan"),
    Column("Environment", field("environment")),
)
OBSERVATIONS = (
    Column("Time", time_of("startTime")),
    Column("Type", field("type")),
    Column("Name", field("name"), style="bold", is_free=True),
    Column("Model", field("model"), is_free=True),
    Column("Latency", lambda row: between(row.get("startTime"), row.get("endTime")), is_number=True),
    Column("Tokens", tokens, is_number=True),
    Column("Cost", lambda row: usd(row.get("calculatedTotalCost")), is_number=True),
    Column("Level", field("level"), is_optional=True),
    Column("ID", field("id"), style="cyan"),
    Column("Trace", field("traceId"), style="cyan", is_optional=True),
)
SCORES = (
    Column("Time", time_of("timestamp")),
    Column("Name", field("name"), style="bold", is_free=True),
    Column("Value", lambda row: preview(row.get("stringValue") or row.get("value")), is_number=True),
    Column("Source", field("source"), is_optional=True),
    Column("Comment", field("comment"), style="dim", is_free=True),
    Column("Trace", field("traceId"), style="cyan", is_optional=True),
    Column("Observation", field("observationId"), style="cyan", is_optional=True),
)
PROMPTS = (
    Column("Name", field("name"), style="bold", is_free=True),
    Column("Type", field("type")),
    Column("Versions", listed("versions"), is_free=True),
    Column("Labels", listed("labels"), is_free=True),
    Column("Tags", listed("tags"), is_free=True, is_optional=True),
    Column("Updated", time_of("lastUpdatedAt")),
)
DATASETS = (
    Column("Name", field("name"), style="bold", is_free=True),
    Column("Description", field("description"), style="dim", is_free=True),
    Column("Updated", time_of("updatedAt")),
    Column("ID", field("id"), style="cyan"),
)


def columns_of(rows: Sequence[Json]) -> tuple[Column, ...]:
    """Columns for rows of any shape: every key that appears, in order of appearance."""
    keys = dict.fromkeys(key for row in rows for key in row)
    numeric = {key for key in keys if all(isinstance(row.get(key), int | float | None) for row in rows)}
    return tuple(Column(key, field(key), is_number=key in numeric) for key in keys)


def fitted(columns: Sequence[Column], widths: Sequence[int], available: int) -> dict[Column, int]:
    """The columns that fit into `available` characters, with their widths; free texts are cut, the widest first."""
    chosen = dict(zip(columns, widths, strict=True))
    least = {column: min(width, NARROWEST) if column.is_free else width for column, width in chosen.items()}
    for column in reversed(columns):
        if column.is_optional and _with_gaps(least.values()) > available:
            del chosen[column], least[column]
    while (excess := _with_gaps(chosen.values()) - available) > 0:
        cuttable = {column: width for column, width in chosen.items() if width > least[column]}
        if not cuttable:
            break
        widest = max(cuttable, key=lambda column: cuttable[column])
        others = [width for column, width in cuttable.items() if column is not widest]
        floor = max(least[widest], max(others, default=0) - 1)
        chosen[widest] = max(floor, chosen[widest] - excess)
    return chosen


def _with_gaps(widths: Iterable[int]) -> int:
    listed_widths = list(widths)
    return sum(listed_widths) + GAP * (len(listed_widths) - 1)


def table(rows: Sequence[Json], columns: Sequence[Column], width: int) -> RenderableType:
    """The rows as a table of at most `width` characters, one line each."""
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    texts = [{column: column.text(row) for column in columns} for row in rows]
    needed = [max([len(column.title), *(cell_len(text[column]) for text in texts)]) for column in columns]
    shown = fitted(columns, needed, width)
    drawn = Table(box=None, header_style="bold", pad_edge=False, padding=(0, GAP, 0, 0), collapse_padding=True)
    for column, wide in shown.items():
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        drawn.add_column(
            column.title, justify=justify, style=column.style, no_wrap=True, overflow="ellipsis", width=wide
        )
    for text in texts:
        drawn.add_row(*(Text(text[column]) for column in shown))
    return drawn


def trace_tree(trace: Json, media: Mapping[str, Json] | None = None) -> Tree:
    """One trace: what is said of it, its observations as a tree with the files they refer to, and its scores."""
    from rich.text import Text
    from rich.tree import Tree

    tree = Tree(Text.assemble((trace.get("name") or "(no name)", "bold"), "  ", (trace["id"], "cyan")))
    tree.add(Text(_trace_facts(trace), style="dim"))
    _add_media(tree, trace, media or {})
    _add_observations(tree, trace["observations"], media or {})
    for score in trace.get("scores") or ():
        value = preview(score.get("stringValue") or score.get("value"))
        tree.add(Text.assemble("score ", (str(score["name"]), "bold"), f" {value}  {preview(score.get('comment'))}"))
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
    waiting = [(tree, entry) for entry in reversed([*children.get(None, ()), *entries])]
    while waiting:
        branch, entry = waiting.pop()
        if entry["id"] in drawn:
            continue
        drawn.add(entry["id"])
        line = branch.add(_observation_line(entry))
        _add_media(line, entry, media)
        waiting += [(line, child) for child in reversed(children.get(entry["id"], ()))]


def _add_media(branch: Tree, one: Json, media: Mapping[str, Json]) -> None:
    from rich.text import Text

    for where, media_id in media_in(one):
        if found := media.get(media_id):
            branch.add(Text.assemble("media ", (f"{where} {_media_facts(found)}  ", "dim"), (media_id, "cyan")))


def media_lines(media: Mapping[str, Json]) -> list[str]:
    """Where each file can be opened; not for a table, which would break the links."""
    return [f"{media_id}  {_media_facts(found)}  {found['url']}" for media_id, found in media.items()]


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
        "tags": ", ".join(trace.get("tags") or ()),
        "environment": preview(trace.get("environment")),
    }
    return "  ".join(f"{name} {value}" for name, value in facts.items() if value)


def _observation_line(entry: Json) -> RenderableType:
    from rich.text import Text

    is_error = entry.get("level") == "ERROR"
    figures = [
        preview(entry.get("model")),
        between(entry.get("startTime"), entry.get("endTime")),
        f"{total} tok" if (total := tokens(entry)) else "",
        usd(entry.get("calculatedTotalCost")),
        entry["level"] if entry.get("level") in ("ERROR", "WARNING") else "",
        preview(entry.get("statusMessage")),
    ]
    return Text.assemble(
        (str(entry["type"]).lower(), "dim"),
        " ",
        (entry.get("name") or "(no name)", "bold red" if is_error else "bold"),
        "  ",
        "  ".join(figure for figure in figures if figure),
    )


def console() -> Console:
    """Standard output; wide and without colour when it is not a terminal."""
    import sys

    from rich.console import Console

    return Console(highlight=False, soft_wrap=False, width=None if sys.stdout.isatty() else WIDE)
