"""One run: a scenario and a seed, executed."""

from __future__ import annotations

import asyncio
import math
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from harness import wall
from harness.agents import Message, Task
from harness.kernel import run
from harness.kernel.arrivals import Arrival, Closed
from harness.kernel.loop import SimLoop
from harness.metrics import RunTally, tally
from harness.models import CALL_ERRORS, error_name
from harness.patterns import PatternError
from harness.run.build import World
from harness.scenario import LoadedScenario
from harness.scenario.schema import Kind
from harness.spans import CANCELLED, ERROR, OK, Table
from harness.units import whole_microseconds

USER = "user"

_FAILURES = (*CALL_ERRORS, PatternError)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What one run left behind."""

    seed: int
    status: Literal["done", "horizon"]
    """Whether all tasks came to an end, or the horizon cut some."""
    spans: Table
    events: Table
    tally: RunTally
    """What its metrics are made of."""
    stub_lines_used: dict[str, set[int]] = field(default_factory=dict)
    """The lines of each agent's script that were asked for."""
    faults_met: set[int] = field(default_factory=set)
    """The faults, by number, that met at least one attempt."""
    wall_s: float = 0.0
    """Real time it took [s]."""


def simulate(scenario: LoadedScenario, seed: int) -> RunResult:
    """Execute one run.

    Args:
        scenario: What to simulate.
        seed: The one integer that all chance follows from.

    Returns:
        Its spans, events and tallies; the same on every call.

    Raises:
        HarnessError: The scenario led to something that cannot go on, such as a script that ran out. The error
            carries a note with the command that replays it.
    """
    began_s = wall.elapsed_s()
    world = World(scenario, seed)
    try:
        status = run(world.kernel, run_workload(world))
    except Exception as error:
        error.add_note(f"  To replay: {replay_command(scenario, seed)}")
        raise
    spec = scenario.spec
    slots = [part.concurrency for part in spec.providers.values()]
    bounded = [slot for slot in slots if slot is not None]
    return RunResult(
        seed=seed,
        status=status,
        spans=world.log.spans,
        events=world.log.events,
        tally=tally(
            world.log.spans,
            agents=spec.agents,
            warmup_tasks=spec.workload.warmup_tasks,
            slots=sum(bounded) if len(bounded) == len(slots) else None,
        ),
        stub_lines_used={agent: stub.used for agent, stub in world.stubs.items()},
        faults_met=set().union(*(model.met for model in world.faulty)),
        wall_s=wall.elapsed_s() - began_s,
    )


def replay_command(scenario: LoadedScenario, seed: int) -> str:
    """The command that executes one run again."""
    changes = [word for override in scenario.overrides for word in ("--set", override)]
    return shlex.join(
        ["harness", "simulate", scenario.source, "--seed", str(seed), "--runs", "1", *changes]
    )


async def run_workload(world: World) -> Literal["done", "horizon"]:
    """Let the tasks come, and wait until all are done or the horizon is there; then those that are left are cancelled."""
    arrivals = world.spec.workload.arrivals
    if isinstance(arrivals, Closed):
        everybody = [
            asyncio.ensure_future(_user(world, user, arrivals))
            for user in range(1, min(arrivals.users, world.spec.workload.tasks or 0) + 1)
        ]
        workload: asyncio.Future[Any] = asyncio.gather(*everybody)
    else:
        workload = asyncio.ensure_future(_open_workload(world, arrivals.arrivals(world.draws)))
    try:
        async with asyncio.timeout(world.spec.horizon_s):
            await workload
    except TimeoutError:
        return "horizon"
    return "done"


async def _open_workload(world: World, arrivals: Iterator[Arrival]) -> None:
    limit = world.spec.workload.tasks
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop), "only a simulated loop can wait until a time without rounding"
    try:
        async with asyncio.TaskGroup() as group:
            for number, arrival in enumerate(arrivals, 1):
                if limit is not None and number > limit:
                    break
                if arrival.at_s > loop.time():
                    await loop.sleep_until(arrival.at_s)
                group.create_task(_work_on(world, number, arrival))
    except BaseExceptionGroup as group_of_errors:
        raise group_of_errors.exceptions[0] from None  # as `gather` does: what went wrong first


async def _user(world: World, user: int, closed: Closed) -> None:
    """One user of a closed workload; user u of n does the tasks u, u + n, u + 2n, and so on."""
    assert world.spec.workload.tasks is not None
    for number in range(user, world.spec.workload.tasks + 1, closed.users):
        think_s = whole_microseconds(closed.think_s.sample(world.draws, "think", number))
        if think_s > 0:
            await asyncio.sleep(think_s)
        await _work_on(world, number, Arrival(asyncio.get_running_loop().time()))


async def _work_on(world: World, number: int, arrival: Arrival) -> None:
    """Let the pattern work on one task, and record how it ended."""
    kind = _kind(world, number)
    span = world.log.open_task(kind.kind, number)
    message = _first_message(world, kind, arrival, Task(number, kind.kind, span))
    status = CANCELLED
    try:
        await world.spec.pattern.run(message, world.team)
        status = OK
    except _FAILURES as error:
        status, span.error = ERROR, error_name(error)
    finally:
        world.log.close(span, status)


def _kind(world: World, number: int) -> Kind:
    kinds = world.spec.workload.kinds
    if len(kinds) == 1:
        return kinds[0]
    # Not `sum`, which adds floats up in another way since Python 3.12.
    point = world.draws.uniform("kind", number) * math.fsum(kind.weight for kind in kinds)
    for kind in kinds:
        point -= kind.weight
        if point < 0:
            return kind
    return kinds[-1]


def _first_message(world: World, kind: Kind, arrival: Arrival, task: Task) -> Message:
    text = f"{kind.kind} {task.number}" if kind.text is None else kind.text
    input_tokens = arrival.input_tokens
    if kind.input_tokens is not None:
        input_tokens = round(
            kind.input_tokens.sample(world.draws, "task", task.number, "input_tokens")
        )
    task.output_tokens = arrival.output_tokens
    if kind.output_tokens is not None:
        task.output_tokens = round(
            kind.output_tokens.sample(world.draws, "task", task.number, "output_tokens")
        )
    if input_tokens is None:
        return Message.of_text(task, USER, text)
    return Message(task, USER, text, input_tokens)
