"""A finding as a story: what deviates, and what then happens otherwise than in the passing run, with virtual times."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence

from harness.explore.deviation import (
    Cancel,
    Deviation,
    Deviations,
    Down,
    Fault,
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
    if near.deviations:
        told.append("The nearest run that passes:")
        told += [f"  {in_words(one, passing, near.seen)}" for one in near.deviations]
    compared = list(compare(near.seen.timeline(), seen.timeline()))
    if compared:
        which = "the nearest run that passes" if near.deviations else "the passing run"
        told.append(f"What happened (- in {which}, + in this one):")
        told += [f"  {line}" for line in compared]
    return "\n".join(told)


def _how_many(deviations: Sequence[Deviation]) -> str:
    if not deviations:
        return "It takes no deviation: the run fails as it is."
    return f"It takes {len(deviations)} {'deviation' if len(deviations) == 1 else 'deviations'}:"


def in_words(one: Deviation, passing: Observation, seen: Observation) -> str:
    """A deviation in words."""
    match one:
        case Fault(call=call, name=name, fields=fields, attempt=attempt):
            which = "" if attempt is None else f", attempt {attempt}"
            with_ = "".join(f" {key}={value}" for key, value in fields)
            return f"{_call(call, passing, seen)} meets {name}{with_}{which}"
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
            return f"of the threads {ready}, {goes} goes first (time {number})"
        case ThreadFirst(thread=thread, last=last):
            return f"{thread} goes {'last' if last else 'first'} whenever several threads are ready"
        case ThreadJitter(seed=seed):
            return f"threads take turns in another order (seed {seed})"
        case Priorities(seed=seed, depth=depth):
            return f"threads have priorities, which change {depth - 1} times (seed {seed})"
        case ToolFails(use=use, effect=effect):
            how = "does its work, and its answer is lost" if effect else "fails"
            return f"tool use {use!r} {how}"
        case ToolTwice(use=use):
            return f"tool use {use!r} is done twice"
        case Meets(sort=sort, at=at, name=name, fields=fields):
            with_ = "".join(f" {key}={value}" for key, value in fields)
            what = _call(at, passing, seen) if sort == "agent" else f"{sort} {at}"
            return f"{what} meets {name}{with_}"
        case ToolLatency(use=use, takes_s=takes_s):
            return f"tool use {use!r} takes {render('latency_s', takes_s)}"


def _call(address: str, passing: Observation, seen: Observation) -> str:
    for run in (passing, seen):
        site = _site(address, run)
        if site is not None:
            of = [one for one in run.sites if one.agent == site.agent]
            return f"call {of.index(site) + 1} of {site.agent} ({site.path}, begun at {site.start_s:.3f} s)"
    return f"call {address!r}"


def _site(address: str, run: Observation) -> Site | None:
    return next((site for site in run.sites if site.address == address), None)


def compare(before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """Two timelines as one, the differences marked; long stretches that are the same are left out."""
    lines = [
        line
        for line in difflib.unified_diff(before, now, n=1, lineterm="")
        if not re.match(r"(---|\+\+\+|@@)", line)
    ]
    first = next((place for place, line in enumerate(lines) if line[:1] in "+-"), -1)
    for place, line in enumerate(lines[:_LINES_MAX]):
        yield f"{line}  <- here they part" if place == first else line
    if len(lines) > _LINES_MAX:
        yield f"... and {len(lines) - _LINES_MAX} more lines"
