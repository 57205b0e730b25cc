"""Issues found by walking a refused value along its type."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from appliance import issues
from appliance.issues import BrokenRule, Issue
from appliance.schema_issues import issues_of


class Point(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Every kind of field."""

    the_name: Annotated[str, Meta(min_length=2, max_length=4)]
    kind: Literal["a", "b"] | None = None
    count: Annotated[int, Meta(gt=0, le=9)] = 1
    tags: Annotated[list[str], Meta(max_length=2)] = []
    prices: dict[str, float] = {}
    keys: tuple[str, ...] = ()
    label: Annotated[str, Meta(pattern=r"^[a-z]+\Z", extra={"message": "Small letters only"})] = "x"

    def __post_init__(self) -> None:
        if self.kind == "a" and self.count != 1:
            raise BrokenRule(issues.custom(("count",), "An a counts once"))
        if self.kind == "b" and self.tags:
            raise ValueError("A b has no tags")


def refusal(value: Any, *types: Any) -> list[Issue]:
    with pytest.raises(msgspec.ValidationError) as caught:
        for each in types:
            msgspec.convert(value, each)
    return issues_of(value, types, caught.value, ("body",))


def test_all_issues_are_found_in_the_order_of_the_fields() -> None:
    value = {"more": 1, "label": "X", "tags": ["t", 1, "u"], "count": 10, "kind": "c", "prices": {"p": None}}
    assert refusal(value, Point) == [
        issues.invalid_type(("body", "theName"), "string"),
        issues.invalid_value(("body", "kind"), ("a", "b")),
        issues.too_big(("body", "count"), "number", 9),
        issues.invalid_type(("body", "tags", 1), "string", 1),
        issues.too_big(("body", "tags"), "array", 2),
        issues.invalid_type(("body", "prices", "p"), "number", None),
        issues.no_match(("body", "label"), "/^[a-z]+$/", "Small letters only"),
        issues.unrecognized_keys(("body",), ["more"]),
    ]


@pytest.mark.parametrize(
    ("fields", "issue"),
    [
        ({"theName": "n"}, issues.too_small(("body", "theName"), "string", 2)),
        ({"theName": "names"}, issues.too_big(("body", "theName"), "string", 4)),
        ({"count": 0}, issues.too_small(("body", "count"), "number", 0, inclusive=False)),
        ({"count": 10**400}, issues.too_big(("body", "count"), "number", 9)),
        ({"count": 1.5}, issues.no_integer(("body", "count"))),
        ({"count": True}, issues.invalid_type(("body", "count"), "number", True)),
        ({"keys": ["k", 1]}, issues.invalid_type(("body", "keys", 1), "string", 1)),
        ({"prices": []}, issues.invalid_type(("body", "prices"), "record", [])),
        ({"label": "x\n"}, issues.no_match(("body", "label"), "/^[a-z]+$/", "Small letters only")),
        ({"kind": "a", "count": 2}, issues.custom(("body", "count"), "An a counts once")),
        ({"kind": "b", "tags": ["t"]}, issues.custom(("body",), "A b has no tags")),
    ],
)
def test_each_rule_has_its_kind_of_issue(fields: dict[str, Any], issue: Issue) -> None:
    assert refusal({"theName": "name"} | fields, Point) == [issue]


def test_the_number_of_issues_is_bounded() -> None:
    assert len(refusal([1] * 1000, list[str])) == 100
    assert len(refusal({str(number): "x" for number in range(1000)}, dict[str, int])) == 100


def test_of_several_types_the_only_one_of_the_right_shape_counts() -> None:
    short = Annotated[str, Meta(max_length=1)]
    assert refusal("ab", int, short) == [issues.too_big(("body",), "string", 1)]
    assert refusal(None, int, short) == [
        issues.invalid_union(
            ("body",), [[issues.invalid_type((), "number", None)], [issues.invalid_type((), "string", None)]]
        )
    ]
