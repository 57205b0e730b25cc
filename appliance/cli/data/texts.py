"""Values as short texts for people: times, durations, costs, tokens, and previews of anything."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from msgspec import UNSET

from appliance.api_types.observations import ApiObservation
from appliance.api_types.scores import ApiScore
from appliance.model import format
from appliance.model.media import readable
from appliance.model.messages import summary
from appliance.model.printable import on_one_line


def duration(seconds: object) -> str:
    """Seconds for people; empty for nothing."""
    return format.duration(seconds) if isinstance(seconds, int | float) else ""


def usd(amount: object) -> str:
    """US dollars with enough places to tell small amounts apart; empty for nothing or zero."""
    return format.full_cost(amount) if isinstance(amount, int | float) else ""


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
    """The same in at most ten characters."""
    if (time := _time(text)) is None:
        return preview(text)
    return format.clock(time, now or datetime.now().astimezone())


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
