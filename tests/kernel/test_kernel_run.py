"""How a run begins and ends: results, errors, what is left behind, what is put back, what is refused."""

from __future__ import annotations

import asyncio
import asyncio.tasks
import gc
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from harness.errors import Deadlock, LimitExceeded, NotSimulated
from harness.kernel import Kernel, lock_holders, run
from harness.kernel.loop import SimLoop


def now_s() -> float:
    return asyncio.get_running_loop().time()


# -- results and errors -----------------------------------------------------------------------------


def test_result_of_the_program_is_returned() -> None:
    async def main() -> dict[str, int]:
        await asyncio.sleep(1)
        return {"answer": 42}

    assert run(Kernel(), main()) == {"answer": 42}


def test_program_that_never_waits_takes_no_time() -> None:
    async def main() -> str:
        return "at once"

    kernel = Kernel()
    assert run(kernel, main()) == "at once"
    assert kernel.now_s() == 0


@pytest.mark.parametrize(
    "kind", [LookupError, SystemExit, KeyboardInterrupt, asyncio.CancelledError]
)
def test_exception_of_the_program_comes_out_as_the_very_object(kind: type[BaseException]) -> None:
    error = kind("planned")

    async def main() -> None:
        await asyncio.sleep(1)
        raise error

    with pytest.raises(kind) as caught:
        run(Kernel(), main())
    if (
        kind is not asyncio.CancelledError
    ):  # asyncio itself makes a new one of these at every task it crosses
        assert caught.value is error


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_interrupt_in_a_background_task_stops_the_run(kind: type[BaseException]) -> None:
    async def interrupt() -> None:
        await asyncio.sleep(1)
        raise kind

    async def main() -> None:
        task = asyncio.create_task(interrupt())
        await asyncio.sleep(100)
        await task

    kernel = Kernel()
    with pytest.raises(kind):
        run(kernel, main())
    assert kernel.now_s() == 1


def test_next_run_on_the_same_kernel_goes_on_where_the_last_one_ended() -> None:
    async def main() -> float:
        await asyncio.sleep(2)
        return now_s()

    kernel = Kernel()
    assert [run(kernel, main()), run(kernel, main())] == [2, 4]


# -- what is left behind ----------------------------------------------------------------------------


def test_tasks_left_behind_are_cancelled_in_the_order_of_their_creation_and_may_clean_up() -> None:
    log: list[tuple[float, int]] = []

    async def background(number: int) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1)
            log.append((now_s(), number))

    async def main() -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(background(number)) for number in range(20)]
        await asyncio.sleep(3)
        return tasks

    tasks = run(Kernel(), main())
    assert log == [(4, number) for number in range(20)]
    assert all(task.cancelled() for task in tasks)


def test_tasks_left_behind_are_cancelled_when_the_program_fails_too() -> None:
    log: list[str] = []

    async def background() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            log.append("cleaned up")

    async def main() -> None:
        asyncio.create_task(background())  # noqa: RUF006 - left behind on purpose
        await asyncio.sleep(1)
        raise LookupError("planned")

    with pytest.raises(LookupError, match="planned"):
        run(Kernel(), main())
    assert log == ["cleaned up"]


def test_error_while_cleaning_up_does_not_hide_the_result() -> None:
    async def background() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            raise LookupError("while cleaning up")

    async def main() -> str:
        asyncio.create_task(background())  # noqa: RUF006 - left behind on purpose
        await asyncio.sleep(1)
        return "result"

    assert run(Kernel(), main()) == "result"


def test_task_that_swallows_its_cancellation_and_waits_on_for_ever_is_a_deadlock() -> None:
    """`asyncio.run` would hang here."""

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        asyncio.create_task(stubborn())  # noqa: RUF006 - left behind on purpose
        await asyncio.sleep(1)

    with pytest.raises(Deadlock, match="stubborn"):
        run(Kernel(), main())
    gc.collect()  # the task is closed here, and not in a later test


# -- what is put back -------------------------------------------------------------------------------


def asyncio_as_it_stands() -> tuple[object, ...]:
    return (
        asyncio.sleep,
        asyncio.tasks.sleep,
        asyncio.all_tasks,
        asyncio.tasks.all_tasks,
        asyncio.Lock.acquire,
        asyncio.Lock.release,
        asyncio.tasks.__dict__.get("set"),
        asyncio.tasks.__dict__["_GatheringFuture"],
        asyncio._get_running_loop(),
    )


STOCK = asyncio_as_it_stands()
"""Looked at when pytest collects the tests, before any run."""


async def succeed() -> None:
    await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2))


async def fail() -> None:
    await asyncio.sleep(1)
    raise LookupError("planned")


async def get_stuck() -> None:
    await asyncio.Event().wait()


async def spin() -> None:
    while True:  # noqa: ASYNC110 - what is to be stopped
        await asyncio.sleep(0)


async def exit_early() -> None:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("program", "error"),
    [
        (succeed, None),
        (fail, LookupError),
        (get_stuck, Deadlock),
        (spin, LimitExceeded),
        (exit_early, SystemExit),
    ],
)
def test_asyncio_is_put_back_as_it_was(
    program: Callable[[], Coroutine[Any, Any, None]], error: type[BaseException] | None
) -> None:
    if error is None:
        run(Kernel(), program())
    else:
        with pytest.raises(error):
            run(Kernel(steps_per_instant=100), program())
    assert asyncio_as_it_stands() == STOCK
    assert asyncio.sleep.__module__ == "asyncio.tasks"


def test_holders_of_locks_are_remembered_while_they_hold_and_no_longer() -> None:
    async def main() -> asyncio.Lock:
        lock, left_held = asyncio.Lock(), asyncio.Lock()
        async with lock:
            assert lock_holders.lock_holder(lock) is asyncio.current_task()
        assert lock_holders.lock_holder(lock) is None
        await left_held.acquire()
        assert list(lock_holders._lock_holders) == [left_held]
        return left_held

    assert lock_holders.lock_holder(run(Kernel(), main())) is None
    assert lock_holders._lock_holders == {}


def test_loop_is_closed_at_the_end() -> None:
    async def main() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    loop = run(Kernel(), main())
    assert loop.is_closed()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_soon(print)
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_later(1, print)
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_at(1, print)
    coroutine = succeed()
    with pytest.raises(RuntimeError, match="closed"):
        loop.create_task(coroutine)
    coroutine.close()


def test_runs_in_two_threads_at_once_do_not_disturb_each_other() -> None:
    """The first to start is the first to end, so the second must not find asyncio put back under its feet."""
    second_is_in, first_is_out = threading.Event(), threading.Event()
    results: list[object] = []

    async def first() -> str:
        assert second_is_in.wait(10)
        await asyncio.sleep(1)
        return "first"

    async def second() -> float:
        second_is_in.set()
        assert first_is_out.wait(10)
        lock = asyncio.Lock()
        async with lock:
            await asyncio.sleep(6 * 86_400)
        await asyncio.wait([asyncio.create_task(asyncio.sleep(1))])
        return now_s()

    def run_first() -> None:
        results.append(run(Kernel(), first()))
        first_is_out.set()

    threads = [
        threading.Thread(target=run_first),
        threading.Thread(target=lambda: results.append(run(Kernel(), second()))),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == ["first", 6 * 86_400 + 1]
    assert asyncio_as_it_stands() == STOCK


def test_stock_loop_in_another_thread_keeps_real_time_while_a_run_is_active() -> None:
    slept: list[float] = []

    async def really_sleep() -> None:
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        await asyncio.sleep(0.01)
        await asyncio.gather(asyncio.sleep(0.01))
        slept.append(loop.time() - started_s)

    def other_thread() -> None:
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(really_sleep())
        finally:
            loop.close()

    async def main() -> None:
        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join(20)

    run(Kernel(), main())
    assert slept[0] >= 0.019


# -- what is refused --------------------------------------------------------------------------------


def test_run_inside_a_run_is_refused_and_its_program_is_closed() -> None:
    async def inner() -> None:
        pytest.fail("the inner program must not start")

    async def main() -> None:
        run(Kernel(), inner())

    with pytest.raises(NotSimulated, match="a run inside a running event loop"):
        run(Kernel(), main())


Touch = Callable[[SimLoop], object]

NO_SOCKET: Any = None
"""Refused before anybody looks at it."""


def _protocol() -> asyncio.Protocol:
    return asyncio.Protocol()


TOUCHED: list[tuple[str, Touch]] = [
    ("loop.create_connection", lambda _: asyncio.open_connection("localhost", 80)),
    ("loop.create_server", lambda _: asyncio.start_server(print, "localhost", 80)),
    ("loop.create_unix_connection", lambda _: asyncio.open_unix_connection("/tmp/none")),
    ("loop.create_unix_server", lambda _: asyncio.start_unix_server(print, "/tmp/none")),
    ("loop.create_connection", lambda loop: loop.create_connection(_protocol, "localhost", 80)),
    ("loop.create_datagram_endpoint", lambda loop: loop.create_datagram_endpoint(_protocol)),
    ("loop.getaddrinfo", lambda loop: loop.getaddrinfo("localhost", 80)),
    ("loop.getnameinfo", lambda loop: loop.getnameinfo(("127.0.0.1", 80))),
    ("loop.sock_recv", lambda loop: loop.sock_recv(NO_SOCKET, 1)),
    ("loop.sock_recvfrom_into", lambda loop: loop.sock_recvfrom_into(NO_SOCKET, bytearray(1))),
    ("loop.sock_sendall", lambda loop: loop.sock_sendall(NO_SOCKET, b"")),
    ("loop.sock_connect", lambda loop: loop.sock_connect(NO_SOCKET, ("localhost", 80))),
    ("loop.add_reader", lambda loop: loop.add_reader(0, print)),
    ("loop.remove_reader", lambda loop: loop.remove_reader(0)),
    ("loop.add_writer", lambda loop: loop.add_writer(0, print)),
    ("loop.remove_writer", lambda loop: loop.remove_writer(0)),
    ("loop.add_signal_handler", lambda loop: loop.add_signal_handler(signal.SIGTERM, print)),
    ("loop.remove_signal_handler", lambda loop: loop.remove_signal_handler(signal.SIGTERM)),
    ("loop.subprocess_exec", lambda _: asyncio.create_subprocess_exec("true")),
    ("loop.subprocess_shell", lambda _: asyncio.create_subprocess_shell("true")),
    ("loop.connect_read_pipe", lambda loop: loop.connect_read_pipe(_protocol, 0)),
    ("a thread pool", lambda loop: loop.run_in_executor(None, print)),
    ("a thread pool", lambda _: asyncio.to_thread(print)),
]


@pytest.mark.parametrize(("name", "touch"), TOUCHED)
def test_touching_the_real_world_is_refused_by_name(name: str, touch: Touch) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop)
        touched = touch(loop)
        assert asyncio.iscoroutine(touched)
        await touched

    with pytest.raises(NotSimulated) as caught:
        run(Kernel(), main())
    assert caught.value.what.startswith(name)
    assert "How to fix" in str(caught.value)


def test_every_door_of_the_stock_loop_to_the_operating_system_is_shut() -> None:
    """Whatever the selector loop adds to the bare one talks to the outside, and must be refused or ours."""
    bare = asyncio.BaseEventLoop
    doors = [
        name
        for name in dir(asyncio.SelectorEventLoop)
        if not name.startswith("_")
        and getattr(asyncio.SelectorEventLoop, name) is not getattr(bare, name, None)
        and name != "close"
    ]
    assert "sock_recv" in doors
    open_doors = [name for name in doors if getattr(SimLoop, name) is getattr(bare, name, None)]
    assert open_doors == []
