"""The list of recorded sources: which packages, which program, and what the program tells about its traces."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"


@dataclass(frozen=True, slots=True)
class Trace:
    """One trace as the program made it; root is the name its first span must show."""

    root: str
    session: str | None = None
    user: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of sources.toml."""

    name: str
    packages: tuple[str, ...]
    program: str
    traces: tuple[Trace, ...]
    tools: tuple[str, ...] = ()
    """Tools that the program ran, once for each run."""
    not_sent: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Per call (from 0) the facts that the library itself leaves out of its telemetry."""
    notes: tuple[str, ...] = ()
    manual_calls: tuple[dict[str, Any], ...] = ()
    """Calls that the program only reports, without asking the provider; fields as in expect.json."""
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def is_python(self) -> bool:
        return self.program.endswith(".py")


def sources() -> dict[str, Source]:
    """All sources by name, in the order of the manifest."""
    entries = tomllib.loads((HERE / "sources.toml").read_text())
    return {name: _source(name, entry) for name, entry in entries.items()}


def _source(name: str, entry: dict[str, Any]) -> Source:
    return Source(
        name=name,
        packages=tuple(entry["packages"]),
        program=entry.get("program", name.replace("-", "_") + ".py"),
        traces=tuple(Trace(**{**one, "tags": tuple(one.get("tags", ()))}) for one in entry["traces"]),
        tools=tuple(entry.get("tools", ())),
        not_sent={int(call): tuple(facts) for call, facts in entry.get("not_sent", {}).items()},
        notes=tuple(entry.get("notes", ())),
        manual_calls=tuple(entry.get("manual_calls", ())),
        environ=entry.get("environ", {}),
    )
