"""What is read from one server is read alike from a cluster of two: the same tests, on Distributed tables."""

from __future__ import annotations

from tests.integration.read import test_sessions, test_traces

for module in (test_sessions, test_traces):
    subject = module.__name__.rpartition(".")[2]
    globals().update(
        {f"{name}_of_{subject[5:]}": test for name, test in vars(module).items() if name.startswith("test_")}
    )
