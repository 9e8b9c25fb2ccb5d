"""Limits on metrics in a scenario file: budgets, and how much worse the gate lets a metric become."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Le
from pydantic import AfterValidator, model_validator
from pydantic_core import PydanticCustomError

from harness.metrics import DEFAULT_LIMITS, METRICS
from harness.metrics.limits import SHARES
from harness.scenario.section import Section


def _known_metric(name: str) -> str:
    if name not in METRICS:
        raise PydanticCustomError(
            "unknown_name",
            "there is no metric {name}",
            {"name": repr(name), "known": list(METRICS)},
        )
    return name


MetricName = Annotated[str, AfterValidator(_known_metric)]


class Budget(Section):
    """A limit on a metric, in the metric's own unit."""

    below: float | None = None
    """The value must be below this."""
    at_most: float | None = None
    """The value must not be above this."""
    above: float | None = None
    """The value must be above this."""
    at_least: float | None = None
    """The value must not be below this."""

    @model_validator(mode="after")
    def _check_one(self) -> Budget:
        if len(self.bounds()) != 1:
            raise PydanticCustomError(
                "one_of", "give exactly one of below, at_most, above, at_least"
            )
        return self

    def bounds(self) -> dict[str, float]:
        """The limits that are stated."""
        stated = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in stated.items() if value is not None}

    def passes(self, value: float) -> bool:
        """Whether a value is within the limits."""
        ((bound, limit),) = self.bounds().items()
        return {
            "below": value < limit,
            "at_most": value <= limit,
            "above": value > limit,
            "at_least": value >= limit,
        }[bound]

    def __str__(self) -> str:
        ((bound, limit),) = self.bounds().items()
        return f"{bound.replace('_', ' ')} {limit:g}"


class GateLimit(Section):
    """How much worse a metric may become against a baseline: in percent, or in points when it is a share."""

    percent: Annotated[float, Ge(0)] | None = None
    """In percent of the baseline's value."""
    points: Annotated[float, Ge(0), Le(100)] | None = None
    """Percentage points; for `success_rate`, `quality_mean`, `work_share` and `utilisation`."""
    level: Literal["error", "warn", "ignore"] = "error"
    """Whether the gate fails, warns, or ignores the metric."""


def check_units(limits: dict[str, GateLimit]) -> dict[str, GateLimit]:
    """Make sure that each limit of the gate is in the unit of its metric, and is there."""
    for metric, limit in limits.items():
        right, wrong = ("points", "percent") if metric in SHARES else ("percent", "points")
        if getattr(limit, wrong) is not None:
            raise PydanticCustomError(
                "one_of",
                "is not stated in {wrong}; give {right}",
                {"wrong": wrong, "right": right, "at": (metric,)},
            )
        has_one = getattr(limit, right) is not None or metric in DEFAULT_LIMITS
        if not has_one and limit.level != "ignore":
            raise PydanticCustomError(
                "one_of",
                "has no default limit; give {right}",
                {"right": right, "at": (metric,)},
            )
    return limits
