"""Converts text from files and variables to values of settings; errors name the setting and show no secret."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from appliance.errors import ConfigError

_IS_PASSWORD = re.compile("PASSWORD|PASSPHRASE|AUTH$")
_OF_KUBERNETES = re.compile(r"(tcp|udp|sctp)://\S+:[0-9]+")
"""Kubernetes sets NAME_PORT to this in each container for a service called NAME."""
_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Between:
    """The inclusive bounds of a whole number; no upper bound when `most` is None."""

    least: int
    most: int | None = None

    def __str__(self) -> str:
        return f"{self.least} or more" if self.most is None else f"between {self.least} and {self.most}"


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """Marks a text that must not be empty where it is set."""


@dataclass(frozen=True, slots=True)
class HttpAddress:
    """Marks a text that must be an HTTP address."""


def read_toml(path: Path) -> dict[str, Any]:
    """The settings in the file, empty when it does not exist; raises ConfigError."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.", hint="Fix the file or remove it.") from error
    import tomllib  # imported here: most users have no such file

    try:
        return tomllib.loads(data.decode("utf-8-sig"))  # some editors write a byte order mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} is not UTF-8 in line {line}.", hint="Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} cannot be read: {error}.", hint="Fix the file or remove it.") from error


def table_of(value: Any, name: str, source: str) -> Mapping[str, Any]:
    """A table of the file; raises ConfigError for anything else."""
    if not isinstance(value, Mapping):
        raise ConfigError(f"{source}: {name} must be a table.", hint=f"Write [{name}], and its settings below.")
    return value


def text_of(environ: Mapping[str, str], variable: str) -> str:
    """The variable's value, else the content of the file that NAME_FILE names, as containers pass secrets."""
    path, text = environ.get(f"{variable}_FILE", ""), environ.get(variable, "")
    if variable.endswith("_PORT") and _OF_KUBERNETES.fullmatch(text):
        text = ""
    if text or not path:
        if re.fullmatch(r"(['\"]).*\1", text, re.DOTALL) and not _IS_PASSWORD.search(variable):
            raise ConfigError(
                f"{variable} begins and ends with a quote.", hint="Leave the quotes out: they count as its value."
            )
        return text
    try:
        content = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{variable}_FILE names {path}, which cannot be read: {error}.") from error
    if not content:
        raise ConfigError(f"{variable}_FILE names {path}, which is empty.")
    return content


def convert(kind: Any, value: Any, source: str, rules: tuple[Any, ...] = ()) -> Any:
    """The value converted to `kind` and checked by `rules`; raises ConfigError that names `source`."""
    if typing.get_origin(kind) is Literal:
        return _choice(kind, value, source)
    if kind is bool:
        try:
            return _WORDS[str(value).lower()]
        except KeyError:
            raise ConfigError(f"{source} is {value!r}, but must be true or false.") from None
    if kind is int:
        return _number(value, source, next((rule for rule in rules if isinstance(rule, Between)), None))
    if not isinstance(value, str):
        raise ConfigError(f"{source} must be text, in quotes.")
    if "\0" in value:
        raise ConfigError(f"{source} holds a zero byte.")
    if not value and any(isinstance(rule, NotEmpty) for rule in rules):
        raise ConfigError(f"{source} is empty.", hint="Set it to a value of your own, or leave it out.")
    if any(isinstance(rule, HttpAddress) for rule in rules):
        require_http(value, source)
    return kind(value)


def require_http(address: str, source: str) -> None:
    """Raises ConfigError for anything but an HTTP address."""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\"']", address):
        raise ConfigError(f"{source} must be an address such as https://host:3000.")


def usable_directory(path: Path) -> Path:
    """The absolute path; raises ConfigError for characters that the stores' configuration files cannot hold."""
    try:
        path = path.expanduser().absolute()
    except (RuntimeError, FileNotFoundError) as error:
        what = "home" if isinstance(error, RuntimeError) else "current"
        raise ConfigError(f"The data directory {path} cannot be found: there is no {what} directory.") from error
    text = str(path)
    if match := re.search(r"[\x00-\x1f\x7f]", text):
        sign = "a line break" if match[0] in "\r\n" else "a control character"
        raise ConfigError(f"The data directory {text!r} has {sign} in its path.", hint="Choose another --data-dir.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"The data directory {text!r} has a byte in its path that is not UTF-8.", hint="Choose another --data-dir."
        ) from error
    return path


def _choice(kind: Any, value: Any, source: str) -> str:
    choices: tuple[str, ...] = typing.get_args(kind)
    text = str(value).lower()
    for choice in choices:
        if choice.lower() == text:
            return choice
    raise ConfigError(f"{source} is {value!r}, but must be one of {', '.join(filter(None, choices))}.")


def _number(value: Any, source: str, bounds: Between | None) -> int:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number and not (isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value)):
        raise ConfigError(f"{source} is {value!r}, but must be a whole number.")
    number = int(value)
    if bounds is not None and (number < bounds.least or (bounds.most is not None and number > bounds.most)):
        raise ConfigError(f"{source} is {number}, but must be {bounds}.")
    return number
