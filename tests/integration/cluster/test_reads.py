"""All that is read from one server is read alike from a cluster of two: the same tests, on Distributed tables."""

from __future__ import annotations

from types import ModuleType

from tests.integration.read import (
    test_metrics,
    test_observations,
    test_scores,
    test_sessions,
    test_traces,
)

_MODULES: tuple[ModuleType, ...] = (
    test_metrics,
    test_observations,
    test_scores,
    test_sessions,
    test_traces,
)

for module in _MODULES:
    subject = module.__name__.rpartition(".")[2]
    globals().update(
        {f"{name}_of_{subject[5:]}": test for name, test in vars(module).items() if name.startswith("test_")}
    )
