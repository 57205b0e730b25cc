"""As which user Postgres runs under root: never as one whose other programs could take its data."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

from appliance.errors import RuntimeUnavailable
from appliance.orchestrator.processes.privileges import Identity
from appliance.orchestrator.runtimes.embedded.postgres_identity import hand_over, unprivileged_identity

NOBODY = pwd.struct_passwd(("nobody", "x", 65534, 65534, "", "/", "/bin/false"))
OWN = pwd.struct_passwd(("langfuse-local", "x", 990, 990, "", "/", "/bin/false"))


def only(monkeypatch: pytest.MonkeyPatch, *users: pwd.struct_passwd) -> None:
    """The list of users, and a root who has no tool to add one."""
    by_name = {user.pw_name: user for user in users}
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", lambda name: by_name[name])
    monkeypatch.setattr(shutil, "which", lambda *_args, **_named: None)


def test_nobody_is_never_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, NOBODY)
    with pytest.raises(RuntimeUnavailable, match="user of its own") as caught:
        unprivileged_identity()
    assert "useradd --system langfuse-local" in str(caught.value.hint)


def test_a_user_of_its_own_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, NOBODY, OWN)
    assert unprivileged_identity() == Identity("langfuse-local", 990, 990, ())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_data_that_nobody_had_are_handed_over_but_not_what_links_lead_to(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("of root")
    tree = tmp_path / "data"
    (tree / "base").mkdir(parents=True)
    (tree / "base" / "1").write_text("x")
    (tree / "link").symlink_to(victim)
    (tree / "of-root").write_text("x")
    for path in (tree, tree / "base", tree / "base" / "1", tree / "link"):
        os.chown(path, 65534, 65534, follow_symlinks=False)
    hand_over(tree, Identity("langfuse-local", 990, 990, ()))
    owners = {path.name: path.lstat().st_uid for path in [tree, victim, *tree.rglob("*")]}
    assert owners == {"data": 990, "base": 990, "1": 990, "link": 990, "victim": 0, "of-root": 0}
