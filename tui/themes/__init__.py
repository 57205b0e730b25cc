"""Our own themes; every theme of Textual can be chosen besides."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="midnight",
    primary="#8ab4f8",
    secondary="#c58af9",
    accent="#8ab4f8",
    warning="#e5b567",
    error="#f07178",
    success="#7fc98f",
    foreground="#d5d9e2",
    background="#0e1117",
    surface="#141821",
    panel="#1c212c",
    dark=True,
    variables={
        "series-1": "#8ab4f8",
        "series-2": "#c58af9",
        "series-3": "#e5b567",
        "series-4": "#8fd19e",
        "series-5": "#78d3d0",
        "series-6": "#f28b9c",
        "border": "#2a3140",
        "scrollbar": "#2a3140",
        "scrollbar-background": "#0e1117",
        "scrollbar-background-hover": "#0e1117",
        "scrollbar-background-active": "#0e1117",
        "scrollbar-hover": "#3a4358",
        "scrollbar-active": "#8ab4f8",
        "scrollbar-corner-color": "#0e1117",
    },
)

LIGHT: Final = Theme(
    name="daylight",
    primary="#1a5fb4",
    secondary="#813d9c",
    accent="#1a5fb4",
    warning="#9c6a00",
    error="#b3261e",
    success="#1e7d3c",
    foreground="#1d2430",
    background="#fbfbfa",
    surface="#f2f2f0",
    panel="#e6e6e3",
    dark=False,
    variables={
        "series-1": "#1a5fb4",
        "series-2": "#813d9c",
        "series-3": "#9c6a00",
        "series-4": "#1e7d3c",
        "series-5": "#0b7a75",
        "series-6": "#b3405a",
        "border": "#cfcfca",
        "scrollbar": "#cfcfca",
        "scrollbar-background": "#fbfbfa",
        "scrollbar-background-hover": "#fbfbfa",
        "scrollbar-background-active": "#fbfbfa",
        "scrollbar-hover": "#a9a9a3",
        "scrollbar-active": "#1a5fb4",
        "scrollbar-corner-color": "#fbfbfa",
    },
)

SIXTEEN: Final = Theme(
    name="sixteen",
    primary="#55ffff",
    secondary="#ff55ff",
    accent="#55ffff",
    warning="#ffff55",
    error="#ff5555",
    success="#55ff55",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    variables={
        "muted": "#aaaaaa",
        "faint": "#555555",
        "cursor": "#0000aa",
        "series-1": "#55ffff",
        "series-2": "#ff55ff",
        "series-3": "#ffff55",
        "series-4": "#55ff55",
        "series-5": "#00aaaa",
        "series-6": "#ff5555",
        "border": "#555555",
        "scrollbar": "#555555",
        "scrollbar-background": "#000000",
        "scrollbar-corner-color": "#000000",
    },
)
"""Made of the sixteen colours that every terminal has."""

THEMES: Final = (DARK, LIGHT, SIXTEEN)
