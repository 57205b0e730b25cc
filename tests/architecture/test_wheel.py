"""The wheel holds all that the installed program needs."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import ROOT


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a freshly built wheel."""
    return set(zipfile.ZipFile(built("wheel", tmp_path_factory.mktemp("wheel"))).namelist())


def built(target: str, folder: Path) -> Path:
    """A fresh `wheel` or `sdist`."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    [file] = [path for path in folder.iterdir() if path.is_file()]
    return file


def source_files(*suffixes: str) -> set[str]:
    folders = (ROOT / "appliance", ROOT / "tui")
    found: set[Path] = {file for folder in folders for file in folder.rglob("*") if file.suffix in suffixes}
    return {str(file.relative_to(ROOT)) for file in found}


def test_every_module_and_data_file_is_in_the_wheel(contents: set[str]) -> None:
    wanted = source_files(".py", ".sql", ".lua", ".tcss", ".json", ".xml", ".conf")
    assert wanted - contents == set()
    for suffix in (".sql", ".tcss"):
        assert any(name.endswith(suffix) for name in wanted)
    assert any(name.endswith("prices.json") for name in contents)


def test_the_wheel_has_the_command_and_the_licence(contents: set[str]) -> None:
    assert any(name.endswith("entry_points.txt") for name in contents)
    assert any(name.endswith("licenses/LICENSE") for name in contents)


def test_nothing_else_is_in_the_wheel(contents: set[str]) -> None:
    folders = {name.partition("/")[0] for name in contents}
    installed = {folder for folder in folders if not folder.endswith(".dist-info")}
    assert installed == {"appliance", "langfuse_local.py", "tui"}
    assert not any("__pycache__" in name for name in contents)


def test_the_source_distribution_has_no_stray_files(tmp_path: Path) -> None:
    """A pattern without an anchor also takes files of the same name in other folders."""
    with tarfile.open(built("sdist", tmp_path)) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {name.partition("/")[0] for name in names} == {
        *("appliance", "tui", "langfuse_local.py", "docs", "requirements"),
        *("README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", ".gitignore", "PKG-INFO"),
    }
    assert {name for name in names if name.startswith("requirements/")} == {"requirements/overrides.txt"}
    assert names >= source_files(".py", ".sql", ".lua", ".tcss", ".json", ".xml", ".conf")
