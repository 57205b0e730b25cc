"""The tree of folders in docs/architecture.md, made from the first lines of the packages' docstrings.

`python -m tests.architecture.code_tree` writes it into the page.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import ROOT, document

PAGE = "docs/architecture.md"
_BEGIN, _END = "```tree\n", "```\n"
_COLUMN = 22
_OTHERS = {
    "compose": "The compose files, their image and nginx; made from the catalog in orchestrator/runtimes/docker.",
    "tests/unit": "One module, no I/O; mirrors the source.",
    "tests/fakes": "Stand-ins for stores, and the suites that hold fake and real to the same behaviour.",
    "tests/integration": "Real Postgres, Redis and ClickHouse, from the embedded runtime and in containers.",
    "tests/tui": "The terminal UI, driven by Textual's pilot.",
    "tests/acceptance": "A whole appliance, used by the official SDKs, killed, and looked at in tmux.",
    "tests/architecture": "Sizes, imports, documents, the wheel.",
    "tests/fuzz": "Random payloads, for as long as one likes.",
    "tests/benchmarks": "Measurements, on demand.",
    "tests/corpus_recording": "The programs that recorded tests/data/corpus.",
    "tests/price_table": "The program that makes appliance/model/prices.json.",
    "tests/data": "Recorded payloads of some seventy libraries, and what must come of them.",
}


def tree() -> str:
    """One line per folder: its name, indented, and what it is for."""
    lines = [line for package in ("appliance", "tui") for line in _lines(ROOT / package, 0)]
    above = ""
    for path, purpose in _OTHERS.items():
        folder, _, name = path.rpartition("/")
        if folder and folder != above:
            lines.append(f"{folder}/")
        above = folder
        lines.append(_line(name, purpose, 1 if folder else 0))
    return "\n".join(lines) + "\n"


def missing_folders() -> list[str]:
    """Folders of the repository with Python files that the tree does not show."""
    shown = {"appliance", "tui", *_OTHERS}
    tests = {f"tests/{folder.name}" for folder in (ROOT / "tests").iterdir() if any(folder.rglob("*.*"))}
    return sorted((tests | {"compose"}) - shown - {"tests/__pycache__"})


def page_with_tree() -> str:
    """The page with the tree of today."""
    before, _, rest = document(PAGE).partition(_BEGIN)
    return f"{before}{_BEGIN}{tree()}{_END}{rest.partition(_END)[2]}"


def _lines(package: Path, depth: int) -> Iterator[str]:
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    yield _line(package.name, docstring.partition("\n")[0], depth)
    for folder in sorted(package.iterdir()):
        if (folder / "__init__.py").is_file():
            yield from _lines(folder, depth + 1)


def _line(name: str, purpose: str, depth: int) -> str:
    return f"{'  ' * depth}{name}/".ljust(_COLUMN) + purpose


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page_with_tree())
