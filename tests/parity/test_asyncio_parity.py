"""Generated programs run on the simulated loop and on stock asyncio, and must do the same things at the same times.

The reference is `asyncio.BaseEventLoop` itself: its `_run_once`, its timers, its `asyncio.sleep`. Only its clock is
virtual: the selector jumps to the next timer. The order of sets is taken from `harness.kernel.deterministic_asyncio` on both sides,
because stock asyncio has none there that could be compared.

No two timers of a program fall on one instant, for there the two loops may differ by a turn, which is documented. A
duration is a whole part, which programs share and which makes them overlap in many ways, and a power of two that is the
timer's own. A timer fires at the sum of a chain of such durations. Two timers at one instant would need equal chains,
each then holding the other's power of two, so that each was set after the other had fired.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from harness.errors import Deadlock
from harness.kernel import Kernel, run
from harness.kernel.deterministic_asyncio import OrderedWeakSet, SimFuture, deterministic_asyncio
from tests.examples import examples

# -- programs ---------------------------------------------------------------------------------------

MAX_TIMERS = 40
UNIT_S = (
    2.0**-29
)  # above the resolution of the stock loop's clock (1e-9 s), below which it fires timers early
WHOLE = 2**MAX_TIMERS  # in units; sums of 40 durations keep all their bits in a float

LEAVES = [
    "sleep",
    "yield_once",
    "wait_back",
    "put",
    "get_at_most",
    "get",
    "set",
    "clear",
    "wait_event_at_most",
    "wait_event",
    "cancel",
    "join",
    "fail",
    "notify",
    "wait_notified_at_most",
    "call_later",
    "arrive_at_most",
]
BRANCHES = [
    "gather",
    "gather_exceptions",
    "group",
    "spawn",
    "lock",
    "semaphore",
    "timeout",
    "timeout_rescheduled",
    "wait_for",
    "shield",
    "wait_first",
    "wait_first_exception",
    "wait_at_most",
    "as_completed",
    "as_completed_at_most",
    "generator",
    "cleanup",
]
TIMED = {
    "sleep",
    "call_later",
    "timeout",
    "timeout_rescheduled",
    "wait_for",
    "generator",
    "cleanup",
}


@dataclass(frozen=True)
class Op:
    """One statement of a generated program."""

    kind: str
    which: int
    """Which of the shared things of its kind it uses: queue, lock, event, slot for a task."""
    whole: int
    """The whole part of its duration, if it has one."""
    bodies: tuple[tuple[Op, ...], ...] = ()


@dataclass
class Statement:
    """An `Op` with its place in the program, its number and its duration."""

    op: Op
    number: int
    duration_s: float
    bodies: list[list[Statement]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.number} {self.op.kind} {self.op.which}"


def statements(ops: Sequence[Op], numbers: Iterator[int], timers: Iterator[int]) -> list[Statement]:
    made = []
    for op in ops:
        timed = op.kind in TIMED or op.kind.endswith("at_most")
        units = op.whole * WHOLE + 2 ** next(timers) if timed else 0
        statement = Statement(op, next(numbers), units * UNIT_S)
        statement.bodies.extend(statements(body, numbers, timers) for body in op.bodies)
        made.append(statement)
    return made


def bodies(depth: int, max_size: int) -> st.SearchStrategy[tuple[Op, ...]]:
    which, whole = st.integers(0, 1), st.integers(0, 4)
    op = st.builds(Op, st.sampled_from(LEAVES), which, whole)
    if depth:
        deeper = st.lists(bodies(depth - 1, 3), min_size=1, max_size=3).map(tuple)
        op |= st.builds(Op, st.sampled_from(BRANCHES), which, whole, bodies=deeper)
    return st.lists(op, min_size=1, max_size=max_size).map(tuple)


programs = bodies(3, max_size=8)


# -- running one ------------------------------------------------------------------------------------


class PlannedError(Exception):
    """What a generated program raises."""


class Execution:
    """One execution of a program: its shared things, and what happened when."""

    def __init__(self) -> None:
        self.log: list[tuple[float, str]] = []
        self.queues: list[asyncio.Queue[int]] = [asyncio.Queue(), asyncio.Queue(maxsize=1)]
        self.locks = [asyncio.Lock(), asyncio.Lock()]
        self.semaphores = [asyncio.Semaphore(1), asyncio.Semaphore(2)]
        self.events = [asyncio.Event(), asyncio.Event()]
        self.conditions = [asyncio.Condition(), asyncio.Condition()]
        self.barriers = [asyncio.Barrier(2), asyncio.Barrier(3)]
        self.slots: list[asyncio.Task[str]] = []

    def note(self, what: str) -> None:
        self.log.append((asyncio.get_running_loop().time(), what))

    async def task(self, name: str, body: list[Statement]) -> str:
        """Run statements as a task does that tells how it ended."""
        self.note(f"{name} begins")
        try:
            for statement in body:
                await self.statement(statement)
        except BaseException as error:
            self.note(f"{name} ends with {type(error).__name__}")
            raise
        self.note(f"{name} ends")
        return name

    async def statement(self, statement: Statement) -> None:
        try:
            result = await getattr(self, statement.op.kind)(statement)
        except (TimeoutError, asyncio.BrokenBarrierError, ExceptionGroup) as error:
            result = type(error).__name__
        self.note(f"{statement.name}: {result}")

    def tasks(self, statement: Statement) -> list[Coroutine[Any, Any, str]]:
        return [
            self.task(f"{statement.number}.{index}", body)
            for index, body in enumerate(statement.bodies)
        ]

    def first(self, statement: Statement) -> Coroutine[Any, Any, str]:
        return self.task(f"{statement.number}.0", statement.bodies[0])

    # The methods below are the kinds of statement.

    async def sleep(self, it: Statement) -> str:
        return await asyncio.sleep(it.duration_s, "slept")

    async def yield_once(self, _: Statement) -> None:
        await asyncio.sleep(0)

    async def wait_back(self, _: Statement) -> None:
        await asyncio.sleep(-1)

    async def put(self, it: Statement) -> str:
        queue = self.queues[it.op.which]
        if queue.full():
            return "full"
        await queue.put(it.number)
        return f"holds {queue.qsize()}"

    async def get(self, it: Statement) -> int:
        return await self.queues[it.op.which].get()

    async def get_at_most(self, it: Statement) -> int:
        return await asyncio.wait_for(self.get(it), it.duration_s)

    async def set(self, it: Statement) -> None:
        self.events[it.op.which].set()

    async def clear(self, it: Statement) -> None:
        self.events[it.op.which].clear()

    async def wait_event(self, it: Statement) -> bool:
        return await self.events[it.op.which].wait()

    async def wait_event_at_most(self, it: Statement) -> bool:
        async with asyncio.timeout(it.duration_s):
            return await self.events[it.op.which].wait()

    async def arrive_at_most(self, it: Statement) -> int:
        async with asyncio.timeout(it.duration_s):
            return await self.barriers[it.op.which].wait()

    async def notify(self, it: Statement) -> None:
        async with self.conditions[it.op.which] as _:
            self.conditions[it.op.which].notify(1 + it.op.whole)

    async def wait_notified_at_most(self, it: Statement) -> bool:
        async with self.conditions[it.op.which], asyncio.timeout(it.duration_s):
            return await self.conditions[it.op.which].wait()

    async def call_later(self, it: Statement) -> None:
        asyncio.get_running_loop().call_later(it.duration_s, self.note, f"{it.name} calls")

    async def fail(self, _: Statement) -> NoReturn:
        raise PlannedError

    async def spawn(self, it: Statement) -> None:
        self.slots.append(asyncio.create_task(self.first(it)))

    def slot(self, it: Statement) -> asyncio.Task[str] | None:
        task = self.slots[(it.op.which + it.op.whole) % len(self.slots)] if self.slots else None
        return None if task is asyncio.current_task() else task

    async def cancel(self, it: Statement) -> bool | None:
        task = self.slot(it)
        return None if task is None else task.cancel()

    async def join(self, it: Statement) -> str | None:
        task = self.slot(it)
        try:
            # Under a shield, since tasks that await each other in a circle cannot be cancelled.
            return None if task is None else await asyncio.shield(task)
        except PlannedError:
            return "failed"

    async def gather(self, it: Statement) -> list[str]:
        return await asyncio.gather(*self.tasks(it))

    async def gather_exceptions(self, it: Statement) -> list[str]:
        results = await asyncio.gather(*self.tasks(it), return_exceptions=True)
        return [result if isinstance(result, str) else type(result).__name__ for result in results]

    async def group(self, it: Statement) -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(job) for job in self.tasks(it)]
        return [task.result() for task in tasks]

    async def lock(self, it: Statement) -> str:
        async with self.locks[it.op.which]:
            return await self.first(it)

    async def semaphore(self, it: Statement) -> str:
        async with self.semaphores[it.op.which]:
            return await self.first(it)

    async def timeout(self, it: Statement) -> str:
        async with asyncio.timeout(it.duration_s):
            return await self.first(it)

    async def timeout_rescheduled(self, it: Statement) -> str:
        async with asyncio.timeout(1e6) as timeout:
            timeout.reschedule(asyncio.get_running_loop().time() + it.duration_s)
            return await self.first(it)

    async def wait_for(self, it: Statement) -> str:
        return await asyncio.wait_for(self.first(it), it.duration_s)

    async def shield(self, it: Statement) -> str:
        return await asyncio.shield(self.first(it))

    async def wait_first(self, it: Statement) -> str:
        return await self.wait(it, return_when=asyncio.FIRST_COMPLETED)

    async def wait_first_exception(self, it: Statement) -> str:
        return await self.wait(it, return_when=asyncio.FIRST_EXCEPTION)

    async def wait_at_most(self, it: Statement) -> str:
        return await self.wait(it, timeout=it.duration_s)

    async def wait(self, it: Statement, **how: Any) -> str:  # noqa: ANN401 - the options of asyncio.wait
        tasks = [asyncio.create_task(job, name=f"{it.number}") for job in self.tasks(it)]
        done, pending = await asyncio.wait(tasks, **how)
        order = [tasks.index(task) for task in (*done, *pending)]
        for task in pending:
            task.cancel()
        return f"{order}, {len(done)} done"

    async def as_completed(self, it: Statement) -> list[str]:
        return await self.completed(it, None)

    async def as_completed_at_most(self, it: Statement) -> list[str]:
        return await self.completed(it, it.duration_s)

    async def completed(self, it: Statement, timeout_s: float | None) -> list[str]:
        names = []
        for next_done in asyncio.as_completed(self.tasks(it), timeout=timeout_s):
            names.append(await next_done)
            self.note(f"{it.name}: {names[-1]} is completed")
        return names

    async def generator(self, it: Statement) -> str:
        async for _ in self.items(it):
            await self.first(it)
            if it.op.which:
                return "left halfway"  # and the loop closes the generator
        return "read to its end"

    async def items(self, it: Statement) -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(it.duration_s)
        finally:
            self.note(f"{it.name}: closed")

    async def cleanup(self, it: Statement) -> str:
        async with self.slow_to_close(it):
            return await self.first(it)

    @asynccontextmanager
    async def slow_to_close(self, it: Statement) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await asyncio.sleep(it.duration_s)
            self.note(f"{it.name}: cleaned up")


# -- the reference ----------------------------------------------------------------------------------


class StuckError(Exception):
    """The stock loop would sleep for ever."""


class NumberedTask(asyncio.Task[Any]):
    """A task that hashes to its number in its loop, as a `SimTask` does."""

    order: int

    def __new__(cls, *_: object, loop: StockLoop, **__: object) -> NumberedTask:
        task = super().__new__(cls)
        task.order = next(loop.task_numbers)
        return task

    def __hash__(self) -> int:
        return self.order


class StockLoop(asyncio.BaseEventLoop):
    """asyncio's own loop in virtual time. Its sets iterate in order, as they do on a simulated loop."""

    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.task_numbers = count(1)
        self.hash_order = count(1)
        self._selector = self
        self._asyncgens = OrderedWeakSet[Any]()

    def time(self) -> float:
        return self.now_s

    def select(self, timeout_s: float | None) -> tuple[()]:
        if timeout_s is None:
            raise StuckError
        if timeout_s > 0:
            self.now_s = self._scheduled[0].when()
        return ()

    def _process_events(self, event_list: object) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def create_task(self, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:  # noqa: ANN401 - asyncio's
        return NumberedTask(coro, loop=self, **kwargs)

    def create_future(self) -> asyncio.Future[Any]:
        return SimFuture(loop=self)


def run_stock(main: Coroutine[Any, Any, str]) -> str:
    """What `asyncio.run` does, cancelling what is left in the order of its creation."""
    loop = StockLoop()
    with deterministic_asyncio(asyncio.sleep):
        try:
            return loop.run_until_complete(main)
        finally:
            leftovers = list(asyncio.all_tasks(loop))
            for task in leftovers:
                task.cancel()
            if leftovers:
                loop.run_until_complete(asyncio.gather(*leftovers, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()


async def end_all_others() -> None:
    """Cancel until nobody is left; a task that is cancelled while its group fails goes on, and may spawn more."""
    while others := [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]:
        for task in others:
            task.cancel()
        await asyncio.wait(others, timeout=0.1)


def ignore(_: asyncio.AbstractEventLoop, __: dict[str, Any]) -> None:
    pass


def outcome(runner: Any, program: Sequence[Op]) -> tuple[str, list[tuple[float, str]]]:  # noqa: ANN401 - either runner
    log: list[tuple[float, str]] = []
    body = statements(program, count(), iter(range(MAX_TIMERS)))

    async def main() -> str:
        asyncio.get_running_loop().set_exception_handler(ignore)  # errors that nobody asked for
        execution = Execution()
        execution.log = log
        try:
            return await execution.task("main", body)
        finally:
            await end_all_others()

    try:
        return "well" if runner(main()) == "main" else "?", log
    except PlannedError:
        return "failed", log
    except asyncio.CancelledError:
        return "cancelled", log
    except (StuckError, Deadlock):
        return "stuck", log


def number_of_timers(program: Sequence[Op]) -> int:
    timers = count()
    statements(program, count(), timers)
    return next(timers)


def check_parity(program: Sequence[Op]) -> None:
    assume(number_of_timers(program) <= MAX_TIMERS)
    expected = outcome(run_stock, program)
    event(f"ends {expected[0]}")
    assert outcome(lambda main: run(Kernel(), main), program) == expected


quietly = settings(
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@settings(quietly, max_examples=examples(300))
@given(programs)
def test_any_program_does_the_same_things_at_the_same_times_as_on_stock_asyncio(
    program: tuple[Op, ...],
) -> None:
    check_parity(program)


@pytest.mark.slow
@settings(quietly, max_examples=examples(2_000))
@given(programs)
def test_two_thousand_programs_do_the_same_as_on_stock_asyncio(program: tuple[Op, ...]) -> None:
    check_parity(program)
