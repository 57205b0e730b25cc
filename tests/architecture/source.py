"""Where the project lies, and what can be asked of its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def modules(*packages: str) -> Iterator[Path]:
    """All Python files of the packages."""
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a file, methods and nested ones too."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def document(name: str) -> str:
    """The text of a file below docs/, or of a file at the root."""
    return (ROOT / name).read_text()
