"""What a property is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.explore.deviation import (
    Cancel,
    Deviations,
    Down,
    Fault,
    Latency,
    Meets,
    SlowAgent,
    ToolDropped,
    ToolFails,
    ToolLatency,
)
from harness.explore.observation import Observation


@dataclass(frozen=True, slots=True)
class Failure:
    """How a run failed."""

    kind: str
    """The property, or the class of the error."""
    message: str
    where: str = ""
    """The innermost line of the user's, as `file:line`; empty if there is none."""
    group: str = ""
    """What else tells apart failures of one kind at one line, such as the beginning of the message of a check."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Equal for failures that are one."""
        return (self.kind, self.where, self.group)


@dataclass(frozen=True, slots=True)
class Context:
    """A run beside the passing run."""

    passing: Observation
    """The run without deviations; of itself when that is judged."""
    now: Observation
    deviations: Deviations

    @property
    def is_cancelled(self) -> bool:
        """Whether a task was cancelled from outside."""
        return any(isinstance(one, Cancel) for one in self.now.applied)

    @property
    def has_fault(self) -> bool:
        """Whether a provider or a tool failed."""
        return any(
            isinstance(one, Fault | Down | Meets | ToolFails | ToolDropped)
            for one in self.now.applied
        )

    @property
    def is_disturbed(self) -> bool:
        """Whether something went wrong that a program may tell its user of: a fault, or a call that failed because it was late."""
        late = any(isinstance(one, Latency | SlowAgent | ToolLatency) for one in self.now.applied)
        failed = self.now.failed_calls > self.passing.failed_calls
        return self.has_fault or self.is_cancelled or (late and failed)


Property = Callable[[Context], Failure | None]
