"""The loops of a program: made by itself, one after another or one inside another, and all simulated."""

# ruff: noqa: ANN401, TID251 - programs of the user's do all of this

from __future__ import annotations

import _thread
import asyncio
import signal
import sys
import time
import types
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import simpy

from harness.errors import Deadlock, LimitExceeded, NotSimulated
from harness.kernel import Kernel, happened, run
from harness.kernel.loop import SimLoop
from harness.virtual.world import run_here, run_program, simulated_world


async def second() -> tuple[float, bool]:
    await asyncio.sleep(1)
    loop = asyncio.get_running_loop()
    return loop.time(), isinstance(loop, SimLoop)


def simulated(program: Any) -> Any:
    return run_program(Kernel(), program, seed=1)


# -- ways to start a loop ---------------------------------------------------------------------------


def by_run() -> Any:
    return asyncio.run(second(), debug=True)


def by_runner() -> Any:
    with asyncio.Runner() as runner:
        return runner.run(second())


def by_runner_with_a_factory() -> Any:
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(second())


def by_new_event_loop() -> Any:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return asyncio.get_event_loop().run_until_complete(second())
    finally:
        loop.close()


def by_get_event_loop() -> Any:
    return asyncio.get_event_loop().run_until_complete(second())


def by_a_policy_of_its_own() -> Any:
    asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())
    return asyncio.run(second())


def by_the_async_function() -> Any:
    return second()


STARTS: list[Callable[[], Any]] = [
    by_run,
    by_runner,
    by_runner_with_a_factory,
    by_new_event_loop,
    by_get_event_loop,
    by_a_policy_of_its_own,
    by_the_async_function,
]


@pytest.mark.parametrize("start", STARTS)
def test_loop_that_a_program_starts_is_simulated(start: Callable[[], Any]) -> None:
    policy = asyncio.get_event_loop_policy()
    assert simulated(start) == (1, True)
    assert asyncio.get_event_loop_policy() is policy


def test_coroutine_and_async_function_are_programs_too() -> None:
    assert simulated(second()) == (1, True)
    assert simulated(second) == (1, True)


def test_stock_loop_of_the_programs_own_is_refused() -> None:
    def main() -> None:
        loop = asyncio.SelectorEventLoop()
        coroutine = second()
        try:
            loop.run_until_complete(coroutine)
        finally:
            coroutine.close()
            for task in asyncio.all_tasks(loop):
                task._log_destroy_pending = False  # type: ignore[attr-defined]
            loop.close()

    with pytest.raises(NotSimulated, match=r"an event loop of your own \(_UnixSelectorEventLoop\)"):
        simulated(main)


def test_uvloop_gives_way_to_the_simulated_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for uvloop, whose functions these are; the real one is not among what the tests need."""
    uvloop: Any = types.ModuleType("uvloop")
    uvloop.run = lambda main: pytest.fail("a real loop")
    uvloop.new_event_loop = lambda: pytest.fail("a real loop")
    monkeypatch.setitem(sys.modules, "uvloop", uvloop)
    before = uvloop.run

    def by_factory() -> Any:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(second())

    assert simulated(lambda: uvloop.run(second())) == (1, True)
    assert simulated(by_factory) == (1, True)
    assert simulated(lambda: uvloop.new_event_loop().run_until_complete(second())) == (1, True)
    assert uvloop.run is before


def test_uvloop_run_that_was_imported_by_name_gives_way_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uvloop: Any = types.ModuleType("uvloop")
    uvloop.run = lambda main: pytest.fail("a real loop")
    uvloop.new_event_loop = lambda: pytest.fail("a real loop")
    program: Any = types.ModuleType("program_with_uvloop")
    program.run = uvloop.run
    monkeypatch.setitem(sys.modules, "program_with_uvloop", program)
    simulated(second)  # uvloop is not loaded yet, and the program is looked through
    monkeypatch.setitem(sys.modules, "uvloop", uvloop)
    assert simulated(lambda: program.run(second())) == (1, True)
    assert program.run is uvloop.run


# -- several loops on one kernel --------------------------------------------------------------------


def test_loops_one_after_another_share_the_clock() -> None:
    def main() -> list[float]:
        times = [asyncio.run(second())[0]]
        time.sleep(1)
        times.append(asyncio.run(second())[0])
        return times

    assert simulated(main) == [1, 3]


def test_event_of_the_kernel_wakes_the_loop_that_runs_now() -> None:
    kernel = Kernel()

    async def wait() -> float:
        await happened(kernel.env.timeout(2))
        return time.monotonic()

    async def outer() -> float:
        await asyncio.to_thread(lambda: asyncio.run(inner()))
        return await wait()

    async def inner() -> None:
        await asyncio.sleep(0)

    def main() -> list[float]:
        return [asyncio.run(wait()), asyncio.run(outer())]

    assert run_program(kernel, main, seed=1) == [2, 4]


def test_outer_loop_goes_on_after_the_inner_one() -> None:
    async def inner() -> int:
        await asyncio.sleep(0)
        return await asyncio.to_thread(lambda: asyncio.run(innermost()))

    async def innermost() -> int:
        return len(asyncio.all_tasks())

    async def main() -> list[object]:
        ticking = asyncio.create_task(second())
        count = await asyncio.to_thread(lambda: asyncio.run(inner()))
        return [count, await ticking]

    assert simulated(main) == [1, (1, True)]


def test_leftovers_of_a_loop_that_nobody_closed_are_cancelled_and_generators_closed() -> None:
    log: list[str] = []

    async def worker() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            log.append("cancelled")

    async def numbers() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            log.append("closed")

    async def begin() -> object:
        generator = numbers()
        await anext(generator)
        kept.append(asyncio.create_task(worker()))
        await asyncio.sleep(1)
        return generator

    kept: list[object] = []

    def main() -> object:
        return asyncio.new_event_loop().run_until_complete(begin())

    assert simulated(main) is not None
    assert log == ["cancelled", "closed"]


# -- interruption -----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["coroutine", "asyncio.run", "synchronous"])
def test_interrupt_ends_a_program(form: str) -> None:
    log: list[str] = []

    async def main() -> None:
        try:
            _thread.interrupt_main()
            await asyncio.sleep(100)
        finally:
            log.append("cleaned up")

    def blocked() -> None:
        _thread.interrupt_main()
        time.sleep(100)

    programs: dict[str, Callable[[], Any]] = {
        "coroutine": main,
        "asyncio.run": lambda: asyncio.run(main()),
        "synchronous": blocked,
    }
    with pytest.raises(KeyboardInterrupt):
        simulated(programs[form])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert log == ([] if form == "synchronous" else ["cleaned up"])


# -- errors -----------------------------------------------------------------------------------------


def test_error_in_a_callback_of_an_event_ends_the_run_as_the_very_object() -> None:
    error = LookupError("planned")
    log: list[str] = []

    def fail(_: simpy.Event) -> None:
        raise error

    async def left_behind() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            log.append("cancelled")

    async def main(kernel: Kernel) -> None:
        task = asyncio.create_task(left_behind())
        event = kernel.env.timeout(1)
        assert event.callbacks is not None
        event.callbacks.append(fail)
        await asyncio.wait([task])

    for start in (run, lambda kernel, program: run_program(kernel, program, seed=1)):
        kernel = Kernel()
        with pytest.raises(LookupError) as caught:
            start(kernel, main(kernel))
        assert caught.value is error
        assert log.pop() == "cancelled"


def test_bounds_and_deadlocks_hold_for_a_program() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="an Event that was never set"):
        simulated(lambda: asyncio.run(stuck()))
    with pytest.raises(LimitExceeded, match="horizon_s"):
        run_program(Kernel(horizon_s=10), lambda: time.sleep(11), seed=1)


# -- runs inside runs -------------------------------------------------------------------------------


async def inner_program() -> None:
    pytest.fail("must not start")


NESTED: list[Callable[[], Any]] = [
    lambda: run(Kernel(), inner_program()),
    lambda: run_program(Kernel(), inner_program(), seed=1),
    lambda: run_program(Kernel(), inner_program, seed=1),
    lambda: simulated_world(Kernel(), seed=1).__enter__(),
    lambda: run_here(inner_program()),
]


@pytest.mark.parametrize("nested", NESTED)
@pytest.mark.parametrize("around", ["synchronous", "async", "thread"])
def test_run_inside_a_run_is_refused(nested: Callable[[], Any], around: str) -> None:
    async def in_a_loop() -> None:
        nested()

    async def in_a_thread() -> None:
        await asyncio.to_thread(nested)

    programs: dict[str, Callable[[], Any]] = {
        "synchronous": nested,
        "async": in_a_loop,
        "thread": in_a_thread,
    }
    with pytest.raises(NotSimulated, match="a run inside a"):
        simulated(programs[around])


def test_program_inside_a_pattern_is_refused() -> None:
    async def main() -> None:
        run_program(Kernel(), inner_program(), seed=1)

    with pytest.raises(NotSimulated, match="a run inside a running event loop"):
        run(Kernel(), main())


# -- a world that is held open ----------------------------------------------------------------------


def test_world_held_open_shows_virtual_time_between_programs() -> None:
    kernel = Kernel()
    with simulated_world(kernel, seed=1):
        assert time.monotonic() == 0
        assert run_here(second) == (1, True)
        time.sleep(2)
        assert run_here(lambda: asyncio.run(second())) == (4, True)
        assert time.monotonic() == 4
    assert time.monotonic() != kernel.now_s()


def test_program_that_failed_in_a_world_leaves_it_open_for_the_next() -> None:
    async def fail() -> None:
        raise LookupError("planned")

    with simulated_world(Kernel(), seed=1):
        with pytest.raises(LookupError):
            run_here(fail())
        assert run_here(second()) == (1, True)
