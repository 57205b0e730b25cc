"""What is read from one server is read alike from a cluster of two: the same tests, on Distributed tables."""

from __future__ import annotations

from tests.integration.read import test_aggregation, test_sessions, test_traces

# Folding on a cluster takes long; one test of it runs every statement.
test_aggregation_of_cluster = test_aggregation.test_a_folded_trace_changes_with_what_comes_later

for module in (test_sessions, test_traces):
    subject = module.__name__.rpartition(".")[2]
    globals().update(
        {f"{name}_of_{subject[5:]}": test for name, test in vars(module).items() if name.startswith("test_")}
    )
