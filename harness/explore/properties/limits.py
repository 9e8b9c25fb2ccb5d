"""Bounds on calls, tokens, cost and time that every task keeps, whatever fails."""

from __future__ import annotations

import math

from harness.errors import HarnessError
from harness.explore.properties.api import Context, Failure, Property
from harness.scenario.explore import RunLimits
from harness.units import render

_NAMES = ("calls", "tokens", "cost_usd", "latency_s")


def within(limits: RunLimits) -> Property:
    """The property that every task keeps its limits, whether it ends well or not."""
    stated = {name: value for name, value in limits.stated().items() if name in _NAMES}

    def holds(context: Context) -> Failure | None:
        for task in context.now.spent:
            for name, most in stated.items():
                took = getattr(task, name)
                if math.isnan(took):
                    raise HarnessError(
                        f"the limit {name} cannot be checked, because the price of a model is unknown"
                    )
                if took > most:
                    told = f"task {task.task} took {_shown(name, took)}, more than its limit of {_shown(name, most)}"
                    return Failure("limit", told, "", name)
        return None

    return holds


def _shown(name: str, value: float) -> str:
    if name in ("calls", "tokens"):
        return f"{value:,.0f} {name}"
    return render(name, value)
