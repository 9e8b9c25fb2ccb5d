"""The choices of one run: recorded, and overridden one by one.

A choice is anything that could go another way and be the same program: a random value, what happens to an attempt at a provider,
how late a timer fires, which thread runs next, when a task is cancelled from outside. Each has a key that names its purpose and
does not depend on what else runs, so that taking one override away shifts no other. `docs/choices.md` lists the kinds.

A run without recording has no `Choices`: the classes here and in `choosing.py` replace the plain ones only in a run that
has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.errors import HarnessError, did_you_mean

Key = tuple[str, ...]
"""The kind of a choice, then what it is for."""

KINDS = ("draw", "bytes", "ids", "attempt", "tool", "timer", "thread", "cancel", "fault")
"""The kinds of choices."""

TOOL_OUTCOMES = ("done", "fails", "lost", "twice", "dropped")
"""What a use of a simulated tool comes to: it is done; it fails without an effect; it has its effect and its answer is lost; it is
done twice, as a message that is delivered twice; it is answered and has no effect, as a message that is accepted and lost."""

TimerKind = Literal["sleep", "timer", "wait"]


@dataclass(slots=True)
class TimerRecord:
    """One timer that was set in a run."""

    task: str
    """The path of the task or thread that set it."""
    kind: TimerKind
    """A sleep, a timer of the loop such as that of `asyncio.timeout`, or a thread's wait with a time-out."""
    number: int
    """1 for the first of its kind that the task set."""
    set_s: float
    """When it was set [virtual s]."""
    due_s: float
    """When it fires, or would have fired [virtual s]."""
    fired_s: float | None = None
    """When it fired [virtual s]; None while it has not, and when what it waited for came first."""
    cancelled_s: float | None = None
    """When what it waited for came, or its owner gave it up [virtual s]; None while neither has happened. Sleeps do not tell."""
    of_program: bool = True
    """Whether the program set it, and not a library or an SDK for itself."""

    @property
    def key(self) -> Key:
        """The key under which its lateness is chosen."""
        return ("timer", self.task, self.kind, str(self.number))


@dataclass(slots=True)
class TaskRecord:
    """One asyncio task of a run."""

    path: str
    """Its path of spawning."""
    began_s: float
    """When it was created [virtual s]."""
    ended_s: float | None = None
    """When it was done [virtual s]; None if it never was."""
    is_named: bool = False
    """Whether the program gave it a name."""


@dataclass(frozen=True, slots=True)
class UseRecord:
    """One use of a simulated tool."""

    key: str
    """The path of the task that used it, the name of the tool, and `#2` for the second such use."""
    tool: str
    task: str
    """The path of the task that used it."""
    began_s: float
    """When [virtual s]."""
    takes_s: float
    """How long it takes [s]."""


class Choices:
    """Overrides of single choices of a run, and the record of all choices that it made.

    A record is of the latest run that was given the object.

    Args:
        overrides: What is chosen, by key; every other choice is that of the seed.

    Raises:
        HarnessError: A key is of no kind, or a value is none of its kind.
    """

    orders_threads: bool = False
    """Whether it is asked which thread goes next also in a run without a random order."""

    meets: frozenset[str] = frozenset()
    """The sorts of occurrences of which each is asked which fault it meets, also where none is planned: `message`, `agent`, `tool`."""
    idle_instants: float = math.inf
    """How many time steps a run may take in a row while it waits for no call and makes none."""
    steps_per_instant: int | None = None
    """How many steps it may take without time moving; None means as many as every run."""

    def __init__(self, overrides: Mapping[Key, Any] | None = None) -> None:
        self.overrides: Mapping[Key, Any] = dict(overrides or {})
        for key, value in self.overrides.items():
            _check(key, value)
        self.begin()

    def begin(self) -> None:
        """Clear the record; called when a run begins."""
        self.made: dict[Key, Any] = {}
        """What was chosen, by key, in the order in which the choices came up."""
        self.timers: list[TimerRecord] = []
        """The timers that were set, in order."""
        self.tasks: list[TaskRecord] = []
        """The asyncio tasks that were created, in order."""
        self.uses: list[UseRecord] = []
        """The uses of simulated tools, in order."""
        self.leaks: list[str] = []
        """Locks and permits that nobody was left to give back when the program ended, in words."""
        self.deaths: list[BaseException] = []
        """The errors of tasks and threads that nobody asked for."""
        self._counts: dict[Key, int] = {}

    @property
    def unmet(self) -> tuple[Key, ...]:
        """The keys of overrides that did not apply in the run."""
        return tuple(key for key in self.overrides if key not in self.made)

    def check_met(self) -> None:
        """Raise an error for overrides that did not apply.

        Raises:
            HarnessError: Names each, and the nearest key that did.
        """
        if not self.unmet:
            return
        known = {" / ".join(key): key for key in self.made}
        lines = [f"  {key}{did_you_mean(' / '.join(key), known)}" for key in self.unmet]
        raise HarnessError(
            "the run never made a choice that was overridden:\n" + "\n".join(lines) + "\n"
            "  How to fix: take the keys from `made`, `timers` and `tasks` of a run without overrides."
        )

    # -- as a run sees it ---------------------------------------------------------------------------------------------

    def choose(self, key: Key, otherwise: object) -> Any:  # noqa: ANN401 - of the kind
        """Return the override of a choice, or its default, and record it."""
        value = self.made[key] = self.overrides.get(key, otherwise)
        return value

    def choose_attempt(
        self, key: Key, agent: str, span_id: int, now_s: float, otherwise: object
    ) -> Any:  # noqa: ANN401 - as above
        """Return the faults that an attempt meets.

        Args:
            key: Of the attempt.
            agent: Whose call it is.
            span_id: The attempt's span.
            now_s: When it begins [virtual s].
            otherwise: Those of the fault plan.
        """
        return self.choose(key, otherwise)

    def choose_fault(self, sort: str, at: str) -> tuple[str, Any] | None:
        """Return the name and the fault that overrides those of the plan for an occurrence; None if none does.

        Args:
            sort: What it is: `message`, `agent`, `tool` or `state`.
            at: What names it.
        """
        chosen: tuple[str, Any] | None = self.choose(("fault", sort, at), None)
        return chosen

    def choose_use(
        self, task: str, tool: str, began_s: float, outcome: str, takes_s: float
    ) -> tuple[str, float]:
        """Return what a use of a simulated tool comes to, and how long it takes [s].

        Args:
            task: The path of the task that uses it.
            tool: Its name.
            began_s: When [virtual s].
            outcome: What it comes to if nothing is overridden: one of TOOL_OUTCOMES.
            takes_s: How long it takes then [s].
        """
        number = self._count("tool", task, tool)
        key = f"{task} {tool}" if number == 1 else f"{task} {tool} #{number}"
        outcome = self.choose(("tool", key, "outcome"), outcome)
        takes_s = self.choose(("tool", key, "latency"), takes_s)
        self.uses.append(UseRecord(key, tool, task, began_s, takes_s))
        return outcome, takes_s

    def set_timer(
        self, task: str, kind: TimerKind, set_s: float, due_s: float, *, of_program: bool = True
    ) -> TimerRecord:
        """Record a timer, with its chosen delay."""
        number = self._count("timer", task, kind)
        record = TimerRecord(task, kind, number, set_s, due_s, of_program=of_program)
        record.due_s += self.choose(record.key, 0.0)
        self.timers.append(record)
        return record

    def next_thread(self, ready: Sequence[str], otherwise: int) -> int:
        """Return the place of the thread that goes next among those that are ready, which are given by their paths."""
        together = " | ".join(ready)
        key = ("thread", together, str(self._count("thread", together)))
        chosen = self.choose(key, ready[otherwise])
        if chosen == ready[otherwise]:
            return otherwise
        if chosen not in ready:
            raise HarnessError(f"override of {key}: {chosen!r} is none of {list(ready)}")
        return ready.index(chosen)

    def cancellations(self) -> list[tuple[str, float]]:
        """Return the paths of tasks that are to be cancelled, each with when [virtual s]."""
        return [(key[1], value) for key, value in self.overrides.items() if key[0] == "cancel"]

    def _count(self, *key: str) -> int:
        number = self._counts[key] = self._counts.get(key, 0) + 1
        return number


def _check(key: Key, value: object) -> None:
    parts: Any = key  # a caller without types may give anything
    if not isinstance(parts, tuple) or not parts or not all(isinstance(it, str) for it in parts):
        raise HarnessError(f"the key of a choice is a tuple of texts (got {key!r})")
    if key[0] not in KINDS:
        hint = did_you_mean(key[0], KINDS)
        raise HarnessError(
            f"override of {key}: no kind {key[0]!r}{hint}\n  Known: {', '.join(KINDS)}"
        )
    wanted = _WANTED.get(key[0])
    if wanted is None:
        return
    types, holds, words = wanted
    if not isinstance(value, types) or isinstance(value, bool) or not holds(value):
        raise HarnessError(f"override of {key}: must be {words} (got {value!r})")


_WANTED: dict[str, tuple[Any, Any, str]] = {
    "draw": ((float, int), lambda value: 0 < value < 1, "a number above 0 and below 1"),
    "bytes": (bytes, lambda value: True, "bytes"),
    "ids": (str, lambda value: True, "a text"),
    "attempt": ((tuple, list), lambda value: True, "a list of faults"),
    "tool": (
        (float, int, str),
        lambda value: value in TOOL_OUTCOMES if isinstance(value, str) else 0 <= value < math.inf,
        "an outcome (`done`, `fails`, `lost`, `twice`) or a finite number of seconds from 0 up",
    ),
    "timer": (
        (float, int),
        lambda value: 0 <= value < math.inf,
        "a finite number of seconds from 0 up",
    ),
    "thread": (str, lambda value: True, "the path of a thread"),
    "cancel": ((float, int), lambda value: 0 <= value < math.inf, "a finite time from 0 s on"),
}
"""What an override of each kind must be: types, a condition, and both in words."""
