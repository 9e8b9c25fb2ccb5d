"""What one step costs must not grow with the number of tasks.

Counted and not timed: the instructions that Python executes are the same on every machine and on every day. What C does
within one instruction is not seen by that, so one slow test measures time, with a bound that only a cost of O(n) breaks.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import harness.kernel
from harness.kernel import Kernel, happened, run
from harness.wall import elapsed_s

KERNEL = str(Path(harness.kernel.__file__).parent)
ROUNDS = 3

Step = Callable[[Kernel, int, int], Awaitable[object]]
"""One wait of a task, given the task's number and the round."""


async def sleep(_: Kernel, number: int, round_number: int) -> None:
    await asyncio.sleep(1 + (number * 7919 % 10_007) / 10_007 + round_number)


async def sleep_at_one_instant(_: Kernel, number: int, round_number: int) -> None:
    del number, round_number
    await asyncio.sleep(1)


async def sleep_under_a_timeout(_: Kernel, number: int, round_number: int) -> None:
    async with asyncio.timeout(1000):
        await asyncio.sleep(1 + number * 1e-6 + round_number)


async def event_of_the_kernel(kernel: Kernel, number: int, round_number: int) -> None:
    await happened(kernel.env.timeout(1 + number * 1e-6 + round_number))


async def cancelled_sleep(_: Kernel, number: int, round_number: int) -> None:
    task = asyncio.create_task(asyncio.sleep(100))
    await asyncio.sleep(1 + number * 1e-6 + round_number)
    task.cancel()


async def yielding(_: Kernel, number: int, round_number: int) -> None:
    del number, round_number
    await asyncio.sleep(0)


STEPS = [
    sleep,
    sleep_at_one_instant,
    sleep_under_a_timeout,
    event_of_the_kernel,
    cancelled_sleep,
    yielding,
]


def program(kernel: Kernel, step: Step, tasks: int) -> Coroutine[Any, Any, None]:
    async def worker(number: int) -> None:
        for round_number in range(ROUNDS):
            await step(kernel, number, round_number)

    async def main() -> None:
        workers = [asyncio.create_task(worker(number)) for number in range(tasks)]
        for each in workers:
            await each

    return main()


def instructions(kernel: Kernel, main: Coroutine[Any, Any, object]) -> int:
    """How many instructions of the kernel's own code Python executes in a run."""
    executed = 0

    def count(_: FrameType, what: str, __: object) -> Any:  # noqa: ANN401 - a trace function, of its own type
        nonlocal executed
        executed += what == "opcode"
        return count

    def enter(frame: FrameType, _: str, __: object) -> Any:  # noqa: ANN401 - see above
        if not frame.f_code.co_filename.startswith(KERNEL):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return count

    before = sys.gettrace()
    gc.collect()
    gc.disable()  # it would run callbacks of what earlier tests left
    sys._getframe().f_trace_opcodes = (
        True  # Python 3.12 asks at `settrace` whether anybody wants instructions
    )
    sys.settrace(enter)
    try:
        run(kernel, main)
    finally:
        sys.settrace(before)
        gc.enable()
        sys._getframe().f_trace_opcodes = False
    return executed


def instructions_per_wait(step: Step, tasks: int) -> float:
    kernel = Kernel()
    return instructions(kernel, program(kernel, step, tasks)) / (tasks * ROUNDS)


@pytest.mark.parametrize("step", STEPS)
def test_instructions_for_one_wait_do_not_grow_with_the_number_of_tasks(step: Step) -> None:
    few, many = instructions_per_wait(step, 50), instructions_per_wait(step, 1000)
    assert many < 1.15 * few


def test_instructions_for_one_sleep_are_few() -> None:
    """They were 338 to 359 on Python 3.11 to 3.13 when this was written, the start of the tasks included."""
    assert 100 < instructions_per_wait(sleep, 1000) < 450


def wall_s_per_wait(step: Step, tasks: int) -> float:
    def once() -> float:
        kernel = Kernel()
        main = program(kernel, step, tasks)
        started_s = elapsed_s()
        run(kernel, main)
        return (elapsed_s() - started_s) / (tasks * ROUNDS)

    return min(once() for _ in range(3))


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_time_for_one_wait_does_not_grow_like_the_number_of_tasks(step: Step) -> None:
    """From 100 tasks to 5,000 a step of O(n) would take up to 50 times as long; caches and heaps cost about twice."""
    assert wall_s_per_wait(step, 5_000) < 10 * wall_s_per_wait(step, 100)


@pytest.mark.parametrize(("events", "timers"), [(10_000, 0), (0, 1000)])
def test_spin_does_not_look_at_what_is_planned_for_later(events: int, timers: int) -> None:
    """Within a tenth, since Python counts the first executions of a function a little differently."""

    async def spin(timers: int, turns: int) -> None:
        loop = asyncio.get_running_loop()
        for number in range(timers):
            loop.call_later(2000 + number, print)
        for _ in range(turns):
            await asyncio.sleep(0)

    def of_a_spin(events: int, timers: int, turns: int) -> int:
        kernel = Kernel()
        for number in range(events):
            kernel.env.timeout(1000 + number)
        return instructions(kernel, spin(timers, turns))

    alone = of_a_spin(0, 0, 500) - of_a_spin(0, 0, 0)
    among_others = of_a_spin(events, timers, 500) - of_a_spin(events, timers, 0)
    assert among_others == pytest.approx(alone, rel=0.1)
