"""Leave the simulated world for one call: the call is real, and virtual time stands still.

It happens in the thread that asks for it, so that connections, locks and context variables are the ones that the program has
there. No other thread of the run goes on before it is back.
"""

from __future__ import annotations

import asyncio
import random  # noqa: TID251 - to give it back as it was
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from harness.kernel.current_world import World, this_thread
from harness.kernel.loop import running
from harness.virtual.entropy import generators_put_back
from harness.virtual.outside import opened_for_reporters

T = TypeVar("T")


def really(function: Callable[..., T], *args: object, **kwargs: object) -> T:
    """Call a function outside of the world that this thread is in.

    Args:
        function: What is called; it has the real clock, network, processes and chance.
        args: What it is called with.
        kwargs: Likewise.
    """
    assert this_thread.world is not None, "there is a world to leave"
    with _left(this_thread.world):
        return function(*args, **kwargs)


def really_awaited(function: Callable[..., Awaitable[T]], *args: object, **kwargs: object) -> T:
    """Call an async function outside of the world, and wait for it on a real event loop, the same for all of a run."""
    world = this_thread.world
    assert world is not None, "there is a world to leave"

    async def whole() -> T:
        return await function(*args, **kwargs)

    with _left(world):
        if world.real_loop is None:
            world.real_loop = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        return world.real_loop.run(whole(), context=copy_context())


def close_real_loop(world: World) -> None:
    """End what was left on the real event loop of a world, at the world's end."""
    if world.real_loop is not None:
        with _left(world):
            world.real_loop.close()
        world.real_loop = None


@contextmanager
def _left(world: World) -> Iterator[None]:
    """Context manager: this thread is in no world, and in no event loop."""
    baton = world.kernel.baton
    before = this_thread.network, running.loop, this_thread.current_loop
    loop = asyncio._get_running_loop()  # noqa: SLF001 - documented for those who write loops
    baton.really_busy += 1
    this_thread.world = this_thread.network = running.loop = this_thread.current_loop = None
    asyncio._set_running_loop(None)  # noqa: SLF001 - see above
    try:
        with generators_put_back(), opened_for_reporters():
            random.seed()
            yield
    finally:
        asyncio._set_running_loop(loop)  # noqa: SLF001 - see above
        this_thread.network, running.loop, this_thread.current_loop = before
        this_thread.world = world
        baton.really_busy -= 1
