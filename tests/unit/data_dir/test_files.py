"""The files of a data directory: state, lock, secrets, logs, and the disk space that they need."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from appliance.cli.processes import migrate, web
from appliance.config import InitSettings, Settings
from appliance.data_dir import disk_space
from appliance.data_dir.lock import hold_lock, is_locked, make_folders
from appliance.data_dir.logfiles import LogFollower, RotatingLog, last_lines, lines_since, size_of
from appliance.data_dir.private_files import write_private
from appliance.data_dir.secrets import ensure_secrets, read_secrets, store_key_pair, with_secrets, with_stored_salt
from appliance.data_dir.state import ProcessRecord, State, read_state, write_state
from appliance.errors import AlreadyRunning, ConfigError, StartFailed
from appliance.model.key_pair import KeyPair
from appliance.orchestrator.switch import forget
from appliance.paths import DataDir


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    data_dir = DataDir(tmp_path / "data")
    make_folders(data_dir)
    return data_dir


def test_state_comes_back_as_it_was(place: DataDir) -> None:
    record = ProcessRecord(name="redis", pid=7, create_time=1.5, stop_signal=15)
    state = State(url="http://localhost:3000", processes=[record], ports={"web": 3000})
    write_state(place, state)
    assert read_state(place) == state


def test_no_state_and_one_of_another_version_are_empty(place: DataDir) -> None:
    assert read_state(place) == State()
    place.state_file.write_text('{"ports": "?"}')
    assert read_state(place) == State()


def test_the_lock_has_one_holder(place: DataDir) -> None:
    assert not is_locked(place)
    with hold_lock(place):
        assert is_locked(place)
        with pytest.raises(AlreadyRunning), hold_lock(place):
            pass
    assert not is_locked(place)


def test_a_disk_that_turned_read_only_does_not_hide_the_lock(place: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    with hold_lock(place):
        pass
    real = os.open

    def refuse_writing(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refuse_writing)
    assert not is_locked(place)
    with hold_lock(place):
        assert is_locked(place)


def test_a_file_in_place_of_the_directory_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        make_folders(DataDir(tmp_path / "file"))


def test_secrets_are_private_and_stay(place: DataDir) -> None:
    first = ensure_secrets(place, Settings())
    assert ensure_secrets(place, Settings()) == first == read_secrets(place)
    assert stat.S_IMODE(place.secrets_file.stat().st_mode) == 0o600
    assert len(first.encryption_key) == 64 and first.public_key.startswith("pk-lf-")


def test_a_pair_that_migrate_made_alone_is_kept_by_up(place: DataDir) -> None:
    store_key_pair(place, KeyPair("pk-a", "sk-a"))
    made = ensure_secrets(place, Settings())
    assert (made.public_key, made.secret_key) == ("pk-a", "sk-a") and made.salt
    store_key_pair(place, KeyPair("pk-b", "sk-b"))
    assert read_secrets(place) is not None and read_secrets(place).salt == made.salt  # type: ignore[union-attr]
    assert read_secrets(place).key_pair == KeyPair("pk-b", "sk-b")  # type: ignore[union-attr]
    assert [file.name for file in place.root.glob("*.json")] == ["secrets.json"]


def test_a_secret_that_only_the_database_knows_is_not_invented(place: DataDir) -> None:
    store_key_pair(place, KeyPair("pk-a", ""))
    assert ensure_secrets(place, Settings()).secret_key == ""


def test_given_keys_are_asked_for_but_not_stored_unseen(place: DataDir) -> None:
    settings = Settings(data_dir=place.root, init=InitSettings(public_key="pk-init", secret_key="sk-init"), salt="s")
    known = ensure_secrets(place, settings)
    assert known.public_key != "pk-init" and known.salt == "s"
    assert with_secrets(settings, known).init == settings.init
    assert with_stored_salt(dataclasses.replace(settings, salt="")).salt == "s"


def test_without_any_salt_nothing_is_served(place: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SALT", raising=False)
    for command in (web, migrate):
        refused = CliRunner(env={"LANGFUSE_LOCAL_DATA_DIR": str(place.root)}).invoke(command, [])
        assert isinstance(refused.exception, ConfigError) and "There is no SALT." in str(refused.exception)


def test_an_encryption_key_is_64_hex_characters_unless_it_is_in_use(place: DataDir) -> None:
    with pytest.raises(ConfigError, match="ENCRYPTION_KEY must be 64 hex characters"):
        ensure_secrets(place, Settings(encryption_key="abc"))
    assert not place.secrets_file.exists()
    write_private(place.secrets_file, '{"encryption_key": "abc"}')
    assert ensure_secrets(place, Settings(encryption_key="abc")).encryption_key == "abc"
    with pytest.raises(ConfigError, match="ENCRYPTION_KEY"):
        with_stored_salt(Settings(data_dir=place.root, encryption_key="abd"))


def test_broken_secrets_are_one_sentence(place: DataDir) -> None:
    place.secrets_file.write_text("{")
    with pytest.raises(ConfigError, match="Restore it"):
        ensure_secrets(place, Settings())
    with pytest.raises(ConfigError, match="Restore it"):
        store_key_pair(place, KeyPair("pk-a", "sk-a"))


def test_a_log_rotates_by_size_and_keeps_its_last_lines(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    log = RotatingLog(path, max_bytes=40, kept=3)
    for number in range(30):
        log.write(f"line {number:02}\n".encode())
    log.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["web.log", "web.log.1", "web.log.2"]
    assert all(file.stat().st_size <= 40 for file in tmp_path.iterdir())
    assert last_lines(path, 7) == [f"line {number}" for number in range(23, 30)]
    assert last_lines(path, 0) == [] and last_lines(tmp_path / "none.log", 5) == []


def test_lines_since_a_size_are_those_that_came_after(tmp_path: Path) -> None:
    path = tmp_path / "migrate.log"
    assert (size_of(path), lines_since(path, 0)) == (0, [])
    path.write_text("old\n")
    before = size_of(path)
    path.write_text("old\nnew\n")
    assert lines_since(path, before) == ["new"]
    assert lines_since(path, 1000) == ["old", "new"]


def test_too_little_room_is_said_before_a_start(place: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    disk_space.require_disk_space(place, "external")
    monkeypatch.setattr(disk_space, "FIRST_START_BYTES", 10**18)
    with pytest.raises(ConfigError, match=r"No space left on the disk of .* Free at least \d+ MB more"):
        disk_space.require_disk_space(place, "embedded")


def test_a_failure_of_a_full_disk_is_called_so(place: DataDir) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    said = "initdb: could not write: No space left on device"
    for error in (full, StartFailed(said)):
        assert disk_space.translate_error(error, place).message.startswith("No space left on the disk of")
    other = StartFailed("redis does not start")
    assert disk_space.translate_error(other, place) is other
    assert "Read-only" in str(disk_space.translate_error(OSError(errno.EROFS, "Read-only file system", "/x"), place))


def test_the_state_file_is_json_for_people(place: DataDir) -> None:
    write_state(place, State(ports={"web": 3000}))
    assert json.loads(place.state_file.read_text()) == {"ports": {"web": 3000}}


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_what_is_made_is_private_whatever_the_umask(tmp_path: Path) -> None:
    place = DataDir(tmp_path / "data")
    make_folders(place)
    ensure_secrets(place, Settings())
    write_state(place, State())
    RotatingLog(place.log_file("web")).close()
    with hold_lock(place):
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [place.root, *place.root.rglob("*")]}
    assert len(modes) == 7
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_a_data_directory_that_was_open_is_closed(place: DataDir) -> None:
    for folder in (place.root, place.logs, place.run):
        folder.chmod(0o777)
    make_folders(place)
    assert not stat.S_IMODE(place.root.stat().st_mode) & 0o066
    assert stat.S_IMODE(place.logs.stat().st_mode) == stat.S_IMODE(place.run.stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_data_directory_of_another_user_is_refused(place: DataDir) -> None:
    os.chown(place.root, 65534, 65534)
    with pytest.raises(ConfigError, match=r"belongs to nobody.*Run this command as that user"):
        make_folders(place)


def test_a_state_that_another_user_may_have_written_is_not_believed(place: DataDir, tmp_path: Path) -> None:
    write_state(place, State(url="http://localhost:1"))
    place.state_file.chmod(0o666)
    with pytest.raises(ConfigError, match="another user may have written it"):
        read_state(place)
    place.state_file.unlink()
    (tmp_path / "elsewhere").write_text("{}")
    place.state_file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigError):
        read_state(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_looks_at_the_appliance_of_another_user_and_moves_nothing_there(place: DataDir) -> None:
    """As after `service install`, whose unit runs as a user of its own."""
    write_state(place, State(url="http://localhost:1"))
    os.chown(place.state_file, 65534, 65534)
    with pytest.raises(ConfigError, match="another user may have written it"):
        read_state(place)
    os.chown(place.root, 65534, 65534)
    assert read_state(place).url == "http://localhost:1"
    with pytest.raises(ConfigError, match="Run this command as that user"):
        forget(Settings(data_dir=place.root), "docker")


def test_a_log_does_not_go_where_a_link_leads(place: DataDir, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("whole")
    place.log_file("web").symlink_to(tmp_path / "victim")
    log = RotatingLog(place.log_file("web"))
    log.write(b"line")
    log.close()
    assert (tmp_path / "victim").read_text() == "whole"
    assert place.log_file("web").read_text() == "line"


def test_a_file_that_stands_already_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_private(path, "text")
    first = path.stat()
    write_private(path, "text")
    assert path.stat().st_ino == first.st_ino
    path.chmod(0o644)
    write_private(path, "text")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_private(path, "other")
    assert path.read_text() == "other"


def test_a_follower_reads_whole_lines_and_begins_anew_after_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "web.log"
    path.write_text("old\n")
    follower = LogFollower(path)
    with path.open("a") as log:
        log.write("one\ntw")
    assert follower.new_lines() == ["one"]
    with path.open("a") as log:
        log.write("o\n")
    assert follower.new_lines() == ["two"]
    path.rename(tmp_path / "web.log.1")
    assert follower.new_lines() == []
    path.write_text("new\n")
    assert follower.new_lines() == ["new"]
