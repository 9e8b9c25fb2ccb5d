"""Faults of clocks at work, in a program of the user's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.chance import Draws
from harness.faults.chooser import Chooser
from harness.faults.clock_skew import ClockSkew
from harness.faults.inject import PlannedFault
from harness.faults.selector import Occurrence
from harness.spans import Span, SpanLog

Reader = Callable[[], tuple[str, Span]]
"""Tells which agent's code runs now, and the span that it belongs to."""


class ClockFaults:
    """How far the wall clocks of agents are ahead.

    Args:
        planned: The whole plan.
        draws: Source of random values.
        log: The log of the run.
        reader: Tells who reads a clock.
    """

    def __init__(
        self, planned: Sequence[PlannedFault], draws: Draws, log: SpanLog, reader: Reader
    ) -> None:
        self.chooser = Chooser(planned, ClockSkew, draws, log)
        self._reader = reader

    def skew_s(self) -> float:
        """How far the clock is ahead that is read now [s]."""
        agent, span = self._reader()
        customer = self.chooser.log.customer_of(span.task)
        met = Occurrence(agent, span.task, customer, 1, f"{span.task}/{agent}/clock")
        fault = self.chooser.choose(met, lambda _: True)
        return 0.0 if fault is None else fault.by_s
