"""Whether runs of one seed are the same, and the probable cause if not.

Five runs are compared: two in this process, two in fresh processes under one hash seed, one under another. Which of
them differ tells what the program depends on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from harness.run.digest import Digest, Exchange

_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
_MOMENT = re.compile(
    r"\b(1[6-9]\d{8}|2\d{9})(\.\d+)?\b|\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d|\d\d:\d\d:\d\d\.\d"
)
_RANDOM = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}|\b[0-9a-f]{16,}\b|\b0\.\d{10,}")

_LONGEST = 160
"""Characters of a text that are shown around the first that differs."""


class Five(NamedTuple):
    """The digests of five runs of one seed."""

    here: Digest
    here_again: Digest
    fresh: Digest
    fresh_again: Digest
    other_hash: Digest
    """In a fresh process under another hash seed."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two runs part."""

    where: str
    """The call, or what else differs."""
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Sameness:
    """That runs of one seed differ: how, where and why."""

    pattern: str
    """Which of the runs differ."""
    cause: str
    """What is probably the cause, and what to do about it."""
    first: Difference


def judge(runs: Five) -> Sameness | None:
    """Compare five runs; None if they are the same."""
    in_processes = first_difference(runs.fresh, runs.fresh_again)
    in_process = first_difference(runs.here, runs.here_again)
    by_hash = first_difference(runs.fresh, runs.other_hash)
    to_process = first_difference(runs.here, runs.fresh)
    if in_processes is not None:
        written = sorted({*runs.fresh.written, *runs.fresh_again.written})
        cause = _cause_between_processes(in_processes, in_process, written)
        return Sameness("fresh processes with one hash seed differ", cause, in_processes)
    if in_process is not None:
        return Sameness("the second run in a process differs from the first", _STATE, in_process)
    if by_hash is not None:
        return Sameness("processes with different hash seeds differ", _ORDER, by_hash)
    if to_process is not None:
        return Sameness("a fresh process differs from this one", _BEFORE, to_process)
    return None


_STATE = (
    "state outside of the program's own modules, such as in a library, a registry, a logger or the environment: it "
    "survives from run to run in a process. Reset it in a fixture, or make it anew in the program"
)
_ORDER = "the order of a set, or `hash()` of a text: both follow from PYTHONHASHSEED. Sort the set, or use dict.fromkeys"
_BEFORE = (
    "what this process did before, or the order of a set: fresh processes agree with one another. Look for caches in "
    "libraries, and for sets"
)
_ADDRESS_OR_PID = "a process id or an address (os.getpid(), id(), the default repr of an object, a set of objects), or chance at import"
_TIME = "real time: a clock that the run does not replace, such as one kept by a library or the time of a file"
_ENTROPY = (
    "real entropy: a generator that was made before the run, or one that is not written in Python. Give it a seed, or "
    "make it in the run"
)


def _cause_between_processes(
    first: Difference, in_process: Difference | None, written: Sequence[str]
) -> str:
    texts = first.one, first.other
    if _differ_in(_ADDRESS, *texts):
        return _ADDRESS_OR_PID
    if _differ_in(_MOMENT, *texts):
        return _TIME
    if _differ_in(_RANDOM, *texts):
        return _ENTROPY
    if written:
        return (
            f"a file: the program writes {', '.join(written[:3])}, and finds it there the next time. Let it write to a "
            "folder of its own for each run"
        )
    if in_process is None:
        return _ADDRESS_OR_PID
    return f"{_TIME}; or {_ENTROPY}; or a file that the program reads"


def _differ_in(pattern: re.Pattern[str], one: str, other: str) -> bool:
    ones, others = ([found.group() for found in pattern.finditer(text)] for text in (one, other))
    return ones != others


def first_difference(one: Digest, other: Digest) -> Difference | None:
    """Where two runs part first, by the start of calls and by task; None if they are the same."""
    for mine, its in zip_longest(one.exchanges, other.exchanges):
        found = _difference_of_calls(mine, its)
        if found is not None:
            return found
    if one.output != other.output:
        return Difference("the program's output", *_around(one.output, other.output))
    for line, its_line in zip_longest(one.spans, other.spans, fillvalue=""):
        if line != its_line:
            return Difference("a span or an event", *_around(line, its_line))
    return None


def _difference_of_calls(one: Exchange | None, other: Exchange | None) -> Difference | None:
    if one is None or other is None:
        there = one or other
        assert there is not None, "zip_longest gives at least one"
        texts = there.prompt[:_LONGEST], "(no such call)"
        return Difference(
            f"{_name(there)}, which only one run has", *(texts if one else texts[::-1])
        )
    if one == other:
        return None
    for part in ("prompt", "tools", "reply"):
        mine, its = getattr(one, part), getattr(other, part)
        if mine != its:
            return Difference(f"{part} of {_name(one)}", *_around(mine, its))
    return Difference("the call that comes next", _name(one), _name(other))


def _name(one: Exchange) -> str:
    return f"call {one.number} (agent {one.agent!r}, task {one.task}, at {one.start_s:.6f} s)"


def _around(one: str, other: str) -> tuple[str, str]:
    """Both texts from a little before the first character that differs."""
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))  # fmt: skip
    begin = max(0, at - _LONGEST // 2)
    return tuple(("..." if begin else "") + text[begin : begin + _LONGEST] for text in (one, other))  # type: ignore[return-value]  # two


def told(verdict: Sameness) -> str:
    """A verdict in words."""
    return "\n".join(
        [
            f"one seed gives different runs: {verdict.pattern}",
            f"  Probable cause: {verdict.cause}",
            f"  First difference: {verdict.first.where}",
            f"    one run:   {verdict.first.one!r}",
            f"    the other: {verdict.first.other!r}",
        ]
    )
