"""An agent that loses its task over time."""

from __future__ import annotations

from dataclasses import dataclass

from harness.chance import Draws
from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.faults.meaning.words import saying
from harness.models import Request
from harness.units import Count


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptDrift(MeaningFault):
    """From a call of the task on, the agent works on something else: its reply uses nothing of what it read, and is false."""

    from_call: Count = 2
    """The first call of the agent in a task that has drifted."""
    says: str = "This reminds me of another question, which I answer instead."
    """What it says."""

    def meets(self, request: Request, now_s: float, draws: Draws, name: str) -> bool:
        """Whether the fault applies to an attempt: it must be late enough."""
        is_late = request.call_in_task >= self.from_call
        return is_late and MeaningFault.meets(self, request, now_s, draws, name)

    def verdict(self) -> Mislead:
        """Off its task."""
        return Mislead(cause="prompt_drift", says=saying(self.says), is_false=True, ignores=True)
