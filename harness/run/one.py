"""One run: execute a scenario with a seed."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, Self

from harness import wall
from harness.agents import Effect
from harness.chance import Draws
from harness.chance.choices import Choices
from harness.chance.chosen_draws import draws_of
from harness.metrics import Finding, RunTally, summarise, tally
from harness.metrics.stood_out import StoodOut, note_at_end, stood_out
from harness.resilience import Storage
from harness.run.build import PatternRun
from harness.run.explain import explain
from harness.run.face import SimulatedRun
from harness.run.functions import modules_of_run
from harness.run.resume import NOT_RESUMABLE, Restored, Resumable, resumable
from harness.scenario import AnyScenario, LoadedScenario, TargetScenario
from harness.scenario.functions import load_libraries
from harness.scenario.spec import SPEC
from harness.spans import SpanLog, Table
from harness.texts import no_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """The result of one run."""

    seed: int
    status: Literal["done", "horizon", "killed"]
    """Whether all tasks ended, the horizon cut some off, or the run was killed."""
    spans: Table
    events: Table
    tally: RunTally
    """What its metrics are made of."""
    stub_lines_used: Mapping[str, Set[int]] = field(default_factory=dict)
    """The lines of each agent's script that were asked for."""
    faults_met: Set[int] = field(default_factory=set)
    """Numbers of the faults that applied to at least one attempt."""
    findings: Sequence[Finding] = ()
    """Findings about a user program's use of its providers."""
    unsimulated: Mapping[str, int] = field(default_factory=dict)
    """Hosts that are not simulated and that it tried to reach, with the number of tries."""
    failures: dict[str, int] = field(default_factory=dict)
    """How many tasks each kind of error of a pattern, or of a program of one's own, has ended."""
    tracebacks: dict[str, str] = field(default_factory=dict)
    """The traceback of the first error of each kind, cut to the frames of the user's code; of a pattern's the words alone."""
    wall_s: float = 0.0
    """Real time it took [s]."""
    texts: Table = field(default_factory=no_texts)
    """The prompts and replies of its calls, with `TEXT_COLUMNS`; empty if they are not kept."""
    effects: tuple[Effect, ...] = ()
    """What the tools of a pattern's agents did to the world, in order; of a resumed run, before it was killed too."""
    restored: Restored = Restored()
    """What a resumed run was given back."""
    stood_out: tuple[StoodOut, ...] = ()
    """Deadlocks, tasks without progress, cascades and starvation, the gravest first."""

    def without_spans(self) -> Self:
        """A copy without spans and events, which are most of the data sent between processes."""
        nothing = SpanLog(float)
        return dataclasses.replace(self, spans=nothing.spans, events=nothing.events)

    def explain(self) -> str:
        """Where the time and the money went, what went wrong, and which claims were false, with their ways."""
        return explain(self.spans, self.events, self.tally, self.tracebacks)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from harness.report.notebook import run_html

        metrics, _ = summarise([self.tally])
        return run_html(f"Run of seed {self.seed}", self.spans, self.events, metrics)


def simulate(
    scenario: LoadedScenario,
    seed: int,
    *,
    choices: Choices | None = None,
    on_task_end: Callable[[], None] | None = None,
    checkpoint: Storage | None = None,
    stop_at_event: int | None = None,
) -> RunResult:
    """Execute one run.

    Args:
        scenario: What to simulate.
        seed: The integer from which all random values are derived.
        choices: Overrides of single choices, and the record of all; None means neither.
        on_task_end: Called whenever a task has ended; it must not touch the run.
        checkpoint: Where its progress is kept, and whence it is resumed; None means where the scenario says, if it does.
        stop_at_event: The event at which the run is killed, 1 for the first; None if it is not.

    Returns:
        Its spans, events and tallies; the same on every call.

    Raises:
        HarnessError: The scenario cannot continue, for example because a script ran out. The error
            carries a note with the command that replays it.
    """
    try:
        with (
            resumable(scenario, seed, checkpoint, stop_at_event) as kept,
            world_of(scenario, draws_of(seed, choices), kept) as world,
        ):
            world.on_task_end = on_task_end
            return run_result(scenario, world, seed)
    except Exception as error:
        error.add_note(f"  To replay: {replay_command(scenario, seed)}")
        raise


@contextmanager
def world_of(
    scenario: LoadedScenario, seed: int | Draws, kept: Resumable = NOT_RESUMABLE
) -> Iterator[SimulatedRun]:
    """The parts of a run, to be executed inside.

    Args:
        scenario: What to simulate.
        seed: The integer from which all random values are derived, or the draws of the run.
        kept: Where the progress of a pattern's run is kept, and when it is killed.
    """
    load_libraries(scenario.functions, scenario.folder)
    if isinstance(scenario.spec, TargetScenario):
        from harness.run.target import TargetWorld

        yield TargetWorld(scenario, seed)
    else:
        with modules_of_run(scenario):
            yield PatternRun(scenario, seed, kept)


def run_result(scenario: LoadedScenario, world: SimulatedRun, seed: int) -> RunResult:
    """Execute a run whose parts are there, and put together what came of it."""
    began_s = wall.elapsed_s()
    status = world.execute()
    spec = scenario.spec
    note_at_end(world.log, warmup_tasks=spec.workload.warmup_tasks)
    return RunResult(
        seed=seed,
        status=status,
        spans=world.log.spans,
        events=world.log.events,
        tally=tally(
            world.log.spans,
            agents=spec.agents,
            events=world.log.events,
            warmup_tasks=spec.workload.warmup_tasks,
            slots=slots_of(spec),
        ),
        stub_lines_used=world.stub_lines_used,
        faults_met=world.faults_met,
        findings=world.findings,
        unsimulated=world.unsimulated,
        failures=dict(world.failures.counts),
        tracebacks=world.failures.tracebacks,
        wall_s=wall.elapsed_s() - began_s,
        texts=no_texts() if world.texts is None else world.texts.table,
        effects=world.effects,
        restored=world.restored,
        stood_out=tuple(stood_out(world.log.events)),
    )


def slots_of(spec: AnyScenario) -> int | None:
    """Number of attempts that all providers serve at once; None if one is unlimited."""
    slots = [part.concurrency for part in spec.providers.values()]
    bounded = [slot for slot in slots if slot is not None]
    return sum(bounded) if slots and len(bounded) == len(slots) else None


def replay_command(scenario: LoadedScenario, seed: int) -> str:
    """The command that executes one run again."""
    if scenario.source == SPEC:
        return f"Simulation.from_spec(...).run({seed})"
    changes = [word for override in scenario.overrides for word in ("--set", override)]
    return shlex.join(
        ["harness", "simulate", scenario.source, "--seed", str(seed), "--runs", "1", *changes]
    )
