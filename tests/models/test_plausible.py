"""The plainest value of a JSON Schema: it is one that the schema's owner takes."""

from __future__ import annotations

import datetime
import enum
import re
import uuid  # noqa: TID251 - a kind of text
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AnyUrl, Field, TypeAdapter

from harness.errors import NotSimulated
from harness.models.example import example
from harness.models.schemas import violation
from harness.models.text_of_pattern import text_of


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    "kind",
    [
        bool,
        datetime.date,
        datetime.datetime,
        datetime.time,
        datetime.timedelta,
        uuid.UUID,
        IPv4Address,
        AnyUrl,
        Colour,
        Literal["a", "b"],
        tuple[int, str],
        list[datetime.date],
        Annotated[str, Field(max_length=2)],
        Annotated[str, Field(min_length=9)],
        Annotated[list[int], Field(min_length=3)],
        Annotated[int, Field(le=-5)],
        Annotated[int, Field(ge=5)],
        Annotated[int, Field(gt=5)],
        Annotated[float, Field(lt=0)],
        str | None,
    ],
)
def test_value_is_taken_by_whoever_made_the_schema(kind: Any) -> None:  # noqa: ANN401 - any type
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    adapter.validate_python(example(adapter.json_schema()))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "pattern": r"^[A-Z]{3}-\d+$"},
        {"type": "string", "pattern": "^(red|green)s?$", "minLength": 4},
        {"type": "string", "pattern": r"^\w+@\w+\.[a-z]{2,}$"},
        {"type": "string", "pattern": "^[^aeiou]{2,}$", "minLength": 5, "maxLength": 6},
        {"type": "integer", "minimum": 1, "multipleOf": 7},
        {"type": "integer", "exclusiveMinimum": 6, "exclusiveMaximum": 8},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 2, "uniqueItems": True},
        {"type": "array", "contains": {"const": 4}},
        {"type": "object", "minProperties": 2, "additionalProperties": {"type": "integer"}},
        {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a", "b"]},
        {"allOf": [{"required": ["a"]}, {"properties": {"a": {"type": "boolean"}}}]},
        {"anyOf": [{"$ref": "#"}, {"type": "integer"}]},
        {"type": "object", "properties": {"a": {"minLength": 9}}, "anyOf": [{"required": ["a"]}]},
        {
            "$defs": {"tree": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                      "node": {"properties": {"next": {"$ref": "#/$defs/tree"}}, "required": ["next"]}},
            "$ref": "#/$defs/node",
        },
        {"definitions": {"x~/y": {"type": "integer"}}, "$ref": "#/definitions/x~0~1y"},
        {"minimum": 3},
    ],
    ids=str,
)  # fmt: skip
def test_value_keeps_the_schema(schema: dict[str, Any]) -> None:
    value = example(schema)
    assert violation(value, schema) is None, value


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "minItems": 10**9},
        {"type": "array", "items": {"type": "array", "minItems": 999}, "minItems": 999},
        {"type": "string", "minLength": 10**9},
        {"type": "object", "minProperties": 10**9},
    ],
)
def test_value_that_would_be_huge_is_refused_by_name(schema: dict[str, Any]) -> None:
    with pytest.raises(NotSimulated, match="10,000 parts"):
        example(schema)


@given(
    st.from_regex(r"(\^)?[a-c](\[[a-c0-9_-]+\]|\.|\\d|[xyz])([+*?]|\{1,3\})?\$?", fullmatch=True)
)
def test_text_is_found_by_its_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, FutureWarning):  # a set that later versions of Python may read otherwise
        return
    assert re.search(pattern, text_of(pattern, 0, 100))
