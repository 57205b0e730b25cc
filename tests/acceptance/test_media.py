"""Files that the official SDKs send, or leave inside what they send, come back as they were."""

from __future__ import annotations

import base64
import dataclasses
import json
import os

import pytest

from tests.acceptance.appliance_process import Appliance
from tests.acceptance.sdks import SDKS, run_program

PROGRAM = {"python": "python_media.py", "js": "js_media.mjs"}


@pytest.mark.parametrize(
    ("name", "uploads"),
    [("python-5", True), ("python-5", False), ("python-4.18", True), ("python-3.15", True), ("js-5.11", True)],
    ids=["python-5", "python-5 without uploads", "python-4.18", "python-3.15", "js-5.11"],
)
def test_files_come_back(appliance: Appliance, name: str, uploads: bool) -> None:
    sdk = dataclasses.replace(next(sdk for sdk in SDKS if sdk.name == name), program=PROGRAM[name.partition("-")[0]])
    environ = appliance.environ | {name: value for name, value in appliance.settings.items() if "OTEL" not in name}
    environ.pop("PYTHONPATH")
    if not uploads:
        environ["LANGFUSE_MEDIA_UPLOAD_ENABLED"] = "false"

    said = run_program(sdk, environ, base64.b64encode(os.urandom(2000)).decode())

    picture, sound = json.loads(said["expected"])
    messages, kept_sound = json.loads(said["stored"])
    kept_picture = messages[0]["content"][0]["image_url"]["url"]
    assert kept_picture.startswith("@@@langfuseMedia:type=image/png|id=")
    assert kept_sound.startswith("@@@langfuseMedia:type=audio/wav|id=")
    resolved_messages, resolved_sound = json.loads(said["resolved"])
    assert resolved_messages[0]["content"][0]["image_url"]["url"] == picture
    assert resolved_sound == sound
    for item in json.loads(said["items"]):
        assert item in (picture, kept_picture)
