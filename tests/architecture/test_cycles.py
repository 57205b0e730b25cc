"""No module imports itself by way of others, not even inside a function or for types only."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest


def test_no_modules_import_each_other() -> None:
    graph = grimp.build_graph("appliance", "tui", cache_dir=None)
    order = TopologicalSorter({module: graph.find_modules_directly_imported_by(module) for module in graph.modules})
    try:
        order.prepare()
    except CycleError as error:
        pytest.fail(f"An import circle: {' <- '.join(error.args[1])}")
