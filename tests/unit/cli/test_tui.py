"""How `tui` hands over to the terminal UI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.cli.tui import tui
from appliance.own_command import own_command
from tui.__main__ import main


class Became(Exception):
    """The process would be another program now."""


def test_the_secret_key_is_not_among_the_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[str] = []

    def execv(_path: str, argv: list[str]) -> None:
        became.extend(argv)
        raise Became

    monkeypatch.setattr(os, "execv", execv)
    CliRunner().invoke(tui, ["--url", "http://there", "--public-key", "pk", "--secret-key", "sk-secret"])
    words = became[len(own_command("tui")) :]
    assert words == ["--url", "http://there", "--public-key", "pk", "--secret-key-fd", became[-1]]
    with os.fdopen(int(became[-1])) as secret:
        assert secret.read() == "sk-secret"


def test_in_a_container_the_services_are_those_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[str] = []

    def execv(_path: str, argv: list[str]) -> None:
        became.extend(argv)
        raise Became

    monkeypatch.setattr(os, "execv", execv)
    keys = {"LANGFUSE_INIT_PROJECT_PUBLIC_KEY": "pk", "LANGFUSE_INIT_PROJECT_SECRET_KEY": "sk"}
    here = CliRunner(env={"LANGFUSE_LOCAL_ATTACH_URL": "http://web:3000", **keys})
    here.invoke(tui, [])
    assert "--container" in became and "http://web:3000" in became
    became.clear()
    here.invoke(tui, ["--url", "http://there", "--public-key", "pk", "--secret-key", "sk"])
    assert "--container" not in became


def test_certificates_to_trust_are_handed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    became: list[str] = []

    def execv(_path: str, argv: list[str]) -> None:
        became.extend(argv)
        raise Became

    monkeypatch.setattr(os, "execv", execv)
    file = tmp_path / "ca.pem"
    file.touch()
    keys = ["--public-key", "pk", "--secret-key", "sk"]
    CliRunner().invoke(tui, ["--url", "https://there", *keys, "--ca", str(file)])
    assert became[became.index("--ca") + 1] == str(file)


def test_keys_without_an_address_are_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    def execv(_path: str, _argv: list[str]) -> None:
        raise Became

    monkeypatch.setattr(os, "execv", execv)
    done = CliRunner().invoke(tui, ["--public-key", "pk", "--secret-key", "sk"])
    assert done.exit_code == 2
    assert "--url" in done.stderr
    from_environment = CliRunner(env={"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk"}).invoke(tui, [])
    assert isinstance(from_environment.exception, Became)


def test_without_a_terminal_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr()
    assert "needs a terminal" in shown.err
    assert shown.out == ""
