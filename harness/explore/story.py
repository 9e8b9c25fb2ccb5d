"""A finding as a story: what deviates, and what then happens otherwise than in the passing run, with virtual times."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from harness.explore.columns import in_columns, times_of
from harness.explore.deviation import (
    Cancel,
    Deviation,
    Deviations,
    Down,
    Fault,
    Fields,
    Heal,
    Jitter,
    Late,
    Latency,
    Meets,
    Priorities,
    SlowAgent,
    ThreadFirst,
    ThreadGoes,
    ThreadJitter,
    ToolDropped,
    ToolFails,
    ToolLatency,
    ToolTwice,
)
from harness.explore.nearest import Near
from harness.explore.observation import Observation, Site
from harness.explore.properties import Failure
from harness.units import render

_LINES_MAX = 40
"""How many lines of the comparison are shown."""

_MEANWHILE_MAX = 4
"""How many lines are shown that are in both runs, and not beside one that differs."""

_NANOSECOND_S = 1e-9


def tell(
    passing: Observation,
    near: Near,
    seen: Observation,
    deviations: Deviations,
    failure: Failure,
) -> str:
    """The story of a failing run.

    Args:
        passing: The passing run.
        near: The nearest run that passes.
        seen: The failing run.
        deviations: How it deviates.
        failure: How it failed.
    """
    told = [
        f"{failure.kind}: {failure.message}"
        if failure.kind not in failure.message
        else failure.message
    ]
    if failure.where:
        told[0] += f" ({failure.where})"
    told.append(_how_many(deviations))
    told += [
        f"  {place}. {in_words(one, passing, seen)}" for place, one in enumerate(deviations, 1)
    ]
    near_by = nearest_in_words(passing, near)
    if near_by:
        told.append("The nearest run that passes:")
        told += [f"  {words}" for words in near_by]
    compared = list(compare(near.seen.timeline(), seen.timeline()))
    if compared:
        which = "the nearest run that passes" if near_by else "the passing run"
        told.append(f"What happened (- in {which}, + in this one):")
        told += [f"  {line}" for line in compared]
    return "\n".join(told)


def nearest_in_words(passing: Observation, near: Near) -> tuple[str, ...]:
    """How the nearest run deviates: what met nothing in it, such as a fault of a call that it does not make, is left out."""
    return tuple(
        in_words(one, passing, near.seen) for one in near.deviations if one in near.seen.applied
    )


def _how_many(deviations: Sequence[Deviation]) -> str:
    if not deviations:
        return "It takes no deviation: the run fails as it is."
    return f"It takes {len(deviations)} {'deviation' if len(deviations) == 1 else 'deviations'}:"


def in_words(one: Deviation, passing: Observation, seen: Observation) -> str:
    """A deviation in words."""
    match one:
        case Fault(call=call, name=name, fields=fields, attempt=attempt):
            which = "" if attempt is None else f", attempt {attempt}"
            return f"{_call(call, passing, seen)} meets {_fault(name, fields)}{which}"
        case Latency(call=call, takes_s=takes_s):
            before = _site(call, passing)
            took = (
                ""
                if before is None
                else f", not {render('latency_s', before.end_s - before.start_s)}"
            )
            return f"{_call(call, passing, seen)} takes {render('latency_s', takes_s)}{took}"
        case Down(agent=agent, name=name):
            return f"all calls of {agent} meet {name}"
        case SlowAgent(agent=agent, takes_s=takes_s):
            return f"all calls of {agent} take {render('latency_s', takes_s)}"
        case Heal(at_s=at_s):
            return f"nothing fails any more from {at_s:.3f} s on"
        case Late(task=task, timer=timer, number=number, by_s=by_s):
            due = next(
                (
                    each.due_s
                    for each in passing.timers
                    if (each.task, each.kind, each.number) == (task, timer, number)
                ),
                None,
            )
            when = "" if due is None else f" (due at {due:.3f} s)"
            how = "after all else of its instant" if by_s <= _NANOSECOND_S else f"{by_s:g} s later"
            what = {"sleep": "sleep", "timer": "time-out", "wait": "wait"}[timer]
            return f"{what} {number} of {task or 'a callback'}{when} is over {how}"
        case Jitter(seed=seed):
            return f"timers of one instant fire in another order (seed {seed})"
        case Cancel(task=task, at_s=at_s):
            begins = any((each.path, each.began_s) == (task, at_s) for each in passing.tasks)
            when = ", before its first step" if begins else ""
            return f"{task} is cancelled from outside at {at_s:.3f} s{when}"
        case ThreadGoes(ready=ready, number=number, goes=goes):
            together = " and ".join(ready.split(" | "))
            return f"the {_ordinal(number)} time that the threads {together} are ready at once, {goes} goes first"
        case ThreadFirst(thread=thread, last=last):
            return f"{thread} goes {'last' if last else 'first'} whenever several threads are ready"
        case ThreadJitter(seed=seed):
            return f"threads take turns in another order (seed {seed})"
        case Priorities(seed=seed, depth=depth):
            return f"threads have priorities, which change {depth - 1} times (seed {seed})"
        case ToolFails(use=use, effect=effect):
            how = "does its work, and its answer is lost" if effect else "fails"
            return f"{_use(use, passing, seen)} {how}"
        case ToolTwice(use=use):
            return f"{_use(use, passing, seen)} is done twice"
        case ToolDropped(use=use):
            return f"{_use(use, passing, seen)} is answered, and has no effect"
        case Meets(sort=sort, at=at, name=name, fields=fields):
            what = _call(at, passing, seen) if sort == "agent" else f"{sort} {at}"
            return f"{what} meets {_fault(name, fields)}"
        case ToolLatency(use=use, takes_s=takes_s):
            return f"{_use(use, passing, seen)} takes {render('latency_s', takes_s)}"


def _fault(name: str, fields: Fields) -> str:
    return name + "".join(
        f" {value}" if key == name else f" {key}={value}" for key, value in fields
    )


def _ordinal(number: int) -> str:
    teens = 10 < number % 100 < 20
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _use(key: str, passing: Observation, seen: Observation) -> str:
    """A use of a tool: which one of that tool in the run that is told of, and when."""
    for run in (seen, passing):
        use = next((one for one in run.uses if one.key == key), None)
        if use is not None:
            of = [one for one in run.uses if one.tool == use.tool]
            return (
                f"use {of.index(use) + 1} of {use.tool} ({use.path}, begun at {use.start_s:.3f} s)"
            )
    return f"use {key!r}"


def _call(address: str, passing: Observation, seen: Observation) -> str:
    """A call: which one of its agent in the run that is told of, and when. Under a first deviation it may begin at another time."""
    for run in (seen, passing):
        site = _site(address, run)
        if site is not None:
            of = [one for one in run.sites if one.agent == site.agent]
            return f"call {of.index(site) + 1} of {site.agent} ({site.path}, begun at {site.start_s:.3f} s)"
    return f"call {address!r}"


def _site(address: str, run: Observation) -> Site | None:
    return next((site for site in run.sites if site.address == address), None)


def compare(before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """Two timelines as one, the differences marked; long stretches that are the same are left out.

    Shown with its neighbours is each line that differs, and what both runs did in the time by which the first of them differs: it is
    what a call that ends later comes too late for.
    """
    lines = list(_marked(*in_columns(before, now)))
    differs = [place for place, (mark, _) in enumerate(lines) if mark != " "]
    if not differs:
        return
    shown = {place + beside for place in differs for beside in (-1, 0, 1)}
    shown |= set(_meanwhile(lines, differs))
    told = [place for place in range(len(lines)) if place in shown]
    for place in told[:_LINES_MAX]:
        line = "".join(lines[place])
        yield f"{line}  <- here they part" if place == differs[0] else line
    if len(told) > _LINES_MAX:
        yield f"... and {len(told) - _LINES_MAX} more lines"


def _marked(before: Sequence[str], now: Sequence[str]) -> Iterator[tuple[str, str]]:
    """All lines of both timelines, each with `-`, `+`, or a blank if it is in both."""
    for kind, one, one_end, other, other_end in difflib.SequenceMatcher(
        a=before, b=now, autojunk=False
    ).get_opcodes():
        if kind == "equal":
            yield from ((" ", line) for line in before[one:one_end])
        else:
            yield from (("-", line) for line in before[one:one_end])
            yield from (("+", line) for line in now[other:other_end])


def _meanwhile(lines: Sequence[tuple[str, str]], differs: Sequence[int]) -> Iterator[int]:
    """The last lines of both runs that begin or end between the two ends of the first line that differs."""
    ends_s = [
        next(
            (
                times[1]
                for place in differs
                if lines[place][0] == mark and (times := times_of(lines[place][1]))
            ),
            None,
        )
        for mark in "-+"
    ]
    from_s, to_s = min(filter(None, ends_s), default=0.0), max(filter(None, ends_s), default=0.0)
    found = [
        place
        for place, (mark, line) in enumerate(lines)
        if mark == " " and any(from_s <= at_s <= to_s for at_s in times_of(line))
    ]
    yield from found[-_MEANWHILE_MAX:]
