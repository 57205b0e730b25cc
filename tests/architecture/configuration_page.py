"""Writes docs/configuration.md out of the settings themselves: `python -m tests.architecture.configuration_page`."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import typing
from collections.abc import Iterator
from typing import Any, Literal

from appliance.config import Settings

HEAD = """\
# Configuration

<!-- Made by `python -m tests.architecture.configuration_page > docs/configuration.md` from the settings' own texts. -->

Settings come from four places; a later one wins over an earlier one:

1. the defaults below,
2. `config.toml` in the config directory (`~/.config/langfuse-local/` on Linux,
   `~/Library/Application Support/langfuse-local/` on macOS),
3. environment variables,
4. flags of the command line.

In `config.toml` a setting has its short name, below a heading where the table below has one:

```toml
port = 4000

[ingestion]
max_attempts = 5
```

Where Langfuse has a variable for the same thing, its name is used, so that an existing environment file works as it is.
An empty variable counts as not set, except that an empty `SALT` or `ENCRYPTION_KEY` is refused. Secrets may come from
files: `SALT_FILE=/run/secrets/salt` stands for `SALT` with what that file holds, and so for every variable below; a
variable that is set itself wins. What Kubernetes puts into `REDIS_PORT` or `LANGFUSE_LOCAL_PORT` for a service of that
name (`tcp://...`) is ignored.
"""


def configuration_page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_section(Settings, "")])


def _section(cls: type[Any], prefix: str) -> Iterator[str]:
    nested: list[tuple[str, type[Any]]] = []
    yield from (f"## {'`[' + prefix + ']`' if prefix else 'General'}", "")
    yield from ("| Setting | Variable | Default | Meaning |", "| --- | --- | --- | --- |")
    texts = _texts(cls)
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            nested.append((name, hint))
            continue
        kind, variable = typing.get_args(hint)[0], hint.__metadata__[0].name
        yield f"| `{name}` | `{variable}` | {_default(cls, name, kind)} | {texts[name]} |"
    yield ""
    for name, inner in nested:
        yield from _section(inner, name)


def _default(cls: type[Any], name: str, kind: Any) -> str:
    found = next(field for field in dataclasses.fields(cls) if field.name == name)
    if found.default is dataclasses.MISSING:
        return "the user's data directory" if name == "data_dir" else "see text"
    if typing.get_origin(kind) is Literal or isinstance(found.default, str):
        return f"`{found.default}`" if found.default else "none"
    return f"`{str(found.default).lower() if isinstance(found.default, bool) else found.default}`"


def _texts(cls: type[Any]) -> dict[str, str]:
    """The string below each field."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    texts = {}
    for statement, following in zip(tree.body, tree.body[1:], strict=False):
        match statement, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                texts[name] = " ".join(text.split()).replace("|", "\\|")
    return texts


if __name__ == "__main__":
    print(configuration_page(), end="")
