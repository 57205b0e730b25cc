"""Where settings come from, and what is said when one cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.config import environment_names, load_settings
from appliance.errors import ConfigError


def test_flags_beat_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("workers = 2\nport = 4000\nhost = '0.0.0.0'\n[clickhouse]\ndatabase = 'file'\n")
    settings = load_settings(
        {"port": 6000, "runtime": None},
        environ={"LANGFUSE_LOCAL_PORT": "5000", "LANGFUSE_LOCAL_HOST": "::1"},
        config_file=file,
    )
    assert (settings.workers, settings.port, settings.host, settings.runtime) == (2, 6000, "::1", "auto")
    assert settings.clickhouse.database == "file"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"LANGFUSE_LOCAL_RUNTIME": "podman"}, "must be one of auto, embedded, docker, external"),
        ({"LANGFUSE_LOCAL_PORT": "many"}, "LANGFUSE_LOCAL_PORT is 'many', but must be a int"),
        ({"CLICKHOUSE_CLUSTER_ENABLED": "maybe"}, "must be true or false"),
    ],
)
def test_a_bad_value_is_named_with_its_source(environ: dict[str, str], expected: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=expected):
        load_settings(environ=environ, config_file=tmp_path / "none.toml")


def test_an_unknown_setting_in_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("prot = 3000\n")
    with pytest.raises(ConfigError, match="unknown setting 'prot'"):
        load_settings(environ={}, config_file=file)


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    settings = load_settings(environ={"LANGFUSE_LOCAL_PORT": ""}, config_file=tmp_path / "none.toml")
    assert settings.port == 0


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "salt").write_text("from-a-file\n")
    environ = {"SALT_FILE": str(tmp_path / "salt")}
    assert load_settings(environ=environ, config_file=tmp_path / "none").salt == "from-a-file"
    assert load_settings(environ={**environ, "SALT": "given"}, config_file=tmp_path / "none").salt == "given"
    with pytest.raises(ConfigError, match="SALT_FILE names /nowhere"):
        load_settings(environ={"SALT_FILE": "/nowhere"}, config_file=tmp_path / "none")


def test_redis_address_from_single_values_or_whole(tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    parts = {"REDIS_HOST": "h", "REDIS_AUTH": "p@ss", "REDIS_TLS_ENABLED": "true"}
    assert load_settings(environ=parts, config_file=none).redis.url == "rediss://:p%40ss@h:6379/0"
    whole = parts | {"REDIS_CONNECTION_STRING": "redis://x:1/2"}
    assert load_settings(environ=whole, config_file=none).redis.url == "redis://x:1/2"


def test_every_setting_has_a_variable_of_its_own() -> None:
    names = environment_names()
    assert len(names) == len(set(names)) > 30
