"""The editor, the pager and the browser, of which none need be there."""

from __future__ import annotations

import os
import signal
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from tests.tui.conftest import MakeApp
from tui import outside
from tui.app import LangfuseApp


@pytest.fixture
def app(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> LangfuseApp:
    """An application that tells what it did: `held` and `back` for the terminal, and its messages."""
    app = make_app()
    app.told = []  # type: ignore[attr-defined]

    @contextmanager
    def suspend() -> Iterator[None]:
        told(app).append("held")
        yield  # as Textual's own: nothing after it runs when the block raises
        told(app).append("back")

    monkeypatch.setattr(app, "suspend", suspend)
    monkeypatch.setattr(app, "notify", lambda message, **_: told(app).append(message))
    for name in ("EDITOR", "PAGER", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    return app


def told(app: LangfuseApp) -> list[str]:
    found: list[str] = app.told  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize("name", ["EDITOR", "PAGER"])
@pytest.mark.parametrize("command", ["nosuch", "no[/such]editor", "nosuch -w", "/etc/passwd", "./a/b"])
def test_an_editor_that_cannot_run_gives_the_screen_back(
    app: LangfuseApp, monkeypatch: pytest.MonkeyPatch, name: str, command: str
) -> None:
    monkeypatch.setenv(name, command)
    outside.edit_text(app, "text")
    assert told(app)[:2] == ["held", "back"]
    assert told(app)[2].startswith(f"{command} cannot be run: ")


def test_a_pager_that_is_not_installed_gives_the_screen_back(app: LangfuseApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("EDITOR", " ")
    outside.edit_text(app, "text")
    assert told(app) == ["held", "back", "less cannot be run: No such file or directory."]


def test_an_editor_with_bad_quoting_is_a_sentence(app: LangfuseApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "vim '")
    outside.edit_text(app, "text")
    assert told(app) == ["vim ' cannot be run: no closing quotation."]


def test_a_text_that_has_no_place_is_a_sentence(app: LangfuseApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    outside.edit_text(app, "text")
    assert told(app) == ["The text cannot be written for less: No space left on device."]


def test_the_editor_gets_the_text_and_its_interrupts(
    app: LangfuseApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "my editor"
    script.write_text(f'#!/bin/sh\ncp "$2" {tmp_path}/got\nkill -INT {os.getpid()}\nkill -INT $$\n')
    script.chmod(0o755)
    monkeypatch.setenv("EDITOR", f"'{script}' -w")

    def before(_number: int, _frame: FrameType | None) -> None:
        """Harmless, as a signal may reach this process by another thread, a moment after the editor has ended."""

    signal.signal(signal.SIGINT, before)
    outside.edit_text(app, "Grüße \ud83d")
    assert (tmp_path / "got").read_text(encoding="utf-8") == "Grüße \\ud83d"
    assert told(app) == ["held", "back"]
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("browser", ["nosuch", "nosuch '%s", "no[/such] %s", ""])
def test_a_browser_that_is_not_there_is_a_sentence(
    app: LangfuseApp, monkeypatch: pytest.MonkeyPatch, browser: str
) -> None:
    monkeypatch.setenv("BROWSER", browser)
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(webbrowser, "_tryorder", None)
    monkeypatch.setattr(webbrowser, "_browsers", {})
    assert outside.open_link(app, "http://x/") == "No browser can be opened from here."
    assert told(app) in ([], ["held", "back"])
