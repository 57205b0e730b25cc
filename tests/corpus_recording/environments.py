"""Virtual environments and npm folders of the recorded programs, kept below the user's cache directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

from tests.corpus_recording.manifest import PROGRAMS, Source

CACHE = Path(platformdirs.user_cache_dir("langfuse-local-recording"))
INSTALL_TIMEOUT_S = 600
UV = "uv==0.13.9"


class NotInstalled(Exception):
    """The packages of a source cannot be installed here."""


def command(source: Source) -> tuple[list[str], Path]:
    """The command that runs a source's program and the folder to run it in; installs the packages when needed."""
    key = hashlib.sha256(" ".join(source.packages).encode()).hexdigest()[:8]
    folder = CACHE / f"{source.name}-{key}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install = _install_python if source.is_python else _install_node
        try:
            install(source, folder)
        except subprocess.CalledProcessError as error:
            raise NotInstalled(f"{source.name}: {str(error.stderr)[-1500:]}") from error
        (folder / "complete").touch()
    for program in PROGRAMS.iterdir():
        if program.suffix in (".py", ".mjs"):
            shutil.copy(program, folder)
    if source.is_python:
        return [str(folder / "venv" / "bin" / "python"), source.program], folder
    return [shutil.which("node") or "node", source.program], folder


def _install_python(source: Source, folder: Path) -> None:
    uv = _uv()
    _run([uv, "venv", "-q", "--python", sys.executable, str(folder / "venv")])
    _run([uv, "pip", "install", "-q", "--python", str(folder / "venv" / "bin" / "python"), *source.packages])


def _install_node(source: Source, folder: Path) -> None:
    (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
    _run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", *source.packages], cwd=folder)


def _uv() -> str:
    tool = CACHE / "tools" / "bin" / "uv"
    if not tool.exists():
        _run([sys.executable, "-m", "venv", str(CACHE / "tools")])
        _run([str(CACHE / "tools" / "bin" / "pip"), "install", "-q", UV])
    return str(tool)


def _run(arguments: list[str], cwd: Path | None = None) -> None:
    environ = {**os.environ, "UV_CACHE_DIR": str(CACHE / "uv-cache")}
    subprocess.run(
        arguments, cwd=cwd, env=environ, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S
    )
