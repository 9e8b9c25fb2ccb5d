"""One run of a program of the zoo, under deviations that are stated."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from harness import Choices, HarnessError
from harness.sim import Sim
from harness.sim.program_run import ProgramRun
from tests.zoo.planted import (
    Cancel,
    Deviation,
    Fault,
    Late,
    Order,
    Planted,
    Shift,
    Tool,
)

HORIZON_S = 800.0
"""No program of the zoo takes so long unless it goes on for ever [virtual s]."""


@dataclass(frozen=True)
class Ran:
    """A run, and what is wrong with it."""

    run: ProgramRun
    choices: Choices
    met: frozenset[int]
    """The numbers of the faults that met a call, from 1."""
    wrong: BaseException | None


def run(bug: Planted, deviations: Iterable[Deviation] = (), *, fixed: bool = False) -> Ran:
    """Run a program under deviations, then its check."""
    sim = Sim(horizon_s=HORIZON_S)
    bug.describe(sim)
    overrides: dict[tuple[str, ...], Any] = {}
    order: Any = "arrival"
    seed = 1
    for deviation in deviations:
        match deviation:
            case Fault(agent, call, kind, fields):
                sim.fault(kind, agent=agent, call=call, allow_unmet=True, **fields)
            case Late(agent, call, for_s):
                sim.fault("takes", agent=agent, call=call, for_s=for_s, allow_unmet=True)
            case Shift(task, number, kind, by_s):
                overrides["timer", task, kind, str(number)] = by_s
            case Cancel(task, at_s):
                overrides["cancel", task] = at_s
            case Order(seed):
                order = "random"
            case Tool(use, outcome):
                overrides["tool", use, "outcome"] = outcome
    choices = Choices(overrides)
    program = bug.fixed if fixed else bug.program
    wrong = failure_of(
        functools.partial(sim.run, program, choices=choices, order=order, seed=seed), bug.check
    )
    if isinstance(wrong, HarnessError) and not sim.runs:
        raise wrong
    return Ran(sim.last_run, choices, sim.last_run.faults_met, wrong)


def failure_of(run: Callable[[], ProgramRun], check: Callable[[Any], None]) -> BaseException | None:
    """What a run ends with if it does not end well: the program's error, or that of the check."""
    try:
        check(run().output)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it is looked at
        return error
    return None
