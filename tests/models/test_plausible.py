"""The plainest value of a JSON Schema: it is one that the schema's owner takes."""

from __future__ import annotations

import datetime
import enum
import uuid  # noqa: TID251 - a kind of text
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

import pytest
from pydantic import AnyUrl, Field, TypeAdapter

from harness.models.plausible import example


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
