"""What a run tells of its claims when it has ended: origin, cause and way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TracedClaim:
    """A claim and its way through a run."""

    task: int
    is_true: bool
    agent: str
    """Its origin: who made it."""
    call: int
    """span_id of the call in whose reply it was made."""
    at_s: float
    """When that reply was made [s]."""
    cause: str
    """Why it is as it is: `accuracy`, `stub`, `correction`, or the name of a fault."""
    text: str
    """Its words; empty if it is a whole reply."""
    way: tuple[str, ...]
    """The agents that said it, from its origin to the output, or to the last that did."""
    in_output: bool
    """Whether it is in the output of its task."""
    opposes: str = ""
    """The agent whose claim it contradicts."""

    @property
    def hops(self) -> int:
        """How often it was passed from one reply to another."""
        return len(self.way) - 1

    def __str__(self) -> str:
        what = "true" if self.is_true else "false"
        where = "in the output" if self.in_output else "not in the output"
        return f"{what} claim of {self.agent} ({self.cause}), {where}: {' -> '.join(self.way)}"


@dataclass(frozen=True, slots=True)
class InjectedCall:
    """A tool call that an injected instruction caused."""

    task: int
    agent: str
    """Who obeyed."""
    tool: str
    arguments: str
    """As JSON."""
    call: int
    """span_id of the call whose reply asked for the tool."""
    at_s: float
