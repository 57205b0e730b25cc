"""Values as short texts for people: times, durations, costs, tokens, and previews of anything."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import UNSET

from appliance.api_types.observations import ApiObservation
from appliance.api_types.scores import ApiScore
from appliance.model.media import readable
from appliance.model.messages import summary
from appliance.model.printable import on_one_line


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


def tokens(observation: ApiObservation) -> str:
    """The total of an observation's usage, with ≈ where the server counted it; empty for nothing."""
    total = (observation.usage_details or {}).get("total")
    return f"{'≈' if observation.usage_estimated else ''}{total:,}" if total else ""


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
    if value is None or value is UNSET:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return on_one_line(readable(text))


def words(values: Iterable[object] | None) -> str:
    """A list of words on one line."""
    return preview(", ".join(str(value) for value in values or ()))


def last_message(value: object) -> str:
    """On one line what the last message of a chat says, or any other value."""
    return on_one_line(summary(value)) or preview(value)


def score_value(score: ApiScore) -> str:
    """The text of a score, or its number."""
    return preview(score.string_value or score.value)


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
