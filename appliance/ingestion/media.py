"""Replaces files sent as base64 inside payloads by references, as the SDKs do.

Finds data URIs anywhere in a text, also in JSON within JSON, and the parts of messages in which providers and
frameworks send raw base64 beside its content type. Base64 that cannot be decoded stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from appliance.ingestion.json_text import parse, to_json
from appliance.ingestion.legacy.decode import Event
from appliance.ingestion.otel.span import Attributes, Span
from appliance.model.media import Content, reference

MARK: Final = b";base64,"
_TEXT_MARK: Final = MARK.decode()
_SOURCE: Final = "base64_data_uri"

RAW_CHARACTERS: Final = 640
"""Shorter raw base64 stays in the text: it is not worth a file or a search."""
_STRIDE: Final = 512
_SAMPLE: Final = 64
_SAMPLE_OF_BYTES: Final = re.compile(rb"[A-Za-z0-9+/=_-]{64}")
_SAMPLE_OF_TEXT: Final = re.compile(r"[A-Za-z0-9+/=_-]{64}")

_TOKEN: Final = r"[A-Za-z0-9][\w!#$&^.+-]{0,99}"
_CONTENT_TYPE: Final = re.compile(rf"{_TOKEN}/{_TOKEN}", re.ASCII)
_DATA_URI: Final = re.compile(
    # JSON writers may escape slashes with backslashes, and write + and = as \u002b and \u003d.
    rf"data:(?P<type>{_TOKEN}\\*/{_TOKEN})(?:;[\w.+-]{{1,40}}=[\w.+-]{{0,80}}){{0,6}};base64,"
    r"(?P<data>[A-Za-z0-9+/=_-]++(?:\\++(?:/|u00(?:2[bB]|2[fF]|3[dD]))[A-Za-z0-9+/=_-]*+)*+)"
    # Not where the text was truncated (`...`), nor in the first of several lines.
    r"(?=[\s\"'`\\)\]}<>,;|&]|$)(?!(?:\s|\\+[nr])+[A-Za-z0-9+/]{16})",
    re.ASCII,
)
_ESCAPE: Final = re.compile(r"\\+(?:u00([23][0-9A-Fa-f])|(/))")
_URL_SAFE: Final = str.maketrans("-_", "+/")

_TYPE_KEYS: Final = ("media_type", "mediaType", "mime_type", "mimeType")
_DATA_KEYS: Final = ("data", "content", "image", "file", "bytes")
_AUDIO_FORMATS: Final = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "ogg": "audio/ogg",
    "m4a": "audio/mp4",
    "webm": "audio/webm",
}
_DEEPEST: Final = 60


class MediaFinder:
    """Collects the files of one request."""

    def __init__(self) -> None:
        self.found: dict[str, Content] = {}
        """Contents by media id."""

    def without_files(self, spans: Iterable[Span]) -> Iterator[Span]:
        """The spans, with the files in all attributes replaced in place."""
        for span in spans:
            self._take_from_attributes(span.attributes)
            for event in span.events:
                self._take_from_attributes(event.attributes)
            yield span

    def take_from_events(self, events: Iterable[Event]) -> None:
        """Replace files in inputs, outputs and metadata, in place."""
        for event in events:
            for name in ("input", "output", "metadata"):
                if name in event.body:
                    event.body[name] = self.value(event.body[name])

    def _take_from_attributes(self, attributes: Attributes) -> None:
        for key, value in attributes.items():
            if isinstance(value, (str, list)):
                attributes[key] = self.value(value)

    def value(self, value: Any, depth: int = 0) -> Any:
        """The value with references instead of files; the same object where there are none."""
        if isinstance(value, str):
            return self.text(value, depth)
        if depth > _DEEPEST:
            return value
        if isinstance(value, list):
            items = [self.value(item, depth + 1) for item in value]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        if isinstance(value, dict):
            kept = self._raw_part(value)
            fields = {key: self.value(item, depth + 1) for key, item in kept.items()}
            return value if kept is value and all(fields[key] is value[key] for key in fields) else fields
        return value

    def text(self, text: str, depth: int = 0) -> str:
        """The text with references instead of files; the same object where there are none."""
        if _TEXT_MARK in text:
            text = _DATA_URI.sub(self._of_uri, text)
        if len(text) < RAW_CHARACTERS or text[0] not in '[{"' or depth > _DEEPEST or not _has_long_word(text):
            return text
        try:
            parsed = parse(text)
        except ValueError:
            return text
        changed = self.value(parsed, depth + 1)
        return text if changed is parsed else to_json(changed)

    def _of_uri(self, match: re.Match[str]) -> str:
        data = match["data"]
        content_type = match["type"].replace("\\", "").lower()
        return self._reference(content_type, _ESCAPE.sub(_unescaped, data) if "\\" in data else data) or match[0]

    def _raw_part(self, part: dict[str, Any]) -> dict[str, Any]:
        """A part of a message with a reference instead of its raw base64; the same object when it holds none."""
        content_type = next((part[key] for key in _TYPE_KEYS if isinstance(part.get(key), str)), None)
        if content_type is None and isinstance(part.get("format"), str):  # OpenAI's `input_audio`
            content_type = _AUDIO_FORMATS.get(part["format"].lower())
        if content_type is None or not _CONTENT_TYPE.fullmatch(content_type):
            return part
        for key in _DATA_KEYS:
            data = part.get(key)
            if isinstance(data, str) and len(data) >= RAW_CHARACTERS and _SAMPLE_OF_TEXT.match(data):
                stands_for = self._reference(content_type.lower(), data)
                return part if stands_for is None else {**part, key: stands_for}
        return part

    def _reference(self, content_type: str, data: str) -> str | None:
        content = _decoded(data)
        if content is None:
            return None
        file = Content.of(content_type, content)
        kept = self.found.setdefault(file.id, file)
        return reference(kept.content_type, kept.id, _SOURCE)


def may_hold_media(body: bytes) -> bool:
    """Whether a payload may hold files; a cheap test, because most hold none."""
    return MARK in body or any(_SAMPLE_OF_BYTES.match(body, start) for start in range(0, len(body) - _SAMPLE, _STRIDE))


def _has_long_word(text: str) -> bool:
    """Whether a run of `RAW_CHARACTERS` may be base64; samples at that distance suffice to find one."""
    return any(_SAMPLE_OF_TEXT.match(text, start) for start in range(0, len(text) - _SAMPLE, _STRIDE))


def _decoded(data: str) -> bytes | None:
    """The content of base64, standard or URL-safe, padded or not; None when it is invalid or empty."""
    plain = data.translate(_URL_SAFE)
    if not plain.endswith("="):
        plain += "=" * (-len(plain) % 4)
    try:
        return base64.b64decode(plain, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _unescaped(match: re.Match[str]) -> str:
    return match[2] or chr(int(match[1], 16))
