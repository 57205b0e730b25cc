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
    one, two = (tmp_path / name for name in ("one", "two"))
    assert stat.S_IMODE((one / ".env").stat().st_mode) == 0o600
    assert stat.S_IMODE((one / "secrets").stat().st_mode) == 0o700
    assert (one / ".env").read_text() != (two / ".env").read_text()
    first = {file.name: file.read_text() for file in (one / "secrets").iterdir()}
    second = {file.name: file.read_text() for file in (two / "secrets").iterdir()}
    assert set(first) == set(second) and not set(first.values()) & set(second.values())
    assert first["postgres_password"] in first["database_url"]
    assert not any(text in (one / ".env").read_text() for text in first.values())


def test_init_does_not_replace(tmp_path: Path) -> None:
    run("init", "--dir", str(tmp_path))
    before = (tmp_path / ".env").read_text()
    with pytest.raises(ConfigError, match="exists"):
        run("init", "--dir", str(tmp_path))
    assert (tmp_path / ".env").read_text() == before
    (tmp_path / ".env").unlink()
    with pytest.raises(ConfigError, match="secrets exists"):
        run("init", "--dir", str(tmp_path))
    run("init", "--dir", str(tmp_path), "--force")
    assert (tmp_path / ".env").read_text() != before


def test_init_external_leaves_the_stores_to_the_user(tmp_path: Path) -> None:
    run("init", "--dir", str(tmp_path), "--external")
    text = (tmp_path / ".env").read_text()
    assert "DATABASE_URL=" in text
    assert not (tmp_path / "secrets" / "postgres_password").exists()
