"""The data directory that the settings name, for programs that need no other setting and should start at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from appliance.config_values import convert, read_toml, text_of, usable_directory
from appliance.paths import default_config_file, default_data_dir

VARIABLE: Final = "LANGFUSE_LOCAL_DATA_DIR"


def find_data_dir(
    chosen: Path | None, *, environ: Mapping[str, str] | None = None, config_file: Path | None = None
) -> Path:
    """The same directory that `load_settings` would give, without reading other settings; raises ConfigError."""
    return usable_directory(chosen or _from_settings(os.environ if environ is None else environ, config_file))


def _from_settings(environ: Mapping[str, str], config_file: Path | None) -> Path:
    if text := text_of(environ, VARIABLE):
        return Path(convert(Path, text, VARIABLE))
    path = config_file or default_config_file()
    table = read_toml(path) if path else {}
    return Path(convert(Path, table["data_dir"], f"{path}: data_dir")) if "data_dir" in table else default_data_dir()
