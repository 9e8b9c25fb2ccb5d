"""A condition on a metric, such as `latency_s_p95<30`, and whether runs show that it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from harness.errors import HarnessError
from harness.gate.statistics import TAIL
from harness.metrics import METRICS
from harness.scenario.problems import allowed, nearest
from harness.sweep.results import PointResult

_FORM: Final = re.compile(
    r"\s*(?P<metric>[A-Za-z_][A-Za-z0-9_]*)\s*(?P<sign><=|>=|<|>)\s*(?P<bound>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
)

Holds = Literal["yes", "no", "unclear", "not measured"]


@dataclass(frozen=True, slots=True)
class Condition:
    """A bound of a metric's mean over seeds."""

    metric: str
    sign: Literal["<", "<=", ">", ">="]
    bound: float

    def __str__(self) -> str:
        return f"{self.metric}{self.sign}{self.bound:g}"

    def is_met(self, value: float) -> bool:
        """Whether a value is within the bound."""
        match self.sign:
            case "<":
                return value < self.bound
            case "<=":
                return value <= self.bound
            case ">":
                return value > self.bound
            case ">=":
                return value >= self.bound

    def holds(self, result: PointResult) -> Holds:
        """Whether the runs of a point show that it holds, or that it does not.

        Intervals are those of a gate, of 99.95 %: several looks and many points are decided by them.
        """
        found = result.interval(self.metric, TAIL)
        if found is None:
            return "not measured"
        low, high = self.is_met(found.low), self.is_met(found.high)
        if low != high:
            return "unclear"
        return "yes" if low else "no"


def condition_of(text: str, option: str = "--while") -> Condition:
    """Read a condition.

    Raises:
        HarnessError: It is written wrongly, or there is no such metric.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise HarnessError(
            f"{option} {text!r}: this is no condition\n"
            f"  How to fix: write METRIC<NUMBER, such as {option} 'latency_s_p95<30', with quotes around it"
        )
    metric = found["metric"]
    if metric not in METRICS:
        raise HarnessError(
            f"{option} {text!r}: there is no metric {metric!r}{nearest(metric, METRICS) or allowed(METRICS)}"
        )
    return Condition(metric, found["sign"], float(found["bound"]))  # type: ignore[arg-type]  # the form has only these


def all_hold(conditions: tuple[Condition, ...], result: PointResult) -> Holds:
    """Whether all conditions hold: no if one does not, and unclear if one is."""
    found = [condition.holds(result) for condition in conditions]
    for worst in ("no", "not measured", "unclear"):
        if worst in found:
            return worst
    return "yes"
