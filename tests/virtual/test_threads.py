"""Work that a program gives to pools and executors takes virtual time like everything else."""

# ruff: noqa: ANN401, PLW0108, TID251 - programs of the user's do all of this

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import simpy

from harness.errors import Deadlock, HarnessError, NotSimulated
from harness.kernel import Kernel
from harness.kernel.current_world import this_thread
from harness.kernel.sim_thread import Waiter
from harness.virtual.world import choose_order, run_program

tag = contextvars.ContextVar("tag", default="none")

Program = Callable[[], Any]


def simulated(program: Program) -> Any:
    return run_program(Kernel(), program, seed=1)


async def nothing() -> str:
    return "done"


async def wait_a_second() -> None:
    await asyncio.sleep(1)


# -- work that does not wait ------------------------------------------------------------------------


def test_work_is_done_in_the_order_in_which_it_was_given() -> None:
    log: list[object] = []

    async def ask(number: int) -> None:
        log.append(f"ask {number}")
        await asyncio.to_thread(log.append, number)
        log.append(f"got {number}")

    async def main() -> float:
        await asyncio.gather(*(ask(number) for number in range(3)))
        return asyncio.get_running_loop().time()

    assert simulated(main) == 0
    assert [entry for entry in log if isinstance(entry, int)] == [0, 1, 2]
    assert [entry for entry in log if str(entry).startswith("got")] == ["got 0", "got 1", "got 2"]


def test_to_thread_carries_the_context_and_a_bare_executor_does_not() -> None:
    async def main() -> list[str]:
        tag.set("mine")
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor() as pool:
            return [
                await asyncio.to_thread(tag.get),
                await loop.run_in_executor(None, tag.get),
                await loop.run_in_executor(pool, tag.get),
                pool.submit(tag.get).result(),
            ]

    assert simulated(main) == ["mine", "none", "none", "none"]


def test_context_that_work_changes_is_its_own() -> None:
    async def main() -> str:
        await asyncio.to_thread(tag.set, "of the thread")
        return tag.get()

    assert simulated(main) == "none"


def test_error_of_the_work_comes_through_its_future() -> None:
    error = LookupError("planned")

    def fail() -> None:
        raise error

    async def main() -> None:
        for work in (
            asyncio.to_thread(fail),
            asyncio.get_running_loop().run_in_executor(None, fail),
        ):
            with pytest.raises(LookupError) as caught:
                await work
            assert caught.value is error

    simulated(main)


def test_work_that_was_cancelled_before_its_turn_is_not_done() -> None:
    async def main() -> None:
        future = asyncio.get_running_loop().run_in_executor(None, pytest.fail, "done")
        future.cancel()
        await asyncio.sleep(1)

    simulated(main)


def test_work_finds_no_running_loop_and_may_run_its_own() -> None:
    async def main() -> tuple[str, bool]:
        mine = asyncio.get_running_loop()
        answer = await asyncio.to_thread(lambda: asyncio.run(nothing()))
        return answer, asyncio.get_running_loop() is mine

    with pytest.raises(RuntimeError, match="no running event loop"):
        simulated(lambda: asyncio.run(asyncio.to_thread(asyncio.get_running_loop)))
    assert simulated(main) == ("done", True)


def test_pool_of_a_synchronous_program_works_at_once() -> None:
    def main() -> list[object]:
        with ThreadPoolExecutor(max_workers=2) as pool:
            futures = [pool.submit(pow, 2, number) for number in range(4)]
            done = [future.result() for future in concurrent.futures.as_completed(futures)]
            return [sorted(done), list(pool.map(abs, [-1, -2])), time.monotonic()]

    assert simulated(main) == [[1, 2, 4, 8], [1, 2], 0]


def test_pool_that_was_shut_down_takes_no_work() -> None:
    def main() -> None:
        pool = ThreadPoolExecutor()
        pool.shutdown()
        pool.submit(print)

    with pytest.raises(RuntimeError, match="after shutdown"):
        simulated(main)


def test_initializer_of_a_pool_runs_once_before_its_first_work() -> None:
    log: list[str] = []

    def main() -> None:
        with ThreadPoolExecutor(initializer=log.append, initargs=("ready",)) as pool:
            pool.submit(log.append, "work")
            pool.submit(log.append, "more")

    simulated(main)
    assert log == ["ready", "work", "more"]


def test_submit_of_a_pool_that_a_program_made_its_own_is_honoured() -> None:
    class Pool(ThreadPoolExecutor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)

    async def main() -> str:
        tag.set("mine")
        return await asyncio.get_running_loop().run_in_executor(Pool(), tag.get)

    assert simulated(main) == "mine"


def test_default_executor_of_the_programs_own_is_shut_down_without_a_thread() -> None:
    async def main() -> int:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        return await asyncio.to_thread(abs, -1)

    assert simulated(lambda: asyncio.run(main())) == 1


# -- work that waits --------------------------------------------------------------------------------


def sleeps() -> None:
    time.sleep(2)


def runs_a_loop_that_waits() -> None:
    asyncio.run(asyncio.sleep(2))


def waits_for_an_event() -> None:
    event = threading.Event()
    threading.Timer(2, event.set).start()
    event.wait()


@pytest.mark.parametrize("wait", [sleeps, runs_a_loop_that_waits, waits_for_an_event])
def test_work_that_waits_goes_on_side_by_side(wait: Callable[[], None]) -> None:
    async def main() -> float:
        await asyncio.gather(*(asyncio.to_thread(wait) for _ in range(3)))
        return asyncio.get_running_loop().time()

    assert simulated(main) == 2


def test_pool_works_on_as_many_things_at_once_as_it_has_workers() -> None:
    def work() -> float:
        time.sleep(3)
        return time.monotonic()

    def main() -> list[float]:
        with ThreadPoolExecutor(2) as pool:
            done = [pool.submit(work) for _ in range(5)]
        return [future.result() for future in done]

    assert simulated(main) == [3, 3, 6, 6, 9]


def test_as_completed_gives_what_is_done_first() -> None:
    def main() -> list[int]:
        def work(seconds: int) -> int:
            time.sleep(seconds)
            return seconds

        with ThreadPoolExecutor(3) as pool:
            futures = [pool.submit(work, seconds) for seconds in (3, 1, 2)]
            return [future.result() for future in concurrent.futures.as_completed(futures)]

    assert simulated(main) == [1, 2, 3]


def test_time_out_of_a_wait_for_work_is_virtual() -> None:
    def main() -> tuple[int, float]:
        with ThreadPoolExecutor() as pool:
            late = pool.submit(time.sleep, 10)
            with pytest.raises(concurrent.futures.TimeoutError):
                late.result(timeout=4)
            return len(concurrent.futures.wait([late], timeout=2).not_done), time.monotonic()

    assert simulated(main) == (1, 6)


def test_module_level_pool_works_in_each_run_and_outside() -> None:
    pool = ThreadPoolExecutor(2)
    pool.submit(abs, -1).result()  # its worker is a thread of the real world

    def main() -> float:
        for future in [pool.submit(time.sleep, 1) for _ in range(4)]:
            future.result()
        return time.monotonic()

    assert [simulated(main), simulated(main)] == [2, 2]
    assert pool.submit(abs, -2).result() == 2
    pool.shutdown()


# -- threads ----------------------------------------------------------------------------------------


def test_wait_with_a_timeout_for_what_never_comes_is_a_sleep() -> None:
    def main() -> list[object]:
        results: list[object] = [threading.Event().wait(2)]
        with pytest.raises(queue.Empty):
            queue.Queue[int]().get(timeout=3)
        condition = threading.Condition()
        with condition:
            results.append(condition.wait_for(lambda: False, timeout=4))
        results.append(threading.Lock().acquire(timeout=1))
        return [*results, time.monotonic()]

    assert simulated(main) == [False, False, True, 9]


def test_threads_hand_over_through_queues_events_and_barriers() -> None:
    def main() -> list[object]:
        log: list[object] = []
        items: queue.Queue[int | None] = queue.Queue(maxsize=1)
        barrier = threading.Barrier(2)

        def producer() -> None:
            for item in (1, 2, None):
                time.sleep(1)
                items.put(item)
            barrier.wait()

        def consumer() -> None:
            while (item := items.get()) is not None:
                log.append((item, time.monotonic()))
                time.sleep(5)
            barrier.wait()
            log.append(time.monotonic())

        threads = [threading.Thread(target=work) for work in (producer, consumer)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not any(thread.is_alive() for thread in threads)
        return log

    assert simulated(main) == [(1, 1), (2, 6), 11]


def test_thread_that_outlives_the_program_is_ended_where_it_waits() -> None:
    log: list[object] = []
    before = threading.enumerate()

    def work() -> None:
        try:
            while True:
                time.sleep(1)
        finally:
            log.append(time.monotonic())

    def main() -> str:
        threading.Thread(target=work).start()
        time.sleep(3.5)
        return "done"

    assert simulated(main) == "done"
    assert log == [3.5]
    assert threading.enumerate() == before


def test_thread_that_cannot_be_ended_is_named() -> None:
    def work() -> None:
        while True:
            with contextlib.suppress(BaseException):
                time.sleep(1)

    with pytest.raises(HarnessError, match="stubborn cannot be ended"):
        simulated(lambda: threading.Thread(target=work, name="stubborn").start())


def test_error_of_a_thread_reaches_the_excepthook_as_ever() -> None:
    seen: list[str] = []

    def main() -> None:
        threading.excepthook = lambda failed: seen.append(str(failed.exc_value))
        thread = threading.Thread(target=lambda: 1 // 0)
        thread.start()
        thread.join()

    before = threading.excepthook
    try:
        simulated(main)
    finally:
        threading.excepthook = before
    assert seen == ["integer division or modulo by zero"]


def test_names_of_threads_and_pools_are_those_of_the_run() -> None:
    def main() -> list[str]:
        with ThreadPoolExecutor() as pool:
            thread = threading.Thread(target=abs, args=(1,))
            return [thread.name, pool.submit(lambda: threading.current_thread().name).result()]

    first = simulated(main)
    assert simulated(main) == first
    assert first[0].startswith("Thread-1")


def test_random_bytes_of_a_thread_do_not_depend_on_other_threads() -> None:
    def main(others: int) -> bytes:
        found: list[bytes] = []
        threads = [threading.Thread(target=os.urandom, args=(4,)) for _ in range(others)]
        threads.append(threading.Thread(target=lambda: found.append(os.urandom(4)), name="mine"))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found[0]

    assert simulated(lambda: main(0)) == simulated(lambda: main(3))


def test_finalizers_of_a_thread_run_in_virtual_time_before_another_goes_on() -> None:
    seen: list[float] = []

    class Kept:
        def __del__(self) -> None:
            seen.append(time.monotonic())

    local = threading.local()

    def work(kept: Kept) -> None:
        local.kept = kept
        time.sleep(7)

    def main() -> list[float]:
        thread = threading.Thread(target=work, args=(Kept(),))
        thread.start()
        thread.join()
        return seen[:]

    assert simulated(main) == [7]


def test_locals_of_one_thread_are_freed_in_the_order_of_their_use_and_those_of_others_are_kept() -> (
    None
):
    seen: list[tuple[str, float]] = []

    class Kept:
        def __init__(self, name: str) -> None:
            self.name = name

        def __del__(self) -> None:
            seen.append((self.name, time.monotonic()))

    class Own(threading.local):
        def __init__(self) -> None:
            self.kept = Kept("of a class")

    plain, other, own = threading.local(), threading.local(), Own.__new__(Own)

    def work(name: str, wait_s: float) -> None:
        other.kept = Kept(f"{name} first")
        plain.kept = Kept(f"{name} second")
        time.sleep(wait_s)

    def main() -> list[tuple[str, float]]:
        threads = [threading.Thread(target=work, args=it) for it in (("long", 9), ("short", 7))]
        threads.append(threading.Thread(target=lambda: own.kept))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return seen[:]

    assert simulated(main) == [
        ("of a class", 0), ("short first", 7), ("short second", 7), ("long first", 9), ("long second", 9),
    ]  # fmt: skip


# -- threads of the real world ------------------------------------------------------------------------


def test_lock_that_a_thread_outside_of_the_run_holds_is_told_by_name() -> None:
    lock, taken, done = threading.Lock(), threading.Event(), threading.Event()

    def outsider() -> None:
        with lock:
            taken.set()
            done.wait(20)

    thread = threading.Thread(target=outsider, name="outsider")
    thread.start()
    taken.wait()
    try:
        with pytest.raises(HarnessError, match="outsider"):
            simulated(lambda: lock.acquire())
    finally:
        done.set()
        thread.join()


def test_thread_outside_of_the_run_is_not_waited_for() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="outsider")
    thread.start()
    try:
        with pytest.raises(HarnessError, match="outsider does not belong to the run"):
            simulated(lambda: thread.join())
    finally:
        done.set()
        thread.join()


def test_threads_outside_may_come_and_go_while_runs_begin() -> None:
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            for _ in range(50):
                threading.Thread()

    outsider = threading.Thread(target=come_and_go)
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    outsider.start()
    try:
        assert [simulated(lambda: 1) for _ in range(200)] == [1] * 200
    finally:
        over.set()
        outsider.join()
        sys.setswitchinterval(before_s)


def test_threads_start_again_afterwards() -> None:
    simulated(nothing)
    log: list[int] = []
    thread = threading.Thread(target=log.append, args=(1,))
    thread.start()
    thread.join()
    with ThreadPoolExecutor() as pool:
        assert pool.submit(threading.get_ident).result() != threading.get_ident()
    assert log == [1]


def test_loops_of_several_threads_run_side_by_side_and_call_one_another() -> None:
    async def main() -> list[object]:
        mine = asyncio.get_running_loop()

        async def tell() -> float:
            await asyncio.sleep(1)
            return mine.time()

        def work() -> float:
            asyncio.run(asyncio.sleep(2))
            return asyncio.run_coroutine_threadsafe(tell(), mine).result()

        return list(await asyncio.gather(*(asyncio.to_thread(work) for _ in range(2))))

    assert simulated(main) == [3, 3]


def test_call_from_another_thread_into_the_loop_is_refused() -> None:
    errors: list[str] = []
    asked, answered = threading.Event(), threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def other_thread() -> None:
        asked.wait(10)
        try:
            loops[0].call_soon_threadsafe(print)
        except NotSimulated as error:
            errors.append(error.what)
        answered.set()

    thread = threading.Thread(target=other_thread, name="outsider")
    thread.start()

    async def main() -> None:
        loops.append(asyncio.get_running_loop())
        asked.set()
        while not answered.is_set():  # in real time, which does not pass for this thread
            pass

    simulated(main)
    thread.join()
    assert errors == ["a call from another thread into the loop (outsider)"]


def test_a_loop_that_an_earlier_run_left_in_a_thread_is_told() -> None:
    """As of a library that is imported in a run, and starts a loop at its import."""
    loops: list[asyncio.AbstractEventLoop] = []

    def program() -> object:
        if not loops:
            loops.append(asyncio.new_event_loop())
            threading.Thread(target=loops[0].run_forever, daemon=True).start()
        waiting = nothing()
        try:
            return asyncio.run_coroutine_threadsafe(waiting, loops[0]).result()
        finally:
            waiting.close()

    assert simulated(program) == "done"
    with pytest.raises(NotSimulated, match="a loop of an earlier run, which is over"):
        simulated(program)


# -- anyio ------------------------------------------------------------------------------------------


def test_anyio_does_its_work_in_order_and_under_its_limit() -> None:
    anyio: Any = pytest.importorskip("anyio")
    log: list[object] = []

    async def ask(number: int, limiter: Any) -> None:
        await anyio.to_thread.run_sync(log.append, number, limiter=limiter)
        assert limiter.borrowed_tokens <= 1
        log.append(f"got {number}")

    async def main() -> float:
        limiter = anyio.CapacityLimiter(1)
        async with anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(ask, number, limiter)
        return float(anyio.current_time())

    programs: list[Program] = [main, lambda: anyio.run(main)]
    for program in programs:
        log.clear()
        assert simulated(program) == 0
        assert [item for item in log if isinstance(item, int)] == [0, 1, 2]
        assert len(log) == 6


def test_anyio_work_raises_its_errors_and_carries_the_context() -> None:
    anyio: Any = pytest.importorskip("anyio")

    async def main() -> str:
        tag.set("mine")
        with pytest.raises(ZeroDivisionError):
            await anyio.to_thread.run_sync(lambda: 1 // 0)
        return str(await anyio.to_thread.run_sync(tag.get))

    assert simulated(main) == "mine"


def test_anyio_work_that_waits_goes_on_side_by_side() -> None:
    anyio: Any = pytest.importorskip("anyio")

    async def main() -> float:
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(anyio.to_thread.run_sync, time.sleep, 2)
        answer = await anyio.to_thread.run_sync(anyio.from_thread.run, nothing)
        assert answer == "done"
        return float(anyio.current_time())

    assert simulated(main) == 2


def test_deadlock_in_a_program_is_reported_with_its_own_tasks() -> None:
    async def stuck() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="stuck"):
        simulated(lambda: asyncio.run(stuck()))


# -- order ------------------------------------------------------------------------------------------


def in_random_order(program: Program, seed: int) -> Any:
    kernel = Kernel()
    choose_order(kernel, seed)
    return run_program(kernel, program, seed=seed)


def two_threads(work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def takes_two_locks_in_opposite_orders() -> str:
    locks = [threading.Lock(), threading.Lock()]

    def work(number: int) -> None:
        with locks[number], locks[1 - number]:
            pass

    two_threads(work)
    return "done"


def updates_a_counter_without_holding_its_lock_throughout() -> int:
    lock, counter = threading.Lock(), [0]

    def work(_: int) -> None:
        with lock:
            read = counter[0]
        with lock:
            counter[0] = read + 1

    two_threads(work)
    return counter[0]


def notifies_before_anybody_waits() -> str:
    condition = threading.Condition()

    def work(number: int) -> None:
        with condition:
            if number == 0:
                condition.wait()
            else:
                condition.notify()

    two_threads(work)
    return "done"


def outcome(program: Program, seed: int) -> object:
    try:
        return in_random_order(program, seed)
    except Deadlock:
        return "deadlock"


@pytest.mark.parametrize(
    ("program", "outcomes"),
    [
        (takes_two_locks_in_opposite_orders, {"done", "deadlock"}),
        (updates_a_counter_without_holding_its_lock_throughout, {1, 2}),
        (notifies_before_anybody_waits, {"done", "deadlock"}),
    ],
)
def test_some_seed_finds_the_order_that_breaks_a_program_and_finds_it_again(
    program: Program, outcomes: set[object]
) -> None:
    found = [outcome(program, seed) for seed in range(50)]
    assert set(found) == outcomes
    assert [outcome(program, seed) for seed in range(50)] == found


def test_order_of_arrival_is_kept_unless_it_is_drawn() -> None:
    assert {simulated(takes_two_locks_in_opposite_orders) for _ in range(5)} == {"done"}


def test_order_is_chosen_among_all_whose_replies_come_at_one_instant() -> None:
    """Threads that the kernel wakes at one time are all there when the choice is made."""

    def main() -> tuple[str, ...]:
        log: list[str] = []
        kernel = this_thread.world.kernel if this_thread.world is not None else Kernel()

        def work(name: str) -> None:
            me = Waiter(name)
            simpy.Timeout(kernel.env, 2.0).callbacks.append(lambda _: kernel.wake(me))
            kernel.park(me)
            log.append(name)

        threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return tuple(log)

    assert {in_random_order(main, seed) for seed in range(20)} == {("a", "b"), ("b", "a")}


LATE_MODULE = """
import threading

lock = threading.Lock()
with lock:
    pass
"""


def _imports(folder: Path) -> None:
    import_module("imported_late")


def _logs(folder: Path) -> None:
    logging.getLogger(f"first asked in {folder}").debug("not shown")


@pytest.mark.parametrize("act", [_imports, _logs])
def test_what_only_the_first_run_does_changes_no_order(
    act: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_late.py").write_text(LATE_MODULE)
    monkeypatch.syspath_prepend(tmp_path)

    def program() -> list[int]:
        came, lock = [], threading.Lock()

        def work(number: int) -> None:
            act(tmp_path)
            with lock:
                came.append(number)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return came

    def orders() -> list[list[int]]:
        found = []
        for seed in range(4):
            kernel = Kernel()
            choose_order(kernel, seed)
            found.append(run_program(kernel, program, seed=1))
        return found

    try:
        first, again = orders(), orders()
    finally:
        sys.modules.pop("imported_late", None)
    assert first == again
    assert len({tuple(order) for order in first}) > 1
