"""Every key and channel of Redis carries the one hash tag, or a cluster would spread what belongs together."""

from __future__ import annotations

import ast

from tests.architecture.source import ROOT, modules


def texts(node: ast.AST) -> list[str]:
    """The texts that code works with; docstrings and comments are not among them."""
    found = []
    for each in ast.walk(node):
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
            each.value.value = None
        if isinstance(each, ast.Constant) and isinstance(each.value, str | bytes):
            found.append(each.value.decode() if isinstance(each.value, bytes) else each.value)
    return found


def test_no_key_is_named_without_the_tag() -> None:
    """Use `appliance.storage.redis.keys.key`."""
    named = {
        f"{file.relative_to(ROOT)}: {text}"
        for file in modules("appliance/storage/redis", "appliance/orchestrator", "appliance/worker", "appliance/web")
        for text in texts(ast.parse(file.read_text()))
        if text.startswith("langfuse:")
    }
    assert named == set()
