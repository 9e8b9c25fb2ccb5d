"""Tasks of a program that make no progress: their calls only repeat what was asked and answered before.

What a call was asked is the set of the lines of its conversation, so that a conversation that grows by the same words again and
again repeats itself too. A failure is an outcome like any other: a client that tries for ever makes no progress. Equal calls
side by side, such as samples for a vote, count as one.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from typing import Final

from harness.wire.call import Call

FAILED: Final = "failed: "
"""How the outcome of a failed attempt begins."""

ROUNDS_MIN: Final = 15
"""How often a call must have been made with the same outcome: rows of a table may be equal by chance."""

_CYCLE_MAX: Final = 64
"""How many of the latest outcomes are kept, to name the cycle."""

_CYCLE_SHOWN_MAX: Final = 6
_TEXT_MAX: Final = 40
"""How much of a text is shown [characters]."""


@dataclass(slots=True)
class _Outcome:
    """What was asked, and what came of it."""

    words: Callable[[], str]
    """What it is called in a report."""
    times: int = 1
    ended: int = 0
    """When it was counted last, by the order of requests and answers."""


@dataclass(slots=True)
class _Task:
    """One task of the user's."""

    known: dict[tuple[str, str, bytes], _Outcome] = field(default_factory=dict)
    said: dict[tuple[str, str], None] = field(default_factory=dict)
    """Outcomes, whatever was asked; most are seen once, and then what was asked is not looked at."""
    last: deque[_Outcome] = field(default_factory=lambda: deque(maxlen=_CYCLE_MAX))
    uses: set[bytes] = field(default_factory=set)
    """The uses of tools that succeeded, with their arguments."""
    repeats: int = 0
    """Calls since something was new."""
    cycle: str = ""
    """The repeating calls, once they are too many."""


class Progress:
    """What the tasks of a run have come to.

    Args:
        repeats_max: How many calls in a row may bring a task nothing new.
    """

    def __init__(self, repeats_max: float) -> None:
        self.repeats_max = repeats_max
        self._tasks: dict[int, _Task] = {}
        self._order = count(1)

    def cycle(self, task: int) -> str:
        """The calls that a task repeats without progress, in words; empty while it makes any."""
        mine = self._tasks.get(task)
        return "" if mine is None else mine.cycle

    def forget(self, task: int) -> None:
        """Forget what a task has done, because it was told to stop."""
        self._tasks.pop(task, None)

    def asked(self) -> int:
        """Note that a request comes; returns its place in the order of requests and answers."""
        return next(self._order)

    def used(self, task: int, tool: str, given: object, asked: int, error: str) -> None:
        """Note the end of one use of a tool or a command. A failure repeats the one before it; a success is new if its arguments are.

        A success with arguments that are known is neither: what it gives is new to the agent who reads it, or to nobody.

        Args:
            task: The user's task.
            tool: What was used.
            given: Its arguments.
            asked: The place of its beginning in the order.
            error: What it failed with; empty if it did not.
        """
        if self.repeats_max == math.inf:
            return
        if error:
            told = f"{FAILED}{error}"
            self.note(task, tool, told, bytes, asked, lambda: f"program > {tool}: {told}")
        elif task in self._tasks:
            mine, use = self._tasks[task], _digest(f"{tool} {given!r}")
            if use not in mine.uses:
                mine.uses.add(use)
                mine.repeats = 0

    def ended(self, call: Call, asked: int, outcome: str, sender: str) -> None:
        """Note the end of a request.

        Args:
            call: The call that it is an attempt of.
            asked: Its place in the order.
            outcome: The reply, or the error.
            sender: The agent whose reply was asked about, or the program.
        """
        if self.repeats_max == math.inf:
            return

        def words() -> str:
            told = _short(call.request.prompt)
            return f'{sender} > {call.agent}: "{told}" -> {_in_words(outcome)}'

        task = call.scope.span.task
        self.note(task, call.agent, outcome, lambda: state_of(call), asked, words)

    def note(
        self,
        task: int,
        agent: str,
        outcome: str,
        state: Callable[[], bytes],
        asked: int,
        words: Callable[[], str],
    ) -> None:
        """Note what came of a request.

        Args:
            task: The user's task.
            agent: Who was asked.
            outcome: What came of it.
            state: Computes what was asked.
            asked: The place of the request in the order of requests and answers.
            words: What this is called in a report.
        """
        mine = self._tasks.setdefault(task, _Task())
        said = agent, outcome
        if said not in mine.said:
            mine.said[said] = None
            mine.repeats = 0
            return
        key = agent, outcome, state()
        found = mine.known.get(key)
        if found is None:
            found = mine.known[key] = _Outcome(words)
            mine.repeats = 0
        elif asked < found.ended:
            return
        else:
            found.times += 1
            mine.repeats += 1
        found.ended = next(self._order)
        mine.last.append(found)
        if mine.repeats >= self.repeats_max and found.times >= ROUNDS_MIN:
            mine.cycle = _told(mine.last)


def state_of(call: Call) -> bytes:
    """A digest of what a call was asked: its system prompt, and the lines of its conversation, each once."""
    lines = {call.prompt.system: None}
    for message in call.request.said:
        lines.update(dict.fromkeys(message.text.splitlines()))
        for wish in message.tool_calls:
            lines[f"{wish.tool} {wish.arguments!r}"] = None
        for result in message.tool_results:
            lines.update(dict.fromkeys(result.text.splitlines()))
    return _digest("\n".join(sorted(lines)))


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _in_words(outcome: str) -> str:
    return _short(outcome) if outcome.startswith(FAILED) else f'"{_short(outcome)}"'


def _told(last: Sequence[_Outcome]) -> str:
    """The latest outcomes back to where the last one was before."""
    found = [last[-1]]
    for outcome in list(last)[-2::-1]:
        if outcome is last[-1]:
            break
        found.append(outcome)
    cycle = [outcome.words() for outcome in reversed(found)]
    more = len(cycle) - _CYCLE_SHOWN_MAX
    shown = "; ".join(cycle[:_CYCLE_SHOWN_MAX])
    return f"{shown}; and {more} more" if more > 0 else shown


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_MAX else f"{line[: _TEXT_MAX - 3]}..."
