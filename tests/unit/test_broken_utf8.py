"""JSON whose text is not UTF-8: msgspec raises UnicodeDecodeError for it before 0.23, DecodeError since."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.client import LangfuseClient
from appliance.data_dir.secrets import read_secrets
from appliance.data_dir.state import State, read_state
from appliance.errors import ConfigError, RemoteError, Undecodable
from appliance.http_client import Response
from appliance.ingestion.accept import count_items
from appliance.ingestion.legacy.decode import decode_events
from appliance.paths import DataDir
from tests.answered import Answered
from tui.state import Remembered, StateFile

BROKEN = b'{"url":"\xff","screen":"\xff","salt":"\xff","message":"\xff"}'


def test_a_body_of_the_queue_is_undecodable() -> None:
    body = b'[{"id":"\xff","type":"\xff","timestamp":"\xff","body":{"name":"\xff"}}]'
    with pytest.raises(Undecodable):
        decode_events(body)
    assert count_items("events", body) in (0, 1)
    assert count_items("otlp-json", b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"\xff"}]}]}]}') == 0


def test_own_files_are_told_or_written_anew(tmp_path: Path) -> None:
    place = DataDir(tmp_path)
    place.secrets_file.write_bytes(BROKEN)
    with pytest.raises(ConfigError, match=r"secrets\.json cannot be read"):
        read_secrets(place)
    place.state_file.write_bytes(BROKEN)
    assert read_state(place) == State()
    remembered = StateFile("x", tmp_path)
    remembered.path.write_bytes(BROKEN)
    assert remembered.load() == Remembered()


async def test_a_refusal_of_a_server_is_one_sentence() -> None:
    client = LangfuseClient("http://localhost", "pk", "sk", http=Answered(lambda _: Response(400, BROKEN)))
    with pytest.raises(RemoteError):
        await client.get("/x", into=dict[str, str])
    await client.close()
