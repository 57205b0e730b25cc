"""What `langfuse-local` alone does."""

from __future__ import annotations

import os
import sys

import pytest

from appliance.__main__ import main
from appliance.own_command import own_command


class Became(Exception):
    """The process would be another program now."""


def test_in_a_terminal_it_becomes_the_ui_and_starts_the_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[str] = []

    def execv(_path: str, argv: list[str]) -> None:
        became.extend(argv)
        raise Became

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setattr(sys, "argv", ["langfuse-local"])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    with pytest.raises(Became):
        main()
    assert became == [*own_command("tui"), "--start"]
