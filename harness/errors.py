"""Every error that harness raises about its user's input or run.

Three kinds of error never mix:

- *simulated* errors are what production would raise; they live with the models (`harness.models.ModelError`);
- *the user's* errors are below: a file, a script or a program that is wrong;
- *ours* are broken invariants: `assert` inside a function, `HarnessBug` at a boundary.

The tree::

    HarnessError
      ScenarioError        a scenario file is wrong
      StubError            a script of replies is wrong, ran out, or was never used
      Deadlock             nothing can ever run again
      LimitExceeded        a run went beyond a bound on virtual time, on steps at one instant, or on calls
        NoProgress         calls only repeat what was asked and answered before
      NotSimulated         the program touched something that harness does not simulate
        OutsideRun         it connects while there is a simulation, but no run
        UnknownHost        it connects to a host that is not simulated
      StoreError           a store cannot be read or written
    HarnessBug             ours; never caught by us

The positional arguments of a constructor are its `args`, so that every error survives `copy` and `pickle`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class HarnessError(Exception):
    """Base of all errors that a user can fix; `str()` is the whole message."""


class ScenarioError(HarnessError):
    """A scenario file is wrong; the message names file, line, column, key, value and what is allowed.

    Args:
        problems: One message per problem, in the order of the file; each starts with `file:line:column:`.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


class StubError(HarnessError):
    """A script of replies is wrong, ran out, or has lines that no call used."""


class Deadlock(HarnessError):  # noqa: N818 - the field's word for it
    """No task can run, no timer is pending and no event is scheduled; or agents wait for one another beside timers that go on.

    Args:
        now_s: Virtual time at which everything stopped [s].
        report: What each stuck task waits for, where, and the cycle if there is one.
        why: What is so, in words.
    """

    def __init__(self, now_s: float, report: str, why: str = "nothing can ever run again") -> None:
        super().__init__(now_s, report, why)
        self.now_s = now_s
        self.report = report
        self.why = why

    def __str__(self) -> str:
        return f"deadlock at virtual {self.now_s:.6f} s: {self.why}\n{self.report}"


class LimitExceeded(HarnessError):  # noqa: N818 - names the condition, as in the glossary
    """A run went beyond one of its bounds.

    Args:
        limit: Name of the bound.
        value: The bound.
        advice: What is probably wrong, and how to raise the bound.
        report: What every task was doing at that moment and where, and which calls repeat; empty if unknown.
    """

    def __init__(self, limit: str, value: float, advice: str, report: str = "") -> None:
        super().__init__(limit, value, advice, report)
        self.limit = limit
        self.value = value
        self.advice = advice
        self.report = report

    def __str__(self) -> str:
        said = f"{self.limit} exceeded: more than {self.value:.15g}\n  {self.advice}"
        return f"{said}\n{self.report}" if self.report else said


class NoProgress(LimitExceeded):
    """A task went on without progress: its calls only repeat what was asked and answered before; `advice` names them."""

    def __str__(self) -> str:
        said = f"no progress: {self.advice}"
        return f"{said}\n{self.report}" if self.report else said


class NotSimulated(HarnessError):  # noqa: N818 - names the condition
    """The program touched something real that harness does not simulate.

    Args:
        what: What was touched, by its public name.
        advice: What to use instead.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what, advice)
        self.what = what
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.what} is not simulated, so it is refused inside a run\n  How to fix: {self.advice}"


class OutsideRun(NotSimulated):
    """The program connects while a test has a simulation, but no run is active."""

    def __str__(self) -> str:
        return f"{self.what} is refused: there is a simulation, but no run is active\n  How to fix: {self.advice}"


class UnknownHost(NotSimulated):
    """A client connects to a host that is not simulated. It is not a network error, so no client retries it."""

    def __str__(self) -> str:
        return f"{self.what}\n  How to fix: {self.advice}"


class StoreError(HarnessError):
    """A store cannot be opened, read or written; the message names the file and what to do."""


class HarnessBug(AssertionError):  # noqa: N818 - a bug, not an error of the user's
    """An invariant of harness is broken. This should never happen; please report it with the line below."""


_BEGINNING = 4
"""Shorter words are the beginning of too much."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A suggestion to append to a message: `; did you mean 'worker'?`, or nothing if no known word is similar.

    A word that is the beginning of known ones means the first of them.
    """
    words = list(known)
    longer = [it for it in words if len(word) >= _BEGINNING and it.startswith(word)]
    near = longer or difflib.get_close_matches(word, words, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
