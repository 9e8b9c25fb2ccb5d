"""Run a program on a kernel: the counterpart of `asyncio.run` on the real clock.

This is for harness's own programs, which use nothing but asyncio; `harness/virtual/world.py` is for the user's programs.
"""

from __future__ import annotations

import asyncio
import gc
from asyncio import events
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from harness.errors import Deadlock, LimitExceeded, NotSimulated
from harness.kernel import deadlock_report
from harness.kernel.choosing import loop_for
from harness.kernel.current_world import this_thread
from harness.kernel.deterministic_asyncio import deterministic_asyncio
from harness.kernel.kernel import Halt, Kernel
from harness.kernel.loop import SimLoop, running

T = TypeVar("T")

_OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""The youngest generation's threshold while a run is active; stock is 700. Garbage in circles then holds some 10 MB."""


async def virtual_sleep(delay: float, result: object = None) -> Any:  # noqa: ANN401 - asyncio's signature
    """What `asyncio.sleep` is while a run is active."""
    loop = running.loop
    if loop is None or delay <= 0:
        return await _stock_sleep(delay, result)
    await loop.sleep_until(loop.kernel.env._now + delay)  # noqa: SLF001 - see Kernel.now_s
    return result


_stock_sleep = asyncio.sleep


def run(kernel: Kernel, main: Coroutine[object, None, T]) -> T:
    """Run a program to its end in virtual time, then cancel whatever it left behind, as `asyncio.run` does.

    Args:
        kernel: The clock to run on.
        main: The program.

    Returns:
        What the program returned.

    Raises:
        Deadlock: Nothing can run again; lists what every task waits for.
        LimitExceeded: A bound of the kernel was passed.
        NotSimulated: The program is already inside a loop or a simulated world, or touched the real world.
    """
    try:
        refuse_nesting()
    except NotSimulated:
        main.close()
        raise
    loop = loop_for(kernel)
    with deterministic_asyncio(virtual_sleep), _rare_collections():
        try:
            result = loop.run_until_complete(main)
        except (KeyboardInterrupt, SystemExit):
            abandon(loop)
            raise
        except BaseException:
            with ended_quietly():
                end(loop)
            raise
        finally:
            kernel.baton.end_threads()
        end(loop)
        return result


def refuse_nesting() -> None:
    """Make sure that no loop runs in this thread, and that it is in no simulated world.

    Raises:
        NotSimulated: It is.
    """
    if events._get_running_loop() is not None:  # noqa: SLF001 - as asyncio.run asks
        raise NotSimulated(
            "a run inside a running event loop", "start the run from synchronous code"
        )
    if this_thread.world is not None:
        raise NotSimulated(
            "a run inside a run", "end the first before the second begins; each has its own clock"
        )


def end(loop: SimLoop) -> None:
    """Cancel whatever is left in a loop, and close it; one that is closed already is left alone.

    Raises:
        Deadlock: What is left waits for ever in spite of its cancellation.
        LimitExceeded: It goes on in spite of its cancellation.
    """
    if loop.is_closed():
        return
    try:
        with loop.kernel.clean_up():
            _cancel_leftovers(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


@contextmanager
def ended_quietly() -> Iterator[None]:
    """Context manager: what goes on in spite of its cancellation is left behind: another error says why the run failed."""
    with suppress(Deadlock, LimitExceeded, Halt):
        yield


def abandon(loop: SimLoop) -> None:
    """Close a loop that was interrupted in the middle of anything: what is left cannot even be run to its end any more."""
    for task in deadlock_report.tasks_in_order(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - as asyncio.gather does
    loop.close()


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for garbage less often: a simulation makes many objects and few circles, and looking takes 6 % of its time."""
    thresholds = gc.get_threshold()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *thresholds[1:])
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)


def _cancel_leftovers(loop: SimLoop) -> None:
    leftovers = []
    for task in deadlock_report.tasks_in_order(loop):
        try:
            task.cancel()
        except (
            RecursionError
        ):  # tasks that await one another in a circle pass it round, and none can be ended
            continue
        leftovers.append(task)
    if leftovers:
        loop.run_until_complete(asyncio.gather(*leftovers, return_exceptions=True))
