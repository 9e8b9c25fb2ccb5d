"""What an agent remembers of its earlier turns in a task, and how much of that it is given again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from harness.fields import AgentName, Tagged
from harness.models import ChatMessage
from harness.units import Count, Tokens


@dataclass(frozen=True, slots=True)
class Remembered:
    """Something that an agent was told, or said, in an earlier turn."""

    said: ChatMessage
    tokens: int
    """Its size [tokens]."""


class Context(Protocol):
    """Which part of the earlier turns an agent is given again."""

    @property
    def summarizer(self) -> str | None:
        """The agent that shortens the older part; None if nothing is shortened."""

    def kept(self, past: Sequence[Remembered]) -> Sequence[Remembered]:
        """What is given as it is, of what is not summed up."""

    def too_old(self, past: Sequence[Remembered]) -> int:
        """How many of the first are to be summed up now; 0 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Nothing but what a turn begins with: each turn is a conversation of its own."""

    summarizer = None

    def kept(self, past: Sequence[Remembered]) -> Sequence[Remembered]:
        """Nothing."""
        return ()

    def too_old(self, past: Sequence[Remembered]) -> int:
        """Nothing is summed up."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """All that was said in the task, however long it gets."""

    summarizer = None

    def kept(self, past: Sequence[Remembered]) -> Sequence[Remembered]:
        """All."""
        return past

    def too_old(self, past: Sequence[Remembered]) -> int:
        """Nothing is summed up."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LastK:
    """The last messages; earlier ones are forgotten."""

    k: Count
    """How many: what the agent was told in a turn is one, and what it said is another."""
    summarizer = None

    def kept(self, past: Sequence[Remembered]) -> Sequence[Remembered]:
        """The last ones."""
        return past[-self.k :]

    def too_old(self, past: Sequence[Remembered]) -> int:
        """Nothing is summed up."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A summary of what is old, once the whole gets too long, and the last messages as they are."""

    by: AgentName
    """Who writes the summary, with a call of its own that takes time and tokens."""
    above_tokens: Tokens
    """The size of the earlier turns above which they are summed up [tokens]."""
    keep: Count = 2
    """How many of the last messages are kept as they are."""

    @property
    def summarizer(self) -> str | None:
        """Who writes it."""
        return self.by

    def kept(self, past: Sequence[Remembered]) -> Sequence[Remembered]:
        """All that is not summed up."""
        return past

    def too_old(self, past: Sequence[Remembered]) -> int:
        """All but the last, if the whole is too long."""
        if sum(one.tokens for one in past) <= self.above_tokens:
            return 0
        return max(0, len(past) - self.keep)


CONTEXTS: dict[str, type[Context]] = {
    "inputs": Inputs,
    "full": Full,
    "last_k": LastK,
    "summary": Summary,
}
"""The name of each policy in a scenario file."""

AnyContext = Annotated[Context, Tagged(CONTEXTS, bare=("inputs", "full"))]
"""One of them; `full` is short for `{full: {}}`."""
