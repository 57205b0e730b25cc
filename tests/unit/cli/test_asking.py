"""What is deleted only after a question."""

from __future__ import annotations

import io
from pathlib import Path

import click
import pytest

from appliance.cli import runtime
from appliance.cli.down import down

QUESTIONS = [
    (down, ["--volumes"], "Nothing was stopped or deleted."),
    (runtime.forget, ["docker"], "Nothing was deleted."),
]


@pytest.mark.parametrize(("command", "arguments", "kept"), QUESTIONS)
@pytest.mark.parametrize(
    ("answer", "hint"), [("", " Use --yes to delete without a question."), ("n\n", ""), ("\n", "")]
)
def test_without_a_yes_it_says_that_nothing_was_deleted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: click.Command,
    arguments: list[str],
    kept: str,
    answer: str,
    hint: str,
) -> None:
    (tmp_path / "kept").write_text("")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    with pytest.raises(SystemExit) as ended:
        command.main([*arguments, "--data-dir", str(tmp_path)])
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out.strip()) == (1, "")
    assert printed.err.splitlines()[-1].endswith(kept + hint)
    assert (tmp_path / "kept").exists()
