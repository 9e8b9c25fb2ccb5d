"""Which occurrences a fault meets: one selector for faults of all kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, NamedTuple

from annotated_types import MinLen

from harness.chance import Draws
from harness.fields import AgentName
from harness.units import Count, Probability, Seconds


class Occurrence(NamedTuple):
    """Something that a fault may meet: an attempt, a use of a tool, a message, a call, an update of shared state."""

    agent: str
    """Who does it; of a message, who sends it."""
    task: int
    """The number of the task that it belongs to."""
    customer: str
    """Whom that task is for; empty if that is not stated."""
    call: int
    """Its ordinal among those of the agent in the run, 1 for the first."""
    key: str
    """Names its draws."""
    address: str = ""
    """Names it in choices; empty if its key does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InjectedFault:
    """A fault of any kind. Each field restricts what it meets; all must match."""

    meets_what: ClassVar[str] = "a call"
    """What it meets, for messages."""
    only_of_patterns: ClassVar[bool] = False
    """Whether what it meets is only there where a pattern is simulated, and not in a program of the user's."""

    agent: AgentName | None = None
    """Only what this agent does."""
    agents: Annotated[tuple[AgentName, ...], MinLen(1)] = ()
    """Only what one of these agents does, such as all on one machine."""
    task: Count | None = None
    """Only in the n-th task."""
    customer: str | None = None
    """Only in tasks of this customer."""
    call: Count | None = None
    """Only the agent's n-th of the run: call of its model, use of the tool, message to a recipient, update of a value."""
    from_s: Seconds = 0.0
    """Only from this time on [s]."""
    until_s: Seconds | None = None
    """Only before this time [s]."""
    probability: Probability = 1.0
    """Share of what matches that is met."""
    allow_unmet: bool = False
    """Whether it may meet nothing without an error."""

    def __post_init__(self) -> None:
        if self.until_s is not None and self.until_s <= self.from_s:
            raise ValueError(f"until_s ({self.until_s:g}) is not after from_s ({self.from_s:g})")
        if self.agent is not None and self.agents:
            raise ValueError("give one of `agent` and `agents`")

    def is_of(self, agent: str) -> bool:
        """Whether it may meet what an agent does."""
        return self.agent in (None, agent) and (not self.agents or agent in self.agents)

    def covers(self, now_s: float) -> bool:
        """Whether a time is in its window.

        Args:
            now_s: Virtual time [s].
        """
        return self.from_s <= now_s and (self.until_s is None or now_s < self.until_s)

    def selects(
        self,
        met: Occurrence,
        now_s: float,
        draws: Draws,
        name: str,
    ) -> bool:
        """Whether the conditions that all kinds share hold for an occurrence.

        Args:
            met: The occurrence.
            now_s: Virtual time [s].
            draws: Source of random values.
            name: Unique name of the fault in its plan; part of the key of its draw.
        """
        return (
            self.is_of(met.agent)
            and self.task in (None, met.task)
            and self.customer in (None, met.customer)
            and self.call in (None, met.call)
            and self.covers(now_s)
            and (
                self.probability == 1.0 or draws.uniform(met.key, "fault", name) < self.probability
            )
        )

    @property
    def conditions(self) -> str:
        """The conditions that not every kind had from the beginning, for the key of its draws; empty without any."""
        stated = {
            "agents": ",".join(self.agents),
            "task": self.task,
            "customer": self.customer,
        }
        return "".join(f"/{name}={value}" for name, value in stated.items() if value)
