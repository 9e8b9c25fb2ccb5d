"""Explore a scenario: a pattern, or a program of the user's that it names as its target."""

from __future__ import annotations

import asyncio
import hashlib
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from harness.chance.choices import TaskRecord
from harness.chance.chosen_draws import draws_of
from harness.errors import HarnessError
from harness.explore.apply import DeviatedChoices
from harness.explore.deviation import Cancel, Deviations, Fault
from harness.explore.observation import Bounds, Observation, Site
from harness.explore.properties import NO_LIMITS, Context, Failure, Property
from harness.explore.properties.effects import repeated_effect
from harness.explore.properties.ending import ends
from harness.explore.properties.errors import failure_of, is_clean
from harness.explore.properties.limits import within
from harness.explore.properties.recovery import recovers
from harness.explore.spent import harm_in, spent_in
from harness.run.face import SimulatedRun
from harness.run.one import world_of
from harness.scenario import LoadedScenario, TargetScenario
from harness.scenario.explore import RunLimits
from harness.spans import ATTEMPT, CALL, OK, TASK, Table

_OF_WORKLOAD = re.compile(r"task \d+")
"""The path of a task of the workload."""

HORIZON = "horizon"
"""The status of a task that had not ended at the horizon."""


class TaskOutcome(NamedTuple):
    """How one task of a scenario ended."""

    number: int
    status: str
    error: str
    correct: int
    """1 if the answer is right, 0 if it is wrong, -1 if nobody knows."""


class ExploredScenario:
    """A scenario that a search runs; see `harness.explore.observation.Subject`.

    Args:
        scenario: The scenario.
        seed: Of all its runs.
    """

    def __init__(self, scenario: LoadedScenario, seed: int) -> None:
        self._scenario = scenario
        self._seed = seed
        self._is_pattern = not isinstance(scenario.spec, TargetScenario)

    def run(self, deviations: Deviations, bounds: Bounds | None = None) -> Observation:
        """Run once; see `Subject.run`. A scenario states its own bounds."""
        choices = DeviatedChoices(deviations, is_pattern=self._is_pattern)
        failed: BaseException | None = None
        with world_of(self._scenario, draws_of(self._seed, choices)) as world:
            try:
                world.execute()
            except HarnessError as error:
                failed = error
            except asyncio.CancelledError as error:
                if not any(isinstance(one, Cancel) for one in choices.applied):
                    raise
                failed = error
        errors = list(world.failures.first.values())
        group = failed
        if failed is None and errors:
            group = ExceptionGroup("tasks of the scenario", errors)
        return _observed(world, choices, group)


def properties(limits: RunLimits = NO_LIMITS) -> tuple[Property, ...]:
    """What has to hold in every run of a scenario, in the order in which it is asked.

    Args:
        limits: What a task may take at most.
    """
    ending = ends if limits.recovery_s is None else recovers(limits.recovery_s)
    return (ending, _program_fails, _task_fails, _quality, repeated_effect, within(limits))


def _program_fails(context: Context) -> Failure | None:
    """A task of the user's program ends with an error that nothing excuses."""
    error = context.now.error
    if not isinstance(error, ExceptionGroup):
        return None
    for one in error.exceptions:
        if not context.deviations or not is_clean(one, context):
            return failure_of(one)
    return None


def _task_fails(context: Context) -> Failure | None:
    """A task fails that has no reason to: nothing failed outside, or a single attempt that could have been made again."""
    if context.now.error is not None:
        return None
    only_transient = all(isinstance(one, Fault) and one.attempt == 1 for one in context.deviations)
    for before, now in _pairs(context):
        if before.status != OK or now.status == OK:
            continue
        if now.status == HORIZON and not context.has_fault:
            return Failure(
                "unfinished", f"task {now.number} has not ended at the horizon", "", HORIZON
            )
        if only_transient or not context.is_disturbed:
            why = now.error or now.status
            return Failure("task_failed", f"task {now.number} failed: {why}", "", why)
    return None


def _quality(context: Context) -> Failure | None:
    """A task ends well with a wrong answer that is right in the passing run."""
    if context.now.error is not None:
        return None
    for before, now in _pairs(context):
        if before.correct == 1 and now.status == OK and now.correct == 0:
            return Failure("wrong_answer", f"task {now.number} reports success with a wrong answer")
    return None


def _pairs(context: Context) -> Iterator[tuple[TaskOutcome, TaskOutcome]]:
    now = {one.number: one for one in _outcomes(context.now)}
    for before in _outcomes(context.passing):
        yield before, now.get(before.number, before._replace(status=HORIZON, correct=-1))


def _outcomes(seen: Observation) -> Sequence[TaskOutcome]:
    return seen.tasks_ended


def _observed(
    world: SimulatedRun, choices: DeviatedChoices, error: BaseException | None
) -> Observation:
    spans, events = world.log.spans, world.log.events
    outcomes = [
        TaskOutcome(task, status if not math.isnan(end_s) else HORIZON, why, correct)
        for kind, task, status, why, correct, end_s in spans.rows(
            "kind", "task", "status", "error", "correct", "end_s"
        )
        if kind == TASK
    ]
    last_s = max((end_s for end_s in spans["end_s"] if not math.isnan(end_s)), default=0.0)
    return Observation(
        output=tuple(outcomes),
        tasks_ended=tuple(outcomes),
        error=error,
        latency_s=last_s,
        sites=list(_sites(spans, choices, last_s)),
        timers=choices.timers,
        tasks=[task for task in choices.tasks if _may_be_cancelled(task)],
        effects=[(effect.tool, effect.arguments) for effect in world.effects],
        spent=spent_in(spans, last_s),
        harmed_until_s=harm_in(spans),
        events=digest_of(spans, events),
        applied=dict.fromkeys(choices.applied),
        parts={wide: tuple(narrow) for wide, narrow in choices.parts.items()},
        orders=choices.orders,
        threads=tuple(choices.threads),
        occurrences=choices.occurrences(),
        timeline=lambda: _lines(spans),
    )


def _may_be_cancelled(task: TaskRecord) -> bool:
    """Whether somebody outside can cancel a task: one of the workload, whose customer gives up, or one that the program named."""
    if _OF_WORKLOAD.fullmatch(task.path):
        task.is_named = True
    return task.is_named and _OF_WORKLOAD.match(task.path) is not None


def _sites(spans: Table, choices: DeviatedChoices, last_s: float) -> Iterator[Site]:
    address: dict[int, str] = {}
    attempts: dict[int, int] = {}
    met: set[int] = set()
    for span_id, parent_id, kind, fault in spans.rows("span_id", "parent_id", "kind", "fault"):
        if kind != ATTEMPT:
            continue
        attempts[parent_id] = attempts.get(parent_id, 0) + 1
        with suppress(KeyError):
            address[parent_id] = choices.attempts[span_id]
        if fault:
            met.add(parent_id)
    number = 0
    for span_id, kind, task, agent, ordinal, start_s, end_s, status in spans.rows(
        "span_id", "kind", "task", "agent", "ordinal", "arrival_s", "end_s", "status"
    ):
        if kind != CALL or span_id not in address:
            continue
        number += 1
        yield Site(
            number=number,
            agent=agent,
            address=address[span_id],
            path=f"task {task}",
            start_s=start_s,
            end_s=last_s if math.isnan(end_s) else end_s,
            prompt=f"call {ordinal} in task {task}",
            text="",
            status=status,
            attempts=attempts[span_id],
            met=span_id in met,
            is_stream=False,
            calls_tools=False,
            heard=(),
        )


def digest_of(spans: Table, events: Table) -> str:
    """A digest of all spans and events, with their times."""
    rolling = hashlib.blake2b(digest_size=8)
    for table in (spans, events):
        for name in table.columns:
            rolling.update(table[name].tobytes())
        rolling.update(repr(table.texts).encode("utf-8", "surrogatepass"))
    return rolling.hexdigest()


def _lines(spans: Table) -> list[str]:
    """The calls and tasks of a run, one a line."""
    told = []
    for kind, task, agent, ordinal, start_s, end_s, status, error, fault in sorted(
        spans.rows(
            "kind", "task", "agent", "ordinal", "arrival_s", "end_s", "status", "error", "fault"
        ),
        key=lambda row: (row[4], row[1], row[2], row[3]),
    ):
        if kind not in (CALL, ATTEMPT, TASK):
            continue
        what = f"task {task}" if kind == TASK else f"{kind} {ordinal} of {agent} in task {task}"
        how = f"{status} {error}".strip() or "open"
        noted = f" [injected fault: {fault}]" if fault else ""
        told.append(f"{start_s:.3f} -> {end_s:.3f}  {what}: {how}{noted}")
    return told
