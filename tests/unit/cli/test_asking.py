"""What is deleted only after a question."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from appliance.cli import runtime
from appliance.cli.down import down

QUESTIONS = [
    (down, ["--volumes"], "Nothing was stopped or deleted."),
    (runtime.forget, ["docker"], "Nothing was deleted."),
]


@pytest.mark.parametrize(("command", "arguments", "kept"), QUESTIONS)
@pytest.mark.parametrize(("answer", "hint"), [("", " With --yes nobody is asked."), ("n\n", ""), ("\n", "")])
def test_without_a_yes_it_says_that_nothing_was_deleted(
    tmp_path: Path, command: click.Command, arguments: list[str], kept: str, answer: str, hint: str
) -> None:
    (tmp_path / "kept").write_text("")
    done = CliRunner().invoke(command, [*arguments, "--data-dir", str(tmp_path)], input=answer)
    assert (done.exit_code, done.stderr.splitlines()[-1], done.stdout) == (1, kept + hint, "")
    assert (tmp_path / "kept").exists()
