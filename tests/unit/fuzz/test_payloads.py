"""No payload, however hostile, makes web or the worker fail; for longer: python -m tests.fuzz."""

from __future__ import annotations

import pytest

from tests.fuzz.checks import CHECKS, run

EXAMPLES = 80


@pytest.mark.parametrize("name", CHECKS)
def test_it_holds(name: str) -> None:
    run(name, EXAMPLES, derandomize=True)
