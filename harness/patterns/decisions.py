"""What a member decided, for patterns that cannot go on without knowing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.agents import Message
from harness.agents.reading import DECISION_FIELDS, choice
from harness.patterns.api import PatternError

TEAM = "team"
"""The sender of what a pattern itself says."""

_SHOWN = 60


class DecisionUnreadable(PatternError):  # noqa: N818 - names the condition
    """A reply chooses none of the options."""


def ask(task: Message, text: str) -> Message:
    """What a pattern asks a member to do about a task."""
    return task.reply(TEAM, text, recipient="", type="request")


def decision(reply: Message, options: Iterable[str], named: Sequence[str] = DECISION_FIELDS) -> str:
    """The option that a reply chooses.

    Args:
        reply: What the member said.
        options: What it can choose.
        named: The fields that may state the choice, by precedence.

    Raises:
        DecisionUnreadable: It chooses none.
    """
    known = tuple(options)
    chosen = choice(reply.text, known, named)
    if chosen is None:
        raise DecisionUnreadable(
            f"{reply.sender} chose none of {', '.join(known)}: {beginning(reply.text)!r}"
        )
    return chosen


def beginning(text: str) -> str:
    """A text, or as much of its beginning as fits into an error message."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
