"""Files in payloads become references, and everything else stays what it was."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ingestion.media import RAW_CHARACTERS, MediaFinder, may_hold_media

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
URI = f"data:image/png;base64,{PIXEL}"
LARGE = base64.b64encode(bytes(range(256)) * 4).decode()


def finder_and(value: Any) -> tuple[MediaFinder, Any]:
    finder = MediaFinder()
    return finder, finder.value(value)


def reference_to(finder: MediaFinder, content_type: str = "image/png") -> str:
    (content,) = finder.found.values()
    assert content.content_type == content_type
    return f"@@@langfuseMedia:type={content_type}|id={content.id}|source=base64_data_uri@@@"


def test_a_data_uri_becomes_a_reference() -> None:
    finder, text = finder_and(URI)
    assert text == reference_to(finder)
    assert next(iter(finder.found.values())).data == base64.b64decode(PIXEL)


@pytest.mark.parametrize(
    "around",
    [
        '{{"messages":[{{"image_url":{{"url":"{}"}}}}]}}',
        '{{"inner":"{{\\"url\\":\\"{}\\"}}"}}',
        "![pixel]({}) and more",
        "<img src='{}'>",
        "one {} two",
        "first line: {}\nand another",
        "{}",
    ],
)
def test_what_is_around_it_stays(around: str) -> None:
    finder, text = finder_and(around.format(URI))
    assert text == around.format(reference_to(finder))


@pytest.mark.parametrize(
    "written",
    [
        URI.replace("/", r"\/"),
        URI.replace("/", r"\\\/"),
        URI.replace("+", r"\u002b").replace("=", r"\u003D"),
        "data:image/png;base64," + PIXEL.replace("+", "-").replace("/", "_"),
        URI.rstrip("="),
        URI.replace("image/png", "IMAGE/PNG"),
        URI.replace(";base64", ";charset=utf-8;base64"),
    ],
)
def test_ways_of_writing_it(written: str) -> None:
    finder, text = finder_and(f'["{written}"]')
    assert text == f'["{reference_to(finder)}"]'
    assert next(iter(finder.found.values())).data == base64.b64decode(PIXEL)


@pytest.mark.parametrize(
    "broken",
    [
        URI[:-1],
        URI[:-3],
        URI.replace("=", "") + "A" * 3,
        "data:image/png;base64,",
        "data:image/png;base64,====",
        f"data:;base64,{PIXEL}",
        f"data:image;base64,{PIXEL}",
        f"data:image/png,{PIXEL}",
        URI[:60] + "...",
        URI[:60] + "…",
        URI[:98] + "\n" + PIXEL[:76],
        URI[:98] + r"\n" + PIXEL[:76],
        "text with ;base64, in it",
    ],
)
def test_what_is_broken_stays(broken: str) -> None:
    finder, text = finder_and(broken)
    assert (text, finder.found) == (broken, {})


def test_the_same_file_twice_is_one_file() -> None:
    finder, value = finder_and([URI, {"a": URI}, f"x {URI} {URI}"])
    reference = reference_to(finder)
    assert value == [reference, {"a": reference}, f"x {reference} {reference}"]


@pytest.mark.parametrize(
    ("part", "content_type"),
    [
        ({"type": "base64", "media_type": "image/jpeg", "data": LARGE}, "image/jpeg"),
        ({"type": "media", "mime_type": "audio/wav", "data": LARGE}, "audio/wav"),
        ({"inline_data": {"mime_type": "image/webp", "data": LARGE}}, "image/webp"),
        ({"inlineData": {"mimeType": "application/pdf", "data": LARGE}}, "application/pdf"),
        ({"type": "file", "mediaType": "image/png", "data": LARGE}, "image/png"),
        ({"type": "image", "mimeType": "image/png", "image": LARGE}, "image/png"),
        ({"type": "blob", "modality": "image", "mime_type": "image/png", "content": LARGE}, "image/png"),
        ({"type": "input_audio", "input_audio": {"data": LARGE, "format": "mp3"}}, "audio/mpeg"),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else part,
)
@pytest.mark.parametrize("form", ["value", "json", "json in json"])
def test_parts_of_messages_with_raw_base64(part: dict[str, Any], content_type: str, form: str) -> None:
    value: Any = [{"role": "user", "content": [part, {"type": "text", "text": "What is this?"}]}]
    expected = json.dumps(value)
    if form != "value":
        value = json.dumps(value)
    if form == "json in json":
        value = json.dumps({"input": value})
    finder, changed = finder_and(value)
    reference = reference_to(finder, content_type)
    while isinstance(changed, str):
        changed = json.loads(changed)
        changed = changed["input"] if isinstance(changed, dict) else changed
    assert changed == json.loads(expected.replace(LARGE, reference))


@pytest.mark.parametrize(
    "part",
    [
        {"media_type": "image/png", "data": PIXEL},
        {"media_type": "not a type", "data": LARGE},
        {"media_type": "image/png", "data": LARGE[:-3]},
        {"media_type": "text/plain", "data": "word " * RAW_CHARACTERS},
        {"data": LARGE},
        {"format": "json", "data": LARGE},
        {"media_type": 7, "data": LARGE},
    ],
    ids=lambda part: str(part)[:40],
)
def test_parts_that_stay(part: dict[str, Any]) -> None:
    finder, changed = finder_and(part)
    assert changed is part and finder.found == {}


def test_objects_without_files_are_not_copied() -> None:
    value = {"a": [1, None, {"b": "text"}], "c": "x" * 5000}
    finder, changed = finder_and(value)
    assert changed is value and finder.found == {}


def test_text_without_files_is_not_written_anew() -> None:
    text = '{ "spaces" : "stay", "token": "' + "A" * 2000 + '" }'
    finder, changed = finder_and(text)
    assert changed is text and finder.found == {}


def test_very_deep_values_end_the_search() -> None:
    value: Any = URI
    for _ in range(500):
        value = [value]
    _, changed = finder_and(value)
    assert changed is value
    text = "[" * 100_000 + "A" * 2000
    assert finder_and(text)[1] is text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (URI.encode(), True),
        (LARGE.encode(), True),
        (b" " * 500 + b"A" * RAW_CHARACTERS + b" " * 500, True),
        (b"words of a text that goes on " * 1000, False),
        (b"", False),
    ],
)
def test_the_first_look(body: bytes, expected: bool) -> None:
    assert may_hold_media(body) is expected


@pytest.mark.parametrize("offset", range(0, 1200, 97))
def test_the_first_look_misses_nothing_that_counts(offset: int) -> None:
    assert may_hold_media(b" " * offset + b"A" * RAW_CHARACTERS + b'"' * 3)


def test_a_large_file_takes_no_stack() -> None:
    data = base64.b64encode(os.urandom(6_000_000)).decode()
    finder, text = finder_and(json.dumps({"a": f"data:video/mp4;base64,{data}"}).replace("/", r"\/"))
    assert json.loads(text)["a"] == reference_to(finder, "video/mp4")


@given(st.text(alphabet='data:image/png;base64,AB+/=-_\\u"{}[]\n .', max_size=300))
def test_any_text_stays_valid_json(noise: str) -> None:
    text = msgspec.json.encode({"a": noise, "b": URI}).decode()
    changed = MediaFinder().text(text)
    assert msgspec.json.decode(changed)["b"].startswith("@@@langfuseMedia:")
