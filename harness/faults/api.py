"""The fault protocol: a fault sees an attempt and returns a verdict.

A plan is an ordered list of faults; the first verdict wins, unless its fault `continues`. A new kind of fault is one file beside its siblings: a
frozen record that extends `Fault` by its parameters and returns in `verdict` what happens to an attempt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar

from harness.agents.mishap import Mishap
from harness.chance import Draws
from harness.faults.selector import InjectedFault, Occurrence
from harness.fields import ModelName, NameOf, ToolName
from harness.models import Request
from harness.models.api import Injection, Mislead
from harness.models.verdict import (
    Alter,
    Break,
    Dearer,
    Fail,
    InTurn,
    Late,
    Silent,
    Slow,
    Starved,
    Verdict,
)
from harness.provider.stated import EndsAt, Takes
from harness.units import Count

MemberOfTeam = Annotated[str, NameOf("agents", may_be_team=True)]
"""The name of an agent, or of a team that is a member of a team."""

__all__ = [
    "AgentFault",
    "Alter",
    "Break",
    "Dearer",
    "Disturbance",
    "EndsAt",
    "Fail",
    "Fault",
    "InTurn",
    "InjectedFault",
    "Injection",
    "Interruption",
    "Late",
    "MessageFault",
    "Mishap",
    "Mislead",
    "Passage",
    "Silent",
    "Slow",
    "Starved",
    "StateFault",
    "Takes",
    "ToolFault",
    "Verdict",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(InjectedFault):
    """A fault of the attempts that it applies to. Each field restricts them; all must match."""

    meets_what: ClassVar[str] = "an attempt"

    model: ModelName | None = None
    """Only attempts at this model."""
    attempt: Count | None = None
    """Only the n-th attempt of a call; absent means every attempt, so that retries meet the fault again."""
    continues: bool = False
    """Whether the faults after it may meet the same attempt too; otherwise it is the last that does."""

    def meets(self, request: Request, now_s: float, draws: Draws, name: str) -> bool:
        """Whether the fault applies to an attempt.

        Args:
            request: The attempt.
            now_s: Virtual time [s].
            draws: Source of random values.
            name: Unique name of the fault in its plan; part of the key of its draw.
        """
        return (
            self.model in (None, request.model)
            and self.attempt in (None, request.attempt)
            and self.selects(
                Occurrence(
                    request.agent,
                    request.call_span.task,
                    request.customer,
                    request.call_in_run,
                    request.attempt_key,
                ),
                now_s,
                draws,
                name,
            )
        )

    def verdict(self) -> Verdict:
        """What happens to an attempt that it applies to."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFault(InjectedFault):
    """A fault of the uses of tools that it applies to."""

    meets_what: ClassVar[str] = "a use of a tool"

    tool: ToolName | None = None
    """Only uses of this tool."""

    def mishap(self) -> Mishap:
        """What happens to a use that it applies to."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Passage:
    """What happens to a message on its way."""

    is_lost: bool = False
    noticed_after_s: float | None = None
    """After what time the sender of a lost message gives up [s]; None for never."""
    late_s: float = 0.0
    """How much later it comes [s]."""
    copies: int = 1
    """How often it comes."""
    overtaken_within_s: float | None = None
    """It comes after the next message to the same recipient, or after this time if there is none [s]; None means in order."""
    goes_to: str | None = None
    """Who gets it in place of its recipient."""
    version: str | None = None
    """The version that it has in place of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFault(InjectedFault):
    """A fault of the messages between the members of a pattern that it applies to; `agent` is who sends them."""

    meets_what: ClassVar[str] = "a message"
    only_of_patterns: ClassVar[bool] = True

    to: MemberOfTeam | None = None
    """Only messages to this member."""

    def is_between(self, sender: str, recipient: str) -> bool:
        """Whether it may meet messages from one member to another."""
        return self.is_of(sender) and self.to in (None, recipient)

    def passage(self) -> Passage:
        """What happens to a message that it applies to."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Interruption:
    """How long an agent does not work, and what it knows afterwards."""

    is_window: bool
    """Whether it is the window of the fault in which the agent does not work; otherwise it begins with the call that is met."""
    after_s: float = 0.0
    """How long after the beginning of that call [s]."""
    for_s: float = math.inf
    """How long [s]; infinity for good. Not of a window."""
    loses_memory: bool = False
    """Whether it has forgotten the earlier turns of its tasks when it works again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFault(InjectedFault):
    """A fault of agents: they do not work for a time. All of `agents` are affected together, as on one machine.

    Calls that are open when it begins fail with `agent_down`, and so do those that are made while it lasts. In a program of the
    user's, attempts find no connection meanwhile; those that are open then are completed.
    """

    def interruption(self) -> Interruption:
        """How long they do not work."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What happens to one update of shared state."""

    behind: int = 0
    """How many versions old the value is that the agent is told."""
    is_lost: bool = False
    """Whether its contribution is acknowledged and not kept."""
    clock_ahead_s: float | None = None
    """By how much the clock of the writer is ahead, by which the newest write wins [s]; None for a write without a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateFault(InjectedFault):
    """A fault of the updates of shared state that it applies to; `agent` is who updates."""

    meets_what: ClassVar[str] = "an update of shared state"
    only_of_patterns: ClassVar[bool] = True

    key: str | None = None
    """Only updates of this value."""

    def disturbance(self) -> Disturbance:
        """What happens to an update that it applies to."""
        raise NotImplementedError
