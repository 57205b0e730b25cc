"""The few colours of the screens, taken from the theme, and the icon of each observation type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

ICONS: Final = {
    "TRACE": "◇",
    "SPAN": "▪",
    "EVENT": "•",
    "GENERATION": "✦",
    "AGENT": "◆",
    "TOOL": "ƒ",
    "CHAIN": "≡",
    "RETRIEVER": "◎",
    "EVALUATOR": "✓",
    "EMBEDDING": "#",
    "GUARDRAIL": "⊘",
}


class Palette(msgspec.Struct, frozen=True):
    """Colours by meaning, each a Rich colour name or #rrggbb."""

    text: str
    muted: str
    faint: str
    accent: str
    good: str
    warn: str
    bad: str
    background: str
    surface: str
    panel: str
    cursor: str
    series: tuple[str, ...]

    def level(self, level: str) -> str:
        """The colour of an observation's level."""
        return {"ERROR": self.bad, "WARNING": self.warn, "DEBUG": self.faint}.get(level, self.accent)

    def kind(self, kind: str) -> str:
        """The colour of an observation type."""
        order = {"GENERATION": 0, "AGENT": 1, "TOOL": 2, "RETRIEVER": 3, "EMBEDDING": 3, "CHAIN": 4, "EVALUATOR": 5}
        return self.series[order[kind]] if kind in order else self.muted

    def role(self, role: str) -> str:
        """The colour of a chat role."""
        order = {"assistant": 0, "ai": 0, "model": 0, "tool": 2, "function": 2, "user": 3, "human": 3, "system": 4}
        return self.series[order[role]] if role in order else self.muted

    def state(self, state: str, healthy: bool) -> str:
        """The colour of a service's state."""
        if state in ("starting", "stopping"):
            return self.warn
        if state in ("stopped",):
            return self.faint
        return self.good if healthy else self.bad


def palette_of(variables: Mapping[str, str]) -> Palette:
    """The palette of a Textual theme, from its CSS variables."""
    text = _plain(variables, "foreground", "#e0e0e0")
    background = _plain(variables, "background", "#121212")
    accent = _plain(variables, "primary", "#7aa2f7")
    good, warn, bad = (_plain(variables, name, other) for name, other in _STATES)
    series = tuple(_plain(variables, f"series-{i}", other) for i, other in enumerate(_SERIES, 1))
    return Palette(
        text=text,
        muted=_plain(variables, "muted", _blend(text, background, 0.42)),
        faint=_plain(variables, "faint", _blend(text, background, 0.58)),
        accent=accent,
        good=good,
        warn=warn,
        bad=bad,
        background=background,
        surface=_plain(variables, "surface", "#1e1e1e"),
        panel=_plain(variables, "panel", "#2a2a2a"),
        cursor=_plain(variables, "cursor", _blend(accent, background, 0.72)),
        series=series,
    )


_STATES = (("success", "#7fc98f"), ("warning", "#e5b567"), ("error", "#e06c75"))
_SERIES = ("#8ab4f8", "#c58af9", "#e5b567", "#7fc98f", "#78d3d0", "#f28b9c")


def _plain(variables: Mapping[str, str], name: str, default: str) -> str:
    value = variables.get(name, default)
    return value[:7] if value.startswith("#") else default


def _blend(front: str, back: str, share: float) -> str:
    """`share` of the way from one colour to the other."""
    pairs = zip(_rgb(front), _rgb(back), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _rgb(color: str) -> tuple[int, int, int]:
    digits = color.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
