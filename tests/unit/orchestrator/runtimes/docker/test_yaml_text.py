"""What is written as YAML is read again as the same."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from appliance.orchestrator.runtimes.docker.yaml_text import Alias, Anchored, yaml_text


@pytest.mark.parametrize(
    "value",
    [
        "plain words",
        "yes",
        "Null",
        "1.5",
        "0o7",
        "a: b",
        "with # sign",
        '"quoted"',
        "- dash",
        "two\nlines",
        "*star",
        "",
        True,
        12,
        ["a", "b: c"],
        ["long" * 30, "second"],
        {"deep": {"deeper": ["x"]}},
        [{"path": "a", "required": False}],
    ],
)
def test_values_come_back(value: Any) -> None:
    assert yaml.safe_load(yaml_text({"key": value})) == {"key": value}


def test_nothing_is_written_as_nothing() -> None:
    assert yaml_text({"volume": None}) == "volume:\n"


def test_anchors() -> None:
    text = yaml_text(
        {"base": Anchored("base", {"a": 1}), "first": {"<<": Alias("base"), "b": 2}, "second": Alias("base")}
    )
    assert yaml.safe_load(text) == {"base": {"a": 1}, "first": {"a": 1, "b": 2}, "second": {"a": 1}}
