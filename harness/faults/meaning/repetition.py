"""A step that is done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.chance import Draws
from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.models import Reply, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRepetition(MeaningFault):
    """The agent repeats its last reply in the task, tool calls included. It meets no first call of a task."""

    def meets(self, request: Request, now_s: float, draws: Draws, name: str) -> bool:
        """Whether the fault applies to an attempt: there must be a step to repeat."""
        return request.call_in_task > 1 and MeaningFault.meets(self, request, now_s, draws, name)

    def verdict(self) -> Mislead:
        """The same step again."""
        return Mislead(cause="step_repetition", says=_again)


def _again(reply: Reply, _request: Request, earlier: Sequence[Reply]) -> Reply:
    return earlier[-1] if earlier else reply
