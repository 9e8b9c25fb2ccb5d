"""Explore a program of a test: search for the least bad luck that breaks it."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.errors import HarnessError, did_you_mean
from harness.explore.apply import DeviatedChoices
from harness.explore.budget import Budget
from harness.explore.deviation import Deviations
from harness.explore.exploration import Exploration, Finding
from harness.explore.observation import Bounds, Observation, Site, Use
from harness.explore.portfolio import Portfolio
from harness.explore.properties import NO_LIMITS, properties
from harness.explore.scenario import digest_of
from harness.explore.search import Search
from harness.explore.spent import harm_in, spent_in
from harness.explore.token import read_token
from harness.faults import FAULTS
from harness.scenario.explore import RunLimits
from harness.sim.call_view import CallView
from harness.sim.program_run import ProgramRun
from harness.sim.timeline import Timeline, lines

Program = Callable[..., Any]


class Runner(Protocol):
    """What runs the program: a `Sim`."""

    horizon_s: float
    calls_per_task: int
    command: str
    runs: list[ProgramRun]

    def run(self, program: Program, *args: object, **how: Any) -> ProgramRun:  # noqa: ANN401 - of `Sim.run`
        """Run it once."""


class ExploredProgram:
    """A program that a search runs; see `harness.explore.observation.Subject`.

    Args:
        sim: Its surroundings.
        program: The function.
        args: What it is called with.
        seed: Of all its runs.
    """

    def __init__(self, sim: Runner, program: Program, args: tuple[object, ...], seed: int) -> None:
        self._sim = sim
        self._program = program
        self._args = args
        self._seed = seed

    def run(self, deviations: Deviations, bounds: Bounds | None = None) -> Observation:
        """Run once; see `Subject.run`."""
        sim, choices = self._sim, DeviatedChoices(deviations)
        limits: dict[str, Any] = {}
        if bounds is not None:
            choices.idle_instants, choices.steps_per_instant = bounds.idle_instants, bounds.steps
            limits = {
                "horizon_s": min(bounds.horizon_s, sim.horizon_s),
                "calls_per_task": min(bounds.calls, sim.calls_per_task),
            }
        before = len(sim.runs)
        with suppress(Exception, BaseExceptionGroup):
            # The error is in the run.
            _run(sim, self._program, self._args, seed=self._seed, choices=choices, **limits)
        assert len(sim.runs) > before, "a run leaves a trace, whatever it raises"
        run = sim.runs[-1]
        if deviations or before:  # the first stays: it is what the test has run
            del sim.runs[before:]
        return observe(run, choices)


@contextmanager
def _quiet() -> Iterator[None]:
    """Context manager: what asyncio and threads say of the errors of a program is said by findings."""
    logger, hook = logging.getLogger("asyncio"), threading.excepthook
    was_disabled, logger.disabled = logger.disabled, True
    threading.excepthook = lambda _: None
    try:
        yield
    finally:
        gc.collect()  # a task says when it is collected that nobody has asked for its error
        logger.disabled = was_disabled
        threading.excepthook = hook


def _silent(finding: Finding) -> None:
    """Say nothing of a finding before the end."""


def _run(sim: Runner, program: Program, args: tuple[object, ...], **how: Any) -> None:  # noqa: ANN401 - of `Sim.run`
    try:
        sim.run(program, *args, **how)
    except asyncio.CancelledError:
        return  # the program was cancelled as a whole; it is in the run


def observe(run: ProgramRun, choices: DeviatedChoices) -> Observation:
    """A run as a search sees it."""
    kept = run.kept or frozenset()
    return Observation(
        output=run.output,
        error=run.error,
        latency_s=run.latency_s,
        sites=[_site(call, run.latency_s) for call in run.all_calls],
        uses=[
            Use(use.key, use.tool, use.task, use.began_s, use.began_s + use.takes_s)
            for use in choices.uses
        ],
        timers=choices.timers,
        tasks=choices.tasks,
        effects=[(effect.tool, effect.arguments) for effect in run.effects],
        spent=spent_in(run.spans_table, run.latency_s),
        harmed_until_s=harm_in(run.spans_table),
        kept=kept,
        leaks=choices.leaks,
        deaths=choices.deaths,
        died=bool(choices.deaths),
        stuck=run.tasks,
        events=digest_of(run.spans_table, run.events_table),
        applied=dict.fromkeys(choices.applied),
        parts={wide: tuple(narrow) for wide, narrow in choices.parts.items()},
        orders=choices.orders,
        threads=tuple(choices.threads),
        occurrences=choices.occurrences(),
        timeline=lambda: lines(Timeline(run).entries()),
    )


def _site(call: CallView, end_s: float) -> Site:
    made = call._call  # noqa: SLF001 - a view is what tests see of it
    return Site(
        number=call.number,
        agent=call.agent,
        address=call.address,
        path=call.task_path,
        start_s=call.start_s,
        end_s=end_s if math.isnan(call.end_s) else call.end_s,
        prompt=call.prompt,
        text=call.text,
        status=call.status,
        attempts=len(call.attempts),
        met=any(attempt.fault for attempt in call.attempts),
        is_stream=made.prompt.stream,
        calls_tools=bool(made.reply is not None and made.reply.tool_calls),
        heard=tuple(call.heard),
    )


@dataclass(frozen=True, slots=True)
class How:
    """How a search is made."""

    budget: Budget
    seed: int
    """Of all runs."""
    faults: Collection[str] | None = None
    """The faults that may be injected; None means all."""
    on_finding: Callable[[Finding], object] | None = None
    """Called with each finding as it comes."""
    cases: Path | None = None
    """The folder in which findings are kept."""
    jobs: int = 1
    """How many runs are made at once."""
    limits: RunLimits = NO_LIMITS
    """What a run may take at most."""


class Explored:
    """What a test explores: a program in its surroundings.

    Args:
        sim: The surroundings.
        program: The function.
        args: What it is called with.
        check: Of its output; None if there is none.
    """

    def __init__(
        self,
        sim: Runner,
        program: Program,
        args: tuple[object, ...],
        check: Callable[..., object] | None,
    ) -> None:
        self._sim = sim
        self._program = program
        self._args = args
        self._check = check

    def search(self, how: How) -> Exploration:
        """Search; see `Sim.explore`."""
        for name in how.faults or ():
            if name not in FAULTS:
                raise HarnessError(
                    f"there is no fault {name!r}{did_you_mean(name, list(FAULTS))}\n  Known: {', '.join(FAULTS)}"
                )
        with _quiet():
            return self._portfolio(how).run()

    def replay(self, token: str) -> Exploration:
        """Run a finding again; see `Sim.replay_finding`."""
        replay = read_token(token)
        with _quiet():
            how = How(Budget(3, math.inf), replay.seed, limits=RunLimits(**replay.limits))
            return self._portfolio(how).replay(replay)

    def _portfolio(self, how: How) -> Portfolio:
        subject = ExploredProgram(self._sim, self._program, self._args, how.seed)
        search = Search(
            subject,
            properties(self._check, how.limits),
            how.budget,
            how.faults,
            how.seed,
            self._check,
            how.jobs,
            heals=how.limits.recovery_s is not None,
        )
        return Portfolio(
            search,
            on_finding=how.on_finding or _silent,
            seed=how.seed,
            test=self._sim.command,
            limits=how.limits.stated(),
            cases=how.cases,
        )
