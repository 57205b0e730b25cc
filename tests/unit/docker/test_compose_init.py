"""`compose init` writes secrets that nobody else can read, and never over others."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.cli.compose import compose_group
from appliance.errors import ConfigError


def run(*arguments: str) -> None:
    result = CliRunner().invoke(compose_group, list(arguments), standalone_mode=False)
    if result.exception:
        raise result.exception


def test_init_writes_fresh_secrets(tmp_path: Path) -> None:
    run("init", "--dir", str(tmp_path / "one"))
    run("init", "--dir", str(tmp_path / "two"))
    one, two = ((tmp_path / name / ".env") for name in ("one", "two"))
    assert stat.S_IMODE(one.stat().st_mode) == 0o600
    assert one.read_text() != two.read_text()
    assert "change-me" not in one.read_text()


def test_init_does_not_replace(tmp_path: Path) -> None:
    run("init", "--dir", str(tmp_path))
    before = (tmp_path / ".env").read_text()
    with pytest.raises(ConfigError, match="exists"):
        run("init", "--dir", str(tmp_path))
    assert (tmp_path / ".env").read_text() == before
    run("init", "--dir", str(tmp_path), "--force")
    assert (tmp_path / ".env").read_text() != before


def test_init_external_leaves_the_stores_to_the_user(tmp_path: Path) -> None:
    run("init", "--dir", str(tmp_path), "--external")
    text = (tmp_path / ".env").read_text()
    assert "DATABASE_URL=" in text and "POSTGRES_PASSWORD" not in text
