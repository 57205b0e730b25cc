"""The columns of the trace list and what stands in them; pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from appliance.model import format
from tui.model.records import TraceExtras, TraceRow, score_text
from tui.text.cells import Cell, Column
from tui.text.palette import Palette

COLUMNS: Final = (
    Column("time", "Time", 10, rank=0, order="timestamp"),
    Column("name", "Name", 18, flex=2, rank=0, order="name"),
    Column("input", "Input", 20, flex=4, rank=5),
    Column("output", "Output", 20, flex=4, rank=7),
    Column("latency", "Latency", 9, "right", rank=1, order="latency"),
    Column("tokens", "Tokens", 7, "right", rank=3),
    Column("cost", "Cost", 8, "right", rank=2, order="totalCost"),
    Column("levels", "Obs", 9, "right", rank=4),
    Column("scores", "Scores", 14, flex=1, rank=8),
    Column("user", "User", 10, flex=1, rank=6, order="userId"),
    Column("session", "Session", 10, flex=1, rank=9, order="sessionId"),
    Column("tags", "Tags", 10, flex=1, rank=10),
    Column("env", "Env", 10, rank=11),
)

ORDERS: Final = (
    ("timestamp.desc", "newest first"),
    ("timestamp.asc", "oldest first"),
    ("latency.desc", "slowest first"),
    ("totalCost.desc", "most expensive first"),
    ("name.asc", "name, A to Z"),
    ("name.desc", "name, Z to A"),
    ("userId.asc", "user, A to Z"),
    ("sessionId.asc", "session, A to Z"),
)


def trace_cells(row: TraceRow, now: datetime, palette: Palette) -> dict[str, Cell]:
    """The cells of one trace."""
    extras = row.extras
    failed = bool(extras and extras.levels.get("ERROR"))
    name = row.name or "unnamed"
    return {
        "time": [(format.clock(row.timestamp, now), palette.muted)],
        "name": [("★ " if row.bookmarked else "", palette.warn), (name, palette.bad if failed else palette.text)],
        "input": [(row.input, palette.muted)],
        "output": [(row.output, palette.muted)],
        "latency": [(format.duration(row.latency), palette.text if row.latency else palette.faint)],
        "tokens": [(format.count(extras.tokens) if extras and extras.tokens else "", palette.text)],
        "cost": [(format.cost(row.cost) if row.cost else "", palette.text)],
        "levels": _levels(row, extras, palette),
        "scores": _scores(extras, palette),
        "user": [(row.user, palette.muted)],
        "session": [(row.session, palette.muted)],
        "tags": [(" ".join(row.tags), palette.series[4])],
        "env": [("" if row.environment == "default" else row.environment, palette.faint)],
    }


def _levels(row: TraceRow, extras: TraceExtras | None, palette: Palette) -> Cell:
    total = sum(extras.levels.values()) if extras and extras.levels else row.observation_count
    pieces = []
    if extras and (errors := extras.levels.get("ERROR", 0)):
        pieces.append((f"{format.count(errors)}✗ ", palette.bad))
    if extras and (warnings := extras.levels.get("WARNING", 0)):
        pieces.append((f"{format.count(warnings)}! ", palette.warn))
    return [*pieces, (format.count(total), palette.muted)]


def _scores(extras: TraceExtras | None, palette: Palette) -> Cell:
    if extras is None or not extras.scores:
        return [("", "")]
    pieces: list[tuple[str, str]] = []
    for score in extras.scores:
        pieces += [(f"{score.name} ", palette.faint), (f"{score_text(score)}  ", palette.series[2])]
    return pieces
