"""The section `sweep` of a scenario file: where it is simulated, and what is asked of that."""

from __future__ import annotations

import json
from typing import Annotated

from annotated_types import Len
from pydantic import (
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from harness.scenario.bounds import MetricName
from harness.scenario.section import Section
from harness.units import Count


def _checked(value: object, check: ValidatorFunctionWrapHandler) -> object:
    """Say once what values are: of a union, pydantic says it for each branch."""
    try:
        return check(value)
    except ValidationError:
        raise PydanticCustomError(
            "values", "write values in a list, such as [1, 2], or a range such as 0.1..2.0:8"
        ) from None


def _sample(value: object, check: ValidatorFunctionWrapHandler) -> object:
    try:
        return check(value)
    except ValidationError:
        raise PydanticCustomError("sample", "write latin:20 or random:20, for 20 points") from None


Values = Annotated[
    Annotated[list[JsonValue], Len(1)] | Annotated[str, StringConstraints(min_length=1)],
    WrapValidator(_checked),
]
"""Values of a key in a list, or a range such as `0.1..2.0:8`."""


class SweepSpec(Section):
    """Points of a sweep."""

    grid: dict[str, Values] = {}
    """Keys of this file, such as `workload.tasks`, each with its values; all combinations are simulated."""
    zip: dict[str, Values] = {}
    """Keys whose values change together: the first ones, the second ones, and so on."""
    sample: (
        Annotated[
            str,
            StringConstraints(pattern=r"^(random|latin):[1-9][0-9]{0,5}$"),
            WrapValidator(_sample),
        ]
        | None
    ) = None
    """How many points are drawn from the ranges of `grid`, instead of all combinations: `latin:20` or `random:20`."""
    runs: Count | None = None
    """How many seeds each point has; absent means as many as the scenario."""
    conditions: tuple[str, ...] = Field(default=(), alias="while")
    """Conditions such as `latency_s_p95<30`; each point is told whether they hold."""
    metrics: tuple[MetricName, ...] = ()
    """The metrics that are shown; absent means latency, cost and success."""
    pass_k: Count | None = None
    """The largest number of independent runs whose joint success is told."""

    @model_validator(mode="after")
    def _check_some(self) -> SweepSpec:
        if not self.grid and not self.zip:
            raise PydanticCustomError("one_of", "give `grid` or `zip`: the keys that are changed")
        return self


def as_text(value: JsonValue) -> str:
    """A value as it is written after `--set KEY=`."""
    return value if isinstance(value, str) else json.dumps(value)
