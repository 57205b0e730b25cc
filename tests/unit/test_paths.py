"""Where data and configuration lie for users who have no home directory."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs
import pytest

from appliance.config import load_settings
from appliance.errors import ConfigError


@pytest.fixture(autouse=True)
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without HOME and without an entry in the list of users."""

    def no_home(*_arguments: object, **_options: object) -> str:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(platformdirs, "user_data_dir", no_home)
    monkeypatch.setattr(platformdirs, "user_config_dir", no_home)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)


def test_without_a_home_the_data_directory_must_be_named() -> None:
    with pytest.raises(ConfigError, match=r"no home directory\. Set HOME"):
        load_settings(environ={})


def test_a_named_data_directory_needs_no_home(tmp_path: Path) -> None:
    assert load_settings(environ={"LANGFUSE_LOCAL_DATA_DIR": str(tmp_path)}).data_dir == tmp_path
    assert load_settings({"data_dir": tmp_path}, environ={}).data_dir == tmp_path


def test_a_data_directory_below_the_home_of_somebody_unknown_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="there is no home directory"):
        load_settings(environ={"LANGFUSE_LOCAL_DATA_DIR": "~no-such-user/data"})
