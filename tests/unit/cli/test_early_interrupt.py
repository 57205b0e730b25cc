"""Ctrl-C while a command begins: it ends without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import langfuse_local
from appliance.own_command import become, own_command


class Became(Exception):
    """The process would be another program now."""


def interrupt_comes_first() -> None:
    """As when Ctrl-C is pressed just after `become`."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize(
    ("module", "code", "said"), [("tui", -signal.SIGINT, ""), ("appliance", 128 + signal.SIGINT, "Stopped.\n")]
)
def test_what_waited_while_a_program_began_ends_it(tmp_path: Path, module: str, code: int, said: str) -> None:
    done = subprocess.run(
        own_command(module, *(["--version"] if module == "appliance" else [])),
        env=os.environ | {"LANGFUSE_LOCAL_DATA_DIR": str(tmp_path)},
        preexec_fn=interrupt_comes_first,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr, done.stdout) == (code, said, "")


def test_it_waits_while_one_program_becomes_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def execv(_path: str, _argv: list[str]) -> None:
        assert signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        raise Became

    monkeypatch.setattr(os, "execv", execv)
    with pytest.raises(Became):
        become("tui")
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_before_anything_is_imported_it_ends_the_command_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "appliance"
    folder.mkdir()
    (folder / "__init__.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    program = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(Path(langfuse_local.__file__).parent)!r}]\n"
    program += "from langfuse_local import main\nmain()"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")
