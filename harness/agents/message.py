"""What agents hand to one another, and the task that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from harness.provider.tokens import count_tokens
from harness.spans import Span, SpanLog


@dataclass(slots=True, eq=False)
class Task:
    """One unit of user work in a run: created when it arrives, done when its pattern returns."""

    number: int
    """1 for the first task of the run."""
    kind: str
    """What sort of work it is."""
    span: Span
    """Its own span; the root of everything that is done for it."""
    output_tokens: int | None = None
    """Size of the answers if the workload knows it [tokens]."""
    counts: dict[str, int] = field(default_factory=dict)
    """How often each agent has called its model, and used each tool, for this task."""
    log: SpanLog | None = None
    """Where a pattern records what it does besides turns, such as reads and writes of shared state; None records nothing."""

    def count(self, what: str) -> int:
        """Note one more of something, and say the how-manieth it is in this task; part of the key of its draws."""
        number = self.counts[what] = self.counts.get(what, 0) + 1
        return number


class Message(NamedTuple):
    """What one agent, or the user, says to another."""

    task: Task
    """The task that it belongs to."""
    sender: str
    """Who says it; `user` for what a task brings."""
    text: str
    tokens: int
    """Its size [tokens]."""

    @classmethod
    def of_text(cls, task: Task, sender: str, text: str) -> Message:
        """A message whose size nobody has stated: it follows from the text."""
        return cls(task, sender, text, count_tokens(text))
