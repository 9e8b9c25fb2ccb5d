"""The tasks of a workload: each starts at its arrival time and runs concurrently with the others."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Literal

from harness.chance import Draws
from harness.chance.arrivals import Arrival, Closed
from harness.kernel.loop import SimLoop
from harness.run.stuck import StuckTasks
from harness.run.wall_loop import WallLoop
from harness.scenario import AnyScenario
from harness.scenario.schema import Kind
from harness.units import whole_microseconds

Work = Callable[[int, Arrival], Coroutine[object, None, None]]
"""Works on a task, by its number and how it arrived."""


async def run_workload(
    spec: AnyScenario, draws: Draws, work: Work, stuck: StuckTasks | None = None
) -> Literal["done", "horizon"]:
    """Start the tasks at their arrival times, and wait until all are done. At the horizon, the unfinished ones are cancelled.

    Args:
        spec: Says when they come, and how many.
        draws: Source of random values.
        work: Works on one task.
        stuck: Ends tasks that are stuck; None leaves them to the horizon.
    """
    loop = asyncio.get_running_loop()
    if stuck is not None and isinstance(loop, SimLoop):
        stuck.watch(loop.kernel, loop.time() + spec.horizon_s)
    arrivals = spec.workload.arrivals
    if isinstance(arrivals, Closed):
        begin_s = asyncio.get_running_loop().time()
        everybody = [
            asyncio.ensure_future(_user(spec, draws, work, user, arrivals, begin_s))
            for user in range(1, min(arrivals.users, spec.workload.tasks or 0) + 1)
        ]
        workload: asyncio.Future[Any] = asyncio.gather(*everybody)
    else:
        workload = asyncio.ensure_future(_open_workload(spec, work, arrivals.arrivals(draws)))
    try:
        async with asyncio.timeout(spec.horizon_s):
            await workload
    except TimeoutError:
        return "horizon"
    return "done"


async def _open_workload(spec: AnyScenario, work: Work, arrivals: Iterator[Arrival]) -> None:
    limit = spec.workload.tasks
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop | WallLoop), "only these wait until a time, counted from 0"
    try:
        async with asyncio.TaskGroup() as group:
            for number, arrival in enumerate(arrivals, 1):
                if limit is not None and number > limit:
                    break
                if arrival.at_s > loop.time():
                    await loop.sleep_until(arrival.at_s)
                group.create_task(work(number, arrival))
    except BaseExceptionGroup as group_of_errors:
        raise group_of_errors.exceptions[0] from None  # as `gather` does: what went wrong first


async def _user(
    spec: AnyScenario, draws: Draws, work: Work, user: int, closed: Closed, begin_s: float
) -> None:
    """One user of a closed workload; user u of n does the tasks u, u + n, u + 2n, and so on."""
    assert spec.workload.tasks is not None
    loop = asyncio.get_running_loop()
    assert isinstance(loop, SimLoop | WallLoop), "only these wait until a time, counted from 0"
    due_s = begin_s
    for number in range(user, spec.workload.tasks + 1, closed.users):
        think_s = whole_microseconds(closed.think_s.sample(draws, "think", number))
        due_s += think_s
        if due_s > loop.time():
            await loop.sleep_until(due_s)
        await work(number, Arrival(due_s))
        due_s = loop.time()


def kind_of(spec: AnyScenario, draws: Draws, number: int) -> Kind:
    """What sort of task one is."""
    kinds = spec.workload.kinds
    if len(kinds) == 1:
        return kinds[0]
    # Not `sum`, which adds floats up in another way since Python 3.12.
    point = draws.uniform("kind", number) * math.fsum(kind.weight for kind in kinds)
    for kind in kinds:
        point -= kind.weight
        if point < 0:
            return kind
    return kinds[-1]


def path_of_task(number: int) -> str:
    """Return the path of the asyncio task that works on a task of the workload."""
    return f"task {number}"


def text_of(kind: Kind, number: int) -> str:
    """What the user says with a task."""
    return f"{kind.kind} {number}" if kind.text is None else kind.text
