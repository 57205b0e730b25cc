"""Where settings come from, and what is said when one cannot be used."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Settings, environment_names, load_settings
from appliance.config_values import Between
from appliance.data_dir.location import find_data_dir
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
        ({"LANGFUSE_LOCAL_PORT": "many"}, "LANGFUSE_LOCAL_PORT is 'many', but must be a whole number"),
        ({"LANGFUSE_LOCAL_PORT": "1.5"}, "LANGFUSE_LOCAL_PORT is '1.5', but must be a whole number"),
        ({"LANGFUSE_LOCAL_PORT": '"3000"'}, "LANGFUSE_LOCAL_PORT begins and ends with a quote"),
        ({"LANGFUSE_LOCAL_PORT": "99999"}, "LANGFUSE_LOCAL_PORT is 99999, but must be between 0 and 65535"),
        ({"LANGFUSE_LOCAL_WORKERS": "0"}, "LANGFUSE_LOCAL_WORKERS is 0, but must be between 1 and 64"),
        ({"LANGFUSE_LOCAL_MAX_ATTEMPTS": "0"}, "LANGFUSE_LOCAL_MAX_ATTEMPTS is 0, but must be 1 or more"),
        ({"LANGFUSE_LOG_LEVEL": "loud"}, "must be one of trace, debug, info, warn, error, fatal"),
        ({"LANGFUSE_S3_MEDIA_UPLOAD_SSE": "rot13"}, "must be one of AES256, aws:kms"),
        ({"NEXTAUTH_URL": "langfuse.example.com"}, "NEXTAUTH_URL must be an address"),
        ({"NEXTAUTH_URL": "'https://langfuse.example.com'"}, "NEXTAUTH_URL begins and ends with a quote"),
        ({"NEXTAUTH_URL": "https://h:port"}, "NEXTAUTH_URL must be an address"),
        (
            {"LANGFUSE_INIT_PROJECT_PUBLIC_KEY": "pk"},
            "LANGFUSE_INIT_PROJECT_PUBLIC_KEY is set without LANGFUSE_INIT_PROJECT_SECRET_KEY",
        ),
        (
            {"LANGFUSE_INIT_PROJECT_SECRET_KEY": "sk"},
            "LANGFUSE_INIT_PROJECT_SECRET_KEY is set without LANGFUSE_INIT_PROJECT_PUBLIC_KEY",
        ),
        ({"LANGFUSE_INIT_USER_EMAIL": "a@b"}, "LANGFUSE_INIT_USER_EMAIL is set without LANGFUSE_INIT_USER_PASSWORD"),
        ({"CLICKHOUSE_CLUSTER_ENABLED": "maybe"}, "must be true or false"),
    ],
)
def test_a_bad_value_is_named_with_its_source(environ: dict[str, str], expected: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=expected):
        load_settings(environ=environ, config_file=tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"ingestion = 5\n", "ingestion must be a table. Write \\[ingestion\\]"),
        (b"postgres = 'postgresql://u:secret@h'\n", "postgres must be a table"),
        (b"media = [1]\n", "media must be a table"),
        (b"[media]\ns3 = 'bucket'\n", "s3 must be a table"),
        (b"port = 1.5\n", "port is 1.5, but must be a whole number"),
        (b"port = true\n", "port is True, but must be a whole number"),
        (b"port = [3000]\n", "must be a whole number"),
        (b"port = 2026-01-01\n", "must be a whole number"),
        (b"port = 70000\n", "port is 70000, but must be between 0 and 65535"),
        (b"salt = 5\n", "salt must be text, in quotes"),
        (b"data_dir = 5\n", "data_dir must be text, in quotes"),
        (b"runtime = 5\n", "runtime is 5, but must be one of"),
        (b"[clickhouse]\ncluster_enabled = 'perhaps'\n", "must be true or false"),
        (b"workers = 2\n\nhost = 'caf\xe9'\n", "is not UTF-8 in line 3"),
        (b"\xff\xfep\x00o\x00", "is not UTF-8 in line 1"),
        (b"port = \n", "cannot be read"),
    ],
)
def test_a_wrong_file_is_one_sentence(content: bytes, expected: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=expected) as caught:
        load_settings(environ={}, config_file=file)
    assert "config.toml" in str(caught.value) and "secret" not in str(caught.value)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xef\xbb\xbfport = 4000\n")
    assert load_settings(environ={}, config_file=file).port == 4000


@pytest.mark.parametrize(("given", "host"), [("[::1]", "::1"), ("[::]", "::"), ("::1", "::1"), ("0.0.0.0", "0.0.0.0")])
def test_a_host_may_stand_in_brackets(given: str, host: str, tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    assert load_settings(environ={"LANGFUSE_LOCAL_HOST": given}, config_file=none).host == host
    assert load_settings({"host": given}, environ={}, config_file=none).host == host


def test_a_word_is_known_in_capitals_and_a_password_may_have_quotes(tmp_path: Path) -> None:
    environ = {"LANGFUSE_LOG_LEVEL": "WARN", "CLICKHOUSE_PASSWORD": "'quoted'"}
    settings = load_settings(environ=environ, config_file=tmp_path / "none.toml")
    assert (settings.log_level, settings.clickhouse.password) == ("warn", "'quoted'")


@pytest.mark.parametrize(
    ("name", "sign"), [("a\nb", "a line break"), ("a\tb", "a control character"), ("a\udcffb", "not UTF-8")]
)
def test_a_data_directory_with_a_sign_that_no_store_takes_is_refused(name: str, sign: str, tmp_path: Path) -> None:
    for flags, environ in (
        ({"data_dir": tmp_path / name}, {}),
        ({}, {"LANGFUSE_LOCAL_DATA_DIR": str(tmp_path / name)}),
    ):
        with pytest.raises(ConfigError, match=sign):
            load_settings(flags, environ=environ, config_file=tmp_path / "none.toml")


def test_every_number_has_bounds() -> None:
    """A number that nobody thought about fails late, in the words of a library."""
    assert [
        name for name, rules in number_rules(Settings) if not any(isinstance(rule, Between) for rule in rules)
    ] == []


def number_rules(cls: type[Any]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for hint in typing.get_type_hints(cls, include_extras=True).values():
        if dataclasses.is_dataclass(hint) and isinstance(hint, type):
            yield from number_rules(hint)
        elif typing.get_args(hint)[0] is int:
            yield hint.__metadata__[0].name, hint.__metadata__


def test_an_unknown_setting_in_the_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("prot = 3000\n")
    with pytest.raises(ConfigError, match="unknown setting 'prot'"):
        load_settings(environ={}, config_file=file)


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    settings = load_settings(environ={"LANGFUSE_LOCAL_PORT": ""}, config_file=tmp_path / "none.toml")
    assert settings.port == 0


@pytest.mark.parametrize("name", ["SALT", "ENCRYPTION_KEY"])
def test_a_secret_that_is_set_to_nothing_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / "config.toml"
    with pytest.raises(ConfigError, match=f"^{name} is empty. "):
        load_settings(environ={name: ""}, config_file=file)
    (tmp_path / "secret").write_text("of-a-file")
    from_file = {name: "", f"{name}_FILE": str(tmp_path / "secret")}
    assert getattr(load_settings(environ=from_file, config_file=file), name.lower()) == "of-a-file"
    file.write_text(f'{name.lower()} = ""\n')
    with pytest.raises(ConfigError, match=f"config.toml: {name.lower()} is empty. "):
        load_settings(environ={}, config_file=file)


def test_what_kubernetes_says_of_its_services_is_no_setting(tmp_path: Path) -> None:
    none = tmp_path / "none.toml"
    environ = {"REDIS_PORT": "tcp://10.0.0.1:6380", "LANGFUSE_LOCAL_PORT": "udp://[fd00::1]:80"}
    settings = load_settings(environ=environ, config_file=none)
    assert (settings.redis.port, settings.port) == (6379, 0)
    for value in ("tcp://10.0.0.1", "10.0.0.1:6379", "redis://10.0.0.1:6379"):
        with pytest.raises(ConfigError, match=r"REDIS_PORT is .* but must be a whole number"):
            load_settings(environ={"REDIS_PORT": value}, config_file=none)


def test_what_an_error_quotes_may_end_in_a_full_stop() -> None:
    assert str(ConfigError("It said: Authentication required..", hint="Fix it.")).startswith(
        "It said: Authentication required. "
    )
    assert str(ConfigError("Wait ...")) == "Wait ..."


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "salt").write_text("from-a-file\n")
    environ = {"SALT_FILE": str(tmp_path / "salt")}
    assert load_settings(environ=environ, config_file=tmp_path / "none").salt == "from-a-file"
    assert load_settings(environ={**environ, "SALT": "given"}, config_file=tmp_path / "none").salt == "given"
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ConfigError, match=r"SALT_FILE names .*, which is empty"):
        load_settings(environ={"SALT_FILE": str(tmp_path / "empty")}, config_file=tmp_path / "none")
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


@pytest.mark.parametrize("given", [None, Path("~/given")])
@pytest.mark.parametrize("named", ["", "/named", "relative"])
@pytest.mark.parametrize("written", ["", "data_dir = '/written'\nport = 3001\n"])
def test_the_data_directory_alone_is_that_of_the_settings(
    given: Path | None, named: str, written: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(written)
    environ = {"LANGFUSE_LOCAL_DATA_DIR": named} if named else {}
    settings = load_settings({"data_dir": given}, environ=environ, config_file=file)
    assert find_data_dir(given, environ=environ, config_file=file) == settings.data_dir


@pytest.mark.parametrize(
    ("environ", "written"),
    [
        ({"LANGFUSE_LOCAL_DATA_DIR": "/a\nb"}, ""),
        ({"LANGFUSE_LOCAL_DATA_DIR": "'/a'"}, ""),
        ({"LANGFUSE_LOCAL_DATA_DIR_FILE": "/none"}, ""),
        ({}, "data_dir = 1"),
        ({}, "data_dir"),
    ],
)
def test_a_data_directory_that_cannot_be_used_is_told_in_the_same_words(
    environ: dict[str, str], written: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(written)
    with pytest.raises(ConfigError) as of_settings:
        load_settings(environ=environ, config_file=file)
    with pytest.raises(ConfigError) as alone:
        find_data_dir(None, environ=environ, config_file=file)
    assert str(alone.value) == str(of_settings.value)
