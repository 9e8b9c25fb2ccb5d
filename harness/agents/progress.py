"""Tasks that make no progress: an agent reads the very same messages again and again, one turn after the other.

Two critics that revise for ever, agents that hand a task to and fro, a loop whose result is always refused: each comes back to
a state in which it was before. Turns with equal input that run side by side, such as samples for a vote, count as one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from harness.models import ModelError
from harness.spans import NO_PROGRESS

REPEATS_MAX: Final = 10
"""How often an agent may read the very same in one task, one turn after the other."""

_CYCLE_MAX: Final = 32
"""Longest cycle that is named [turns]."""

_TEXT_MAX: Final = 40
"""Characters of a message in the name of a cycle."""

Messages = tuple[tuple[str, str], ...]
"""Sender and text of each message that an agent reads."""


@dataclass(slots=True, eq=False)
class Input:
    """What an agent reads in a turn, and the turns with it."""

    agent: str
    messages: Messages
    taken: int = 0
    """How many turns with it have begun while no other with it was open."""
    open: int = 0
    """How many are open now."""


class NoProgress(ModelError):  # noqa: N818 - names the condition
    """A turn would be the same as several before; asking again would not help.

    Args:
        cycle: The repeating messages.
    """

    def __init__(self, cycle: str) -> None:
        super().__init__(NO_PROGRESS, None, f"no progress: {cycle}")
        self.args = (cycle,)  # of this constructor, so that it survives `pickle`
        self.cycle = cycle

    @property
    def is_retryable(self) -> bool:
        """Never."""
        return False


@dataclass(slots=True)
class Progress:
    """The turns of a task so far, by their input."""

    _inputs: dict[tuple[str, Messages], Input] = field(default_factory=dict)
    _last: deque[Input] = field(default_factory=lambda: deque(maxlen=_CYCLE_MAX))

    def begin(self, agent: str, messages: Messages) -> Input:
        """Note that a turn begins.

        Args:
            agent: Who takes it.
            messages: Sender and text of each message that it reads.

        Returns:
            What `end` needs.

        Raises:
            NoProgress: The agent has read the very same `REPEATS_MAX` times.
        """
        key = agent, messages
        found = self._inputs.get(key)
        if found is None:
            found = self._inputs[key] = Input(agent, messages)
        if not found.open:
            found.taken += 1
            if found.taken > REPEATS_MAX:
                raise NoProgress(self._cycle(found))
            self._last.append(found)
        found.open += 1
        return found

    @staticmethod
    def end(begun: Input) -> None:
        """Note that a turn has ended."""
        begun.open -= 1

    def _cycle(self, again: Input) -> str:
        """The turns since the last one with the same input, as messages."""
        turns = list(self._last)
        since = len(turns) - 1 - turns[::-1].index(again) if again in turns else 0
        told = ", ".join(map(_told, turns[since:]))
        return f"{told}, for the {REPEATS_MAX + 1}th time"


def _told(turn: Input) -> str:
    sender, text = turn.messages[-1] if turn.messages else ("", "")
    line = " ".join(text.split())
    short = line if len(line) <= _TEXT_MAX else f"{line[: _TEXT_MAX - 3]}..."
    return f'{sender} > {turn.agent}: "{short}"'
