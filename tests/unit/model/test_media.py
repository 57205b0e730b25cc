"""Ids and places of media, and the text that stands for them."""

from __future__ import annotations

import pytest

from appliance.model.media import Content, blob_key, find_references, media_id, reference

PNG_HASH = "uEig0wSz8oCevEy61aDUP9+3ND6Aw6j78UQvxNn5AWU="
"""As the Python SDK 5 sent it, with the id uEig0wSz8oCevEy61aDUP9."""


def test_the_id_is_that_of_the_sdks() -> None:
    assert media_id(PNG_HASH) == "uEig0wSz8oCevEy61aDUP9"
    assert media_id("+/" * 22) == "-_" * 11


def test_what_follows_from_content() -> None:
    content = Content.of("text/plain", b"hello")
    assert content.sha256_hash == "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="
    assert content.id == "LPJNul-wow4m6DsqxbninhsW"[:22]


def test_a_reference_is_that_of_the_sdks() -> None:
    expected = "@@@langfuseMedia:type=image/png|id=uEig0wSz8oCevEy61aDUP9|source=base64_data_uri@@@"
    assert reference("image/png", "uEig0wSz8oCevEy61aDUP9", "base64_data_uri") == expected


@pytest.mark.parametrize(
    ("project", "expected"),
    [
        ("p", "p/id.png"),
        ("a/b", "a%2Fb/id.png"),
        ("..", "%2E%2E/id.png"),
        ("", "%/id.png"),
        (".uploads", "%2Euploads/id.png"),
    ],
)
def test_no_name_of_a_project_leads_elsewhere(project: str, expected: str) -> None:
    assert blob_key(project, "id", "image/png") == expected


def test_references_are_found_with_their_paths() -> None:
    text = reference("image/png", "a", "bytes")
    value = {"gallery": [text, "plain"], "7": {"it's": text}, "more": f"see {text}", "n": None}
    found = sorted(find_references(value))
    assert [(place.json_path, place.reference, place.media_id) for place in found] == [
        ("$['gallery'][0]", text, "a"),
        ("$[7]['it's']", text, "a"),
    ]
    assert [place.json_path for place in find_references(text)] == ["$"]
    assert list(find_references(None)) == []
