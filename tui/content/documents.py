"""Turns values into lines of styled text for the document view: chats, JSON that folds, key-value lists; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from rich.cells import cell_len
from rich.text import Text

from appliance.api_types.scores import ApiScore
from appliance.model.media import readable
from appliance.model.messages import Message, Part, parse_messages
from tui.model.records import score_text
from tui.text.cells import fit
from tui.text.palette import Palette

LONGEST_TEXT: Final = 200_000
"""Characters of one text that are laid out, as wrapping takes time; the editor opens the whole text."""
LONGEST_STRING: Final = 20_000
"""Characters of one JSON string that are shown."""


class Line(msgspec.Struct, frozen=True):
    """One logical line; a line with a key can be folded."""

    text: Text
    indent: int = 0
    """Cells by which its wrapped continuation is indented."""
    key: str = ""
    lead: Text | None = None
    """Shown before each of its rows, also wrapped ones."""


def blank() -> Line:
    return Line(Text())


def heading(title: str, palette: Palette, note: str = "") -> Line:
    """A section title."""
    text = Text(title.upper(), style=f"bold {palette.muted}")
    if note:
        text.append(f"  {note}", style=f"not bold {palette.faint}")
    return Line(text)


def value_lines(value: Any, palette: Palette) -> list[Line]:
    """A value in its best form: chat, text, or JSON."""
    if value is None or value == "":
        return [Line(Text("nothing", style=f"italic {palette.faint}"))]
    if messages := parse_messages(value):
        return chat_lines(messages, palette)
    if isinstance(value, str):
        return markdown_lines(value, palette)
    if isinstance(value, dict) and len(value) == 1 and isinstance(only := next(iter(value.values())), str):
        return markdown_lines(only, palette)
    return json_lines(value, palette, set())


def chat_lines(messages: Sequence[Message], palette: Palette) -> list[Line]:
    """Messages, each under its role."""
    lines: list[Line] = []
    for message in messages:
        color = palette.role(message.role)
        lead = Text("▌ ", style=color)
        lines.append(Line(Text(message.role, style=f"bold {color}"), lead=lead))
        for part in message.parts:
            lines += [Line(line.text, line.indent, lead=lead) for line in _part_lines(part, palette)]
        lines.append(blank())
    return lines[:-1]


def _part_lines(part: Part, palette: Palette) -> list[Line]:
    if part.kind == "text":
        return markdown_lines(part.text, palette)
    if part.kind == "media":
        return [Line(Text.assemble((f"[{part.title}] ", palette.warn), (part.text, palette.muted)))]
    if part.kind == "thinking":
        lines = [Line(Text("thinking", style=f"italic {palette.faint}"))]
        return lines + [Line(Text(row, style=f"italic {palette.muted}")) for row in _cut(part.text).splitlines()]
    if part.kind == "json":
        return [Line(Text(row, style=palette.muted)) for row in _cut(part.text).splitlines()]
    mark = "→ " if part.kind == "call" else "← "
    lines = [Line(Text.assemble((mark, palette.series[2]), (part.title or part.kind, f"bold {palette.series[2]}")))]
    return lines + [Line(Text("  " + row, style=palette.muted), 2) for row in _cut(part.text).splitlines()]


_INLINE = re.compile(r"(\*\*[^*\n]+\*\*|`[^`\n]+`|\*[^*\s][^*\n]*\*)")


def markdown_lines(source: str, palette: Palette) -> list[Line]:
    """Text with the light part of Markdown shown: headings, bullets, emphasis, code; everything else as it is."""
    lines: list[Line] = []
    fenced = False
    for row in _cut(readable(source)).splitlines() or [""]:
        bare = row.lstrip()
        if bare.startswith("```"):
            fenced = not fenced
            lines.append(Line(Text(row, style=palette.faint)))
        elif fenced:
            lines.append(Line(Text(row, style=palette.series[4]), len(row) - len(bare)))
        elif re.match(r"#{1,6} ", bare):
            lines.append(Line(Text(bare.lstrip("# "), style=f"bold {palette.accent}")))
        else:
            hang = len(row) - len(bare) + (2 if re.match(r"([-*+]|\d+[.)]) ", bare) else 0)
            lines.append(Line(_inline(row, palette), hang))
    return lines


def _inline(row: str, palette: Palette) -> Text:
    text = Text(style=palette.text)
    for piece in _INLINE.split(row):
        if piece.startswith("**") and piece.endswith("**") and len(piece) > 4:
            text.append(piece[2:-2], style="bold")
        elif piece.startswith("`") and piece.endswith("`") and len(piece) > 2:
            text.append(piece[1:-1], style=palette.series[4])
        elif piece.startswith("*") and piece.endswith("*") and len(piece) > 2:
            text.append(piece[1:-1], style="italic")
        else:
            text.append(piece)
    return text


def json_lines(value: Any, palette: Palette, folded: set[str]) -> list[Line]:
    """Pretty JSON; objects and lists carry their path as key, and show as one line when that is in `folded`."""
    lines: list[Line] = []
    _json_value(value, "$", Text(), "", 0, palette, folded, lines)
    return lines


def foldable_keys(value: Any, path: str = "$") -> Iterable[str]:
    """The paths of every object and list in a value, outermost first."""
    children: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    if isinstance(value, dict | list) and value:
        yield path
        for key, item in children:
            yield from foldable_keys(item, f"{path}.{key}")


def _json_value(
    value: Any, path: str, lead: Text, tail: str, depth: int, palette: Palette, folded: set[str], lines: list[Line]
) -> None:
    pad = "  " * depth
    opening = Text(pad).append_text(lead)
    if not isinstance(value, dict | list) or not value:
        opening.append_text(_scalar(value, palette)).append(tail, style=palette.faint)
        lines.append(Line(opening, 2 * depth + 2))
        return
    left, right = "{}" if isinstance(value, dict) else "[]"
    if path in folded:
        noun = "keys" if isinstance(value, dict) else "items"
        opening.append(f"{left} … {right}{tail}", style=palette.faint)
        opening.append(f"  {len(value)} {noun}", style=f"italic {palette.faint}")
        lines.append(Line(opening, 2 * depth, path))
        return
    lines.append(Line(opening.append(left, style=palette.faint), 2 * depth, path))
    pairs: list[tuple[Any, Any]] = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    for index, (key, item) in enumerate(pairs):
        name = Text()
        if isinstance(value, dict):
            name.append(json.dumps(str(key), ensure_ascii=False), style=palette.accent).append(
                ": ", style=palette.faint
            )
        comma = "," if index < len(pairs) - 1 else ""
        _json_value(item, f"{path}.{key}", name, comma, depth + 1, palette, folded, lines)
    lines.append(Line(Text(pad + right + tail, style=palette.faint)))


def _scalar(value: Any, palette: Palette) -> Text:
    if isinstance(value, str):
        text = value if len(value) <= LONGEST_STRING else value[:LONGEST_STRING] + f"… {len(value):,} characters"
        return Text(json.dumps(text, ensure_ascii=False), style=palette.series[3])
    if value is None or isinstance(value, bool):
        return Text(json.dumps(value), style=palette.series[1])
    if isinstance(value, int | float):
        return Text(json.dumps(value), style=palette.series[2])
    return Text(json.dumps(value, default=str), style=palette.faint)


def pair_lines(pairs: Mapping[str, Any], palette: Palette) -> list[Line]:
    """Names and values in two columns; empty values are left out."""
    filled = {key: value for key, value in pairs.items() if value not in (None, "", [], {})}
    width = min(max((cell_len(key) for key in filled), default=0), 24) + 2
    lines: list[Line] = []
    for key, value in filled.items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
        lines.append(Line(Text.assemble((fit(key, width), palette.muted), (_cut(text), palette.text)), width))
    return lines


def score_lines(scores: Sequence[ApiScore], palette: Palette) -> list[Line]:
    """Scores with value, source and comment."""
    if not scores:
        return [Line(Text("no scores", style=f"italic {palette.faint}"))]
    width = min(max(cell_len(score.name) for score in scores), 28) + 2
    lines: list[Line] = []
    for score in sorted(scores, key=lambda one: one.name):
        lines.append(
            Line(
                Text.assemble(
                    (fit(score.name, width), palette.text),
                    (fit(score_text(score), 12, "right"), f"bold {palette.series[2]}"),
                    (f"  {score.data_type.lower()} · {score.source.lower()}", palette.faint),
                )
            )
        )
        if score.comment:
            lines.append(Line(Text(" " * width + score.comment, style=f"italic {palette.muted}"), width))
    return lines


def _cut(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return text
    return f"{text[:LONGEST_TEXT]}\n… {len(text) - LONGEST_TEXT:,} more characters: press e to open the whole text"
