"""The user that Postgres runs as: it refuses root, so root drops to an unprivileged user that can reach the files."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.processes.child import inherited_environ
from appliance.orchestrator.processes.privileges import CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, Identity, child_setup
from appliance.orchestrator.runtimes.embedded.postgres_install import PostgresInstall

_NEW_USER = "langfuse-local"
_USERS = ("postgres", "_postgres", _NEW_USER)
"""Never a shared user such as nobody, whose other programs could read the data and become superuser."""
_WAYS_TO_ADD = (("useradd", "--system", "--no-create-home"), ("adduser", "-S", "-D", "-H"))
"""On most systems, and on BusyBox."""
_MACHINE_FOLDER = Path("/var/lib/langfuse-local")


def unprivileged_identity() -> Identity | None:
    """The user to drop to, created if needed; None when this process is not root. Raises RuntimeUnavailable."""
    if os.geteuid() != 0:
        return None
    entry = _find_user() or _create_user()
    return Identity(entry.pw_name, entry.pw_uid, entry.pw_gid, ())


def user_of_postgres() -> str:
    """The name of the user of `unprivileged_identity`, without creating one."""
    if os.geteuid() != 0:
        return "this user"
    entry = _find_user()
    return entry.pw_name if entry else f"{_NEW_USER}, a user that the start adds"


def require_name() -> None:
    """Raises RuntimeUnavailable for a user without an entry in /etc/passwd, where initdb looks up its name."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise RuntimeUnavailable(
            f"Postgres needs to know the name of this user, whose id is {os.geteuid()}; /etc/passwd does not have it.",
            hint="Add him there, start the appliance as another user, or use --runtime docker or external.",
        ) from None


def reachable(
    install: PostgresInstall, root: Path, identity: Identity | None
) -> tuple[PostgresInstall, Identity | None]:
    """An installation and an identity with which Postgres can run below the data directory `root`.

    Lets others enter `root` where that is enough, adds a capability where a parent is closed, and copies the binaries
    below `root` (or below /var/lib) where they are in a private folder. Raises RuntimeUnavailable with the reason.
    """
    if identity is None:
        return install, None
    capable = _with_access(root, identity)
    if _runs(install, identity):
        return install, capable
    # initdb calls access(2), which ignores capabilities: the binaries must be open to everybody.
    for folder in (root, _MACHINE_FOLDER):
        try:
            if not folder.exists():
                folder.mkdir()
                folder.chmod(0o711)
            if not _enters(folder, identity):
                continue
            copy = install.copy_to(folder / "runtime" / f"postgres-{install.major}")
        except OSError:  # full or read-only: try the next folder
            continue
        if _runs(copy, identity):
            return copy, capable
    raise RuntimeUnavailable(
        f"User {identity.name}, as whom Postgres runs here, cannot run its binaries in {install.home}, "
        f"nor a copy of them in {root} or {_MACHINE_FOLDER}.",
        hint="Choose a --data-dir that all users can enter and that is not mounted noexec.",
    )


def closed_parent(path: Path, identity: Identity) -> Path | None:
    """The outermost directory on the way to `path` that the user cannot enter, None when all are open."""
    return next((step for step in [*reversed(path.parents), path] if not _enters(step, identity)), None)


def _with_access(root: Path, identity: Identity) -> Identity:
    if not _enters(root, identity):
        root.chmod(root.stat().st_mode | 0o111)
    for capability in (None, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        candidate = replace(identity, capability=capability)
        if (capability is None or sys.platform == "linux") and _enters(root, candidate):
            return candidate
    closed = closed_parent(root, identity) or root
    raise RuntimeUnavailable(
        f"Postgres runs as user {identity.name} here, who cannot enter {closed}.",
        hint=f"Choose a --data-dir elsewhere (such as /var/lib), or allow it: chmod o+x {closed}.",
    )


def _enters(folder: Path, identity: Identity) -> bool:
    return _succeeds(["/bin/sh", "-c", ":"], folder, identity)


def _runs(install: PostgresInstall, identity: Identity) -> bool:
    return all(
        _succeeds([str(install.binary(name)), "--version"], Path("/"), identity) for name in ("initdb", "postgres")
    )


def _succeeds(argv: list[str], folder: Path, identity: Identity) -> bool:
    change_user = child_setup(identity, signal.SIGKILL)

    def setup() -> None:
        change_user()
        os.chdir(folder)

    try:
        done = subprocess.run(
            argv, cwd="/", env=inherited_environ(), preexec_fn=setup, capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def hand_over(tree: Path, identity: Identity) -> None:
    """Gives all files below `tree` that belong to its owner to the user of `identity`; raises OSError."""
    owner = tree.stat().st_uid
    if owner == identity.uid:
        return
    for _, _, files, folder in os.fwalk(tree, topdown=False):
        for name in (*files, "."):
            if os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid == owner:
                os.chown(name, identity.uid, identity.gid, dir_fd=folder, follow_symlinks=False)


def _find_user() -> pwd.struct_passwd | None:
    for name in _USERS:
        with contextlib.suppress(KeyError):
            if (entry := pwd.getpwnam(name)).pw_uid != 0:
                return entry
    return None


def _create_user() -> pwd.struct_passwd:
    for tool, *options in _WAYS_TO_ADD:
        if (program := shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")) is not None:
            subprocess.run([program, *options, _NEW_USER], capture_output=True, check=False)
        if (entry := _find_user()) is not None:
            return entry
    raise RuntimeUnavailable(
        "Postgres refuses to run as root, and needs a user of its own, which could not be made here.",
        hint=f"Add one (for example: useradd --system {_NEW_USER}), or start the appliance as another user.",
    )
