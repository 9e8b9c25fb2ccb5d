"""Work that a program gives to threads, done in the thread that there is.

Such work is done at once and takes no virtual time, as work on the loop does. It may not wait: several threads that wait
at the same time are not simulated yet, and a wait done in turn with the others would give wrong times. So the kernel
refuses it (`Kernel.park`).
"""

from __future__ import annotations

import _thread
import asyncio
import concurrent.futures
import threading
from asyncio import events
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import Context
from typing import Any, NoReturn
from weakref import WeakSet

from harness.errors import NotSimulated
from harness.kernel.captured import Attribute, StandIn, method, stand_in
from harness.kernel.here import World, here

MAKE_NO_THREADS = "use tasks (asyncio.create_task, asyncio.TaskGroup), or asyncio.to_thread for work that does not wait."
"""What to do instead of starting threads."""

_initialized: WeakSet[ThreadPoolExecutor] = WeakSet()
"""The pools whose initializer has run; each would run it once in every thread."""


def work(
    world: World, function: Callable[..., Any], *args: object, **kwargs: object
) -> concurrent.futures.Future[Any]:
    """Do at once what a thread of a pool would do.

    Args:
        world: Where it is done.
        function: The work; like that of a thread, it starts with an empty context and finds no running loop.
        args: For the function.
        kwargs: For the function.

    Returns:
        A future that is done.
    """
    future: concurrent.futures.Future[Any] = _PoolFuture(world.next_count("work for threads"))
    future.set_running_or_notify_cancel()
    with _as_in_a_thread(world):
        result, error = _outcome(function, args, kwargs)
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
    return future


def work_in_executor(
    world: World,
    executor: concurrent.futures.Executor | None,
    function: Callable[..., Any],
    args: tuple[object, ...],
    future: asyncio.Future[Any],
) -> None:
    """Do what a program gave to `loop.run_in_executor`, in a turn of the loop.

    Args:
        world: Where it is done.
        executor: Whose `submit` is honoured if it is a pool of threads; another is not asked.
        function: The work.
        args: For the function.
        future: Gets the outcome, if nobody cancelled it before.
    """
    if future.cancelled():
        return
    if isinstance(executor, ThreadPoolExecutor):
        done = executor.submit(function, *args)
    else:
        done = work(world, function, *args)
    error = done.exception()
    if error is None:
        future.set_result(done.result())
    else:
        future.set_exception(error)


class _PoolFuture(concurrent.futures.Future[Any]):
    """A future that hashes to its number: `as_completed` and `wait` keep futures in sets."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def __hash__(self) -> int:
        return self._number


@contextmanager
def no_running_loop() -> Iterator[None]:
    """While inside, no loop runs in this thread, so that a function may start one; the loop outside stands still."""
    outer = events._get_running_loop(), here.loop  # noqa: SLF001 - no other way
    events._set_running_loop(None)  # noqa: SLF001
    here.loop = None
    try:
        yield
    finally:
        running, here.loop = outer
        events._set_running_loop(running)  # noqa: SLF001


@contextmanager
def _as_in_a_thread(world: World) -> Iterator[None]:
    kernel = world.kernel
    outer, kernel.in_thread = kernel.in_thread, True
    try:
        with no_running_loop():
            yield
    finally:
        kernel.in_thread = outer


def _outcome(
    function: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[Any, BaseException | None]:
    """By itself, so that the error's frames do not hold the future that holds the error."""
    try:
        return Context().run(function, *args, **kwargs), None
    except KeyboardInterrupt:  # is the main thread's, and never comes to one of a pool
        raise
    except BaseException as error:  # noqa: BLE001 - as pools do: the future carries it
        return None, error


# -- what the program calls ---------------------------------------------------------------------------------


def _submit(
    world: World,
    pool: ThreadPoolExecutor,
    function: Callable[..., Any],
    /,
    *args: object,
    **kwargs: object,
) -> concurrent.futures.Future[Any]:
    if pool._shutdown:  # noqa: SLF001 - no public way to ask
        raise RuntimeError("cannot schedule new futures after shutdown")
    initializer = pool._initializer  # noqa: SLF001 - see above
    if initializer is not None and pool not in _initialized:
        _initialized.add(pool)
        with _as_in_a_thread(world):
            initializer(*pool._initargs)  # noqa: SLF001 - see above
    return work(world, function, *args, **kwargs)


class _Inbox:
    """The queue of a worker of anyio: what is put into it is done by the worker at the loop's next turn."""

    def __init__(self, world: World, worker: Any) -> None:  # noqa: ANN401 - anyio may not be installed
        self.world = world
        self.worker = worker
        self.items: list[object] = []

    def put_nowait(self, item: object) -> None:
        if item is not None:
            self.items.append(item)
            self.worker.loop.call_soon(self._work)

    def get(self) -> object:
        """The next item; None, on which the worker goes home, when there is none."""
        return self.items.pop(0) if self.items else None

    def task_done(self) -> None:
        pass

    def _work(self) -> None:
        work(self.world, self.worker.run).result()


def _start(world: World, thread: threading.Thread) -> None:
    if type(thread).__module__ == "anyio._backends._asyncio":
        # `anyio.to_thread` keeps all its rules (limits, cancellation) and only never gets a real thread.
        thread.queue = _Inbox(world, thread)  # type: ignore[attr-defined]
        return
    raise NotSimulated(f"a thread of your own ({thread.name})", MAKE_NO_THREADS)


def _start_new_thread(_: World, *__: object, **___: object) -> NoReturn:
    raise NotSimulated("a thread of your own (_thread.start_new_thread)", MAKE_NO_THREADS)


def _wait(world: World, _: threading.Condition, timeout: float | None = None) -> bool:
    """Nobody else is there who could notify: a wait with a timeout is a sleep, and another would last for ever."""
    if timeout is None:
        raise world.kernel.refuse_thread(
            "a wait for another thread (threading.Event, queue.Queue, Future.result, ...)"
        )
    world.block(max(timeout, 0))
    return False


STAND_INS: tuple[StandIn, ...] = (stand_in(_thread.start_new_thread, _start_new_thread),)
ATTRIBUTES: tuple[Attribute, ...] = (
    method(ThreadPoolExecutor, "submit", _submit),
    method(threading.Thread, "start", _start),
    method(threading.Condition, "wait", _wait),
)
