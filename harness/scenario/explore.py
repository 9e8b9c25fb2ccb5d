"""The section `explore` of a scenario file: what has to hold in every run of a search."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt

from harness.scenario.section import Section
from harness.units import Count, PositiveSeconds


class RunLimits(Section):
    """What one task may take at most, whatever fails."""

    calls: Count | None = None
    """Calls of models; the attempts of a call are not counted."""
    tokens: Count | None = None
    """Input, cached and output tokens of all attempts."""
    cost_usd: Annotated[float, Gt(0)] | None = None
    """Cost of all attempts [USD]."""
    latency_s: PositiveSeconds | None = None
    """Time from the start to the end of the task [s]."""
    recovery_s: PositiveSeconds | None = None
    """Time from the end of the last fault to the end of the task [s]. With it a task may go on for as long as a fault lasts."""

    def stated(self) -> dict[str, float]:
        """The limits that are stated, by name."""
        every = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in every.items() if value is not None}


class ExploreSpec(Section):
    """What `harness explore` looks for besides errors, wrong answers, deadlocks and repeated effects."""

    limits: RunLimits = RunLimits()
    """Bounds that every task has to keep."""
