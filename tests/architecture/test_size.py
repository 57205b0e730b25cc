"""No file and no function grows past what fits in a head, and nothing hides where it should not."""

from __future__ import annotations

import ast

from tests.architecture.source import ROOT, functions, modules

LONGEST_FILE = 420
LONGEST_FUNCTION = 56
HAND_ON = {"appliance/orchestrator/processes/child.py", "appliance/orchestrator/runtimes/embedded/postgres_identity.py"}
"""They look at PATH and its like for the processes that they start, at no setting."""


def test_files_are_short() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in modules("appliance", "tui")}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    too_long = {}
    for file in modules("appliance", "tui"):
        for function in functions(file):
            body = (function.end_lineno or 0) - function.lineno + 1
            if body > LONGEST_FUNCTION:
                too_long[f"{file.relative_to(ROOT)}:{function.name}"] = body
    assert too_long == {}


def reads_environment(node: ast.AST) -> bool:
    """Whether the node takes one variable out of the environment."""
    match node:
        case ast.Subscript(value=ast.Attribute(attr="environ")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get")):
            return True
        case ast.Call(func=ast.Attribute(attr="getenv")):
            return True
    return False


def test_only_config_and_paths_read_the_environment() -> None:
    readers = {
        str(file.relative_to(ROOT))
        for file in modules("appliance")
        if any(reads_environment(node) for node in ast.walk(ast.parse(file.read_text())))
    }
    assert readers - HAND_ON == set()


def test_no_module_is_named_after_nothing() -> None:
    banned = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    assert [str(file) for file in modules("appliance", "tui", "tests") if file.stem in banned] == []
