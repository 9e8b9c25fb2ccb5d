"""The deadlock report of a threaded program: what each thread waits for, since when and where; then the tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.kernel import agent_circle, deadlock_report
from harness.kernel.agent_circle import find_circle
from harness.kernel.awaited import place_of, wait_of
from harness.kernel.code_places import PACKAGES
from harness.kernel.current_world import World
from harness.kernel.loop import SimLoop
from harness.kernel.sim_thread import SimThread
from harness.kernel.watcher import AGENTS
from harness.virtual import locks, pool_workers
from harness.virtual.aside import IDLE
from harness.virtual.outsiders import threads_outside
from harness.virtual.thread_circle import ThreadWaits
from harness.virtual.thread_waits import (
    Doer,
    ThreadWait,
    frames_of_thread,
    source_of,
    thread_of,
    wait_of_thread,
    worker_of,
)


def report(world: World) -> str:
    """Report what every thread and task of a world waits for, and the cycle if threads wait in one."""
    baton = world.kernel.baton
    alive = [loop for loop in world.loops if not loop.is_closed()]
    loops = [loop for loop in alive if deadlock_report.tasks_in_order(loop) or not loop.is_aside]
    tasks = [
        deadlock_report.report(loop)
        for loop in loops
        if len(loops) == 1 or deadlock_report.tasks_in_order(loop)
    ]
    threads = [
        thread for thread in (baton.main, *baton.threads) if not is_told_otherwise(thread, alive)
    ]
    outsiders = threads_outside(world)
    last = [f"  threads that do not belong to the run: {', '.join(outsiders)}"] if outsiders else []
    if not threads or not (baton.threads or baton.main.waits_for in locks.waited_for):
        return _agents_first([*(tasks or [deadlock_report.report_of_thread()]), *last])
    waits = {thread: wait_of_thread(world, thread) for thread in threads}
    lines = [line for thread, wait in waits.items() for line in _lines(thread, wait)]
    lines += _cycle(_waits_on(world, waits, loops))
    circle = find_circle(threads, world.kernel.watcher.agent_of, ThreadWaits(world))
    if circle is not None:
        lines.append(f"{AGENTS}{circle.words}")
    return _agents_first([*lines, *last, *tasks])


def _agents_first(parts: Sequence[str]) -> str:
    """The parts of a report, with the agents that wait for one another before the rest."""
    lines = "\n".join(parts).splitlines()
    return "\n".join(sorted(lines, key=lambda line: not line.startswith(AGENTS)))


def circle_beside_timers(world: World, *, strict: bool) -> object:
    """Agents of one loop that wait for one another although timers go on; None if there are none.

    Args:
        world: The world.
        strict: Whether to leave out what is only likely.
    """
    agent_of = world.kernel.watcher.agent_of
    for loop in world.loops:
        tasks = [] if loop.is_closed() else deadlock_report.tasks_in_order(loop)
        found = agent_circle.circle_beside_timers(tasks, agent_of, strict=strict)
        if found is not None:
            return found
    baton = world.kernel.baton
    if not baton.threads:
        return None
    threads = (baton.main, *baton.threads)
    return agent_circle.circle_beside_timers(threads, agent_of, ThreadWaits(world), strict=strict)


def is_told_otherwise(thread: SimThread, loops: Sequence[SimLoop]) -> bool:
    """Whether a thread only waits for work: for its loop's tasks, which are listed, or as an idle worker of a pool."""
    waiter = thread.waits_for
    if waiter is not None and (waiter.name is IDLE or any(waiter is loop.waiter for loop in loops)):
        return True
    codes = [frame.f_code for frame in frames_of_thread(thread)]
    own = [code for code in codes if not code.co_filename.startswith(PACKAGES)]
    return pool_workers.WORKER in codes and not own


def _lines(thread: SimThread, wait: ThreadWait) -> Iterator[str]:
    why = f"; {wait.why}" if wait.why else ""
    yield f"  {thread.name} waits for {wait.what} since {thread.since_s:.6f} s{why}"
    place = place_of(frames_of_thread(thread))
    if place:
        yield f"    at {place}"


def _waits_on(
    world: World, waits: dict[SimThread, ThreadWait], loops: Sequence[SimLoop]
) -> dict[Doer, list[Doer]]:
    """Whom every thread and every task waits for."""
    on: dict[Doer, list[Doer]] = {
        thread: [] if wait.on is None else [wait.on] for thread, wait in waits.items()
    }
    for loop in loops:
        blocked = thread_of(world, loop)
        for task in deadlock_report.tasks_in_order(loop):
            worker = worker_of(world, source_of(getattr(task, "_fut_waiter", None)))
            others: list[Doer | None] = [*wait_of(task).on, worker, blocked]
            on[task] = [other for other in others if other is not None]
    return on


def _cycle(on: dict[Doer, list[Doer]]) -> Iterator[str]:
    """The first cycle with a thread in it; cycles of tasks alone are told with the tasks."""
    for start in on:
        path = _way_back(on, start) if isinstance(start, SimThread) else []
        if path:
            names = [doer.name if isinstance(doer, SimThread) else doer.get_name() for doer in path]
            yield "  cycle: " + " -> ".join([*names, names[0]])
            return


def _way_back(on: dict[Doer, list[Doer]], start: Doer) -> list[Doer]:
    """A cycle of waits; empty if there is none."""
    ways, seen = [[start]], set[Doer]()
    while ways:
        way = ways.pop(0)
        for other in on.get(way[-1], ()):
            if other is start:
                return way
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []
