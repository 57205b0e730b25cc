"""How the commands and the terminal UI write numbers, times and texts: pure functions from values to short strings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from appliance.model.media import readable
from appliance.model.messages import summary

MISSING = "–"
PREVIEW_CHARS = 240
_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def duration(seconds: float | None) -> str:
    """`340 ms`, `1.24 s`, `2m 05s`, `3h 10m`."""
    if seconds is None:
        return MISSING
    if seconds < 0.0005:
        return "0 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes:02}m" if hours < 48 else f"{hours // 24}d {hours % 24:02}h"


def count(value: float | None) -> str:
    """`7`, `940`, `3.4k`, `12.0M`."""
    if value is None:
        return MISSING
    for size, unit in _UNITS:
        if value >= size * 0.99995:
            scaled = value / size
            return f"{scaled:.0f}{unit}" if scaled >= 99.95 else f"{scaled:.1f}{unit}"
    return f"{value:.0f}"


def counted(number: int, noun: str) -> str:
    """`1 trace`, `940 traces`, `3.4k traces`."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def cost(usd: float | None) -> str:
    """`<$0.0001`, `$0.00045`, `$0.0042`, `$0.120`, `$1.20`, `$1.3k`."""
    if usd is None:
        return MISSING
    if usd == 0:
        return "$0"
    if usd < 0.0001:
        return "<$0.0001"
    if usd < 0.001:
        return f"${usd:.5f}"
    if usd < 0.01:
        return f"${usd:.4f}"
    if usd < 1:
        return f"${usd:.3f}"
    return f"${usd:.2f}" if usd < 1000 else f"${count(usd)}"


def full_cost(usd: float | None) -> str:
    """US dollars with every digit that tells small costs apart: `$0.00000012`, `$0.1234`, `$1300.00`; "" for zero."""
    if not usd:
        return ""
    if usd >= 0.0001:
        return f"${usd:.{2 if usd >= 1 else 4 if usd >= 0.001 else 5}f}"
    return "$" + f"{usd:.10f}".rstrip("0").rstrip(".")


def size(number: float | None) -> str:
    """Bytes as `512 B`, `3.4 MB`, `1.2 GB`."""
    if number is None:
        return MISSING
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= limit:
            return f"{number / limit:.1f} {unit}" if number < 100 * limit else f"{number / limit:.0f} {unit}"
    return f"{number:.0f} B"


def percent(ratio: float | None) -> str:
    """A share as `0.4 %`."""
    if ratio is None:
        return MISSING
    value = ratio * 100
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.1f} %"


def change(now: float | None, before: float | None) -> str:
    """The change against the period before as `▲ 12 %`, `▼ 3 %`, `=`; empty when it says nothing."""
    if now is None or not before:
        return ""
    ratio = now / before - 1
    if abs(ratio) < 0.005:
        return "="
    arrow = "▲" if ratio > 0 else "▼"
    return f"{arrow} {abs(ratio) * 100:.0f} %" if abs(ratio) < 10 else f"{arrow} {abs(ratio) + 1:.0f}×"


def clock(moment: datetime, now: datetime) -> str:
    """Local time: `14:03:22` today, `Mon 14:03` within a week, `2026-11-02` before."""
    local, today = moment.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M:%S}"
    if timedelta(0) < today - local < timedelta(days=6):
        return f"{local:%a %H:%M}"
    return f"{local:%Y-%m-%d}"


def absolute(moment: datetime) -> str:
    """Local time with date, milliseconds and offset."""
    local = moment.astimezone()
    return f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 1000:03} {local:%z}"


def ago(seconds: float | None) -> str:
    """An age in its largest unit: `12s`, `4m`, `3h`, `2d`."""
    if seconds is None:
        return MISSING
    for limit, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= limit:
            return f"{seconds / limit:.0f}{unit}"
    return f"{max(seconds, 0):.0f}s"


def one_line(text: str) -> str:
    """Text on one line, its white space squeezed and control characters gone."""
    return " ".join(readable(text[: PREVIEW_CHARS * 4]).split())[:PREVIEW_CHARS]


def preview(value: Any) -> str:
    """One line that says what an input or output holds: the last message of a chat, a text, or compact JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return _preview_mapping(value)
    if (
        isinstance(value, list)
        and value
        and isinstance(value[-1], dict)
        and ("content" in value[-1] or "parts" in value[-1])
    ):
        return preview(value[-1])
    return one_line(summary(value) or _compact(value))


def _preview_mapping(value: dict[str, Any]) -> str:
    for key in ("messages", "content", "text", "parts", "contents"):
        if value.get(key):
            return preview(value[key])
    if calls := value.get("tool_calls"):
        names = [str((call.get("function") or call).get("name", "tool")) for call in calls if isinstance(call, dict)]
        return "→ " + ", ".join(names)
    if len(value) == 1 and isinstance(only := next(iter(value.values())), str):
        return one_line(only)
    return one_line(_compact(value))


def _compact(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "), default=str)


def short_id(identity: str) -> str:
    """The first eight characters of an id."""
    return identity[:8]
