"""The stuck report: who waits for what, where, and in which circle."""

from __future__ import annotations

import asyncio
import inspect
import linecache
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from harness.errors import Deadlock
from harness.kernel import Kernel, deadlock_report, happened, run
from harness.kernel.awaited import Wait

HERE = __file__

Program = Callable[[], Coroutine[Any, Any, object]]


def stuck_report(program: Program, kernel: Kernel | None = None) -> str:
    with pytest.raises(Deadlock) as caught:
        run(kernel or Kernel(), program())
    return caught.value.report


def waits(report: str) -> dict[str, str]:
    """What each task waits for, by its name."""
    found = {}
    for line in report.splitlines():
        name, between, what = line.partition(") waits for ")
        if between:
            found[name.split("(")[0].strip()] = what
    return found


def places(report: str) -> dict[str, str]:
    """The source line at which each task stands, by its name; checks that the place given holds that line."""
    found: dict[str, str] = {}
    task = ""
    for line in report.splitlines():
        if ") waits for " in line:
            task = line.split("(")[0].strip()
        elif line.startswith("    at "):
            place, _, rest = line.removeprefix("    at ").partition(" in ")
            source = rest.partition(": ")[2]
            file, _, number = place.rpartition(":")
            assert file == HERE
            assert linecache.getline(file, int(number)).strip() == source
            found[task] = source
    return found


# -- locks ------------------------------------------------------------------------------------------


async def lock_order_deadlock() -> None:
    first, second = asyncio.Lock(), asyncio.Lock()

    async def left() -> None:
        async with first:
            await asyncio.sleep(1)
            async with second:  # left waits here
                pass

    async def right() -> None:
        async with second:
            await asyncio.sleep(1)
            async with first:  # right waits here
                pass

    async with asyncio.TaskGroup() as group:  # main waits here
        group.create_task(left(), name="left")
        group.create_task(right(), name="right")


def test_lock_order_deadlock_names_the_holders_the_lines_and_the_cycle() -> None:
    report = stuck_report(lock_order_deadlock)
    assert waits(report) == {
        "Task-1": "left, right",
        "left": "Lock `second`, held by right (right)",
        "right": "Lock `first`, held by left (left)",
    }
    standing = places(report)
    assert standing["left"] == "async with second:  # left waits here"
    assert standing["right"] == "async with first:  # right waits here"
    assert report.splitlines()[-1] == "  cycle: left -> right -> left"


def test_deadlock_says_when_it_happened_and_reads_as_a_whole() -> None:
    with pytest.raises(
        Deadlock, match=r"^deadlock at virtual 1\.000000 s: nothing can ever run again"
    ) as caught:
        run(Kernel(), lock_order_deadlock())
    assert caught.value.now_s == 1
    assert caught.value.report in str(caught.value)
    assert "left (left) waits for" in str(caught.value)


def test_report_is_the_same_on_every_rerun() -> None:
    assert len({stuck_report(lock_order_deadlock) for _ in range(20)}) == 1


def test_cycle_of_three_is_named_once_and_in_order() -> None:
    async def main() -> None:
        locks = [asyncio.Lock() for _ in range(3)]

        async def philosopher(number: int) -> None:
            async with locks[number]:
                await asyncio.sleep(1)
                async with locks[(number + 1) % 3]:
                    pass

        await asyncio.gather(
            *(asyncio.create_task(philosopher(n), name=f"philosopher-{n}") for n in range(3))
        )

    report = stuck_report(main)
    assert report.count("cycle:") == 1
    assert "cycle: philosopher-0 -> philosopher-1 -> philosopher-2 -> philosopher-0" in report


def test_task_that_asks_twice_for_its_own_lock_is_a_cycle_of_one() -> None:
    async def main() -> None:
        lock = asyncio.Lock()
        async with lock:
            await lock.acquire()

    report = stuck_report(main)
    assert waits(report)["Task-1"].startswith("Lock `lock`, held by Task-1 (")
    assert "cycle: Task-1 -> Task-1" in report
    assert places(report) == {"Task-1": "await lock.acquire()"}


def test_lock_held_by_a_task_that_is_done_is_said_to_be_so() -> None:
    async def main() -> None:
        lock = asyncio.Lock()

        async def forgetful() -> None:
            await lock.acquire()

        await asyncio.create_task(forgetful(), name="forgetful")
        async with lock:
            pass

    report = stuck_report(main)
    told = waits(report)["Task-1"]
    assert told.startswith("Lock `lock`, held by forgetful (")
    assert told.endswith("(forgetful, ended without releasing it)")
    assert "cycle:" not in report


def test_holder_is_who_took_the_lock_last() -> None:
    async def main() -> None:
        lock = asyncio.Lock()

        async def user(*, forget: bool) -> None:
            await lock.acquire()
            await asyncio.sleep(1)
            if not forget:
                lock.release()

        first = asyncio.create_task(user(forget=False), name="first")
        second = asyncio.create_task(user(forget=True), name="second")
        await asyncio.gather(first, second)
        await lock.acquire()

    assert "held by second (" in waits(stuck_report(main))["Task-1"]


def test_lock_that_was_taken_in_an_earlier_run_has_no_holder_to_name() -> None:
    lock = asyncio.Lock()
    run(Kernel(), lock.acquire())

    async def main() -> None:
        await lock.acquire()

    assert waits(stuck_report(main)) == {"Task-1": "Lock `lock`"}


def test_cycle_leaves_out_who_only_waits_beside_it() -> None:
    async def main() -> None:
        lock = asyncio.Lock()

        async def beside() -> None:
            await asyncio.Event().wait()

        async def inside() -> None:
            async with lock:
                pass

        async with lock:
            await asyncio.gather(
                asyncio.create_task(beside(), name="first"),
                asyncio.create_task(inside(), name="inside"),
                asyncio.create_task(beside(), name="last"),
            )

    report = stuck_report(main)
    assert waits(report)["Task-1"] == "first, inside, last"
    assert "cycle: Task-1 -> inside -> Task-1" in report


def test_cycle_through_a_group_and_a_lock_is_found() -> None:
    async def main() -> None:
        lock = asyncio.Lock()

        async def child() -> None:
            async with lock:
                pass

        async with lock, asyncio.TaskGroup() as group:
            group.create_task(child(), name="child")

    report = stuck_report(main)
    assert waits(report)["Task-1"] == "child"
    assert waits(report)["child"].startswith("Lock `lock`, held by Task-1 (")
    assert "cycle: Task-1 -> child -> Task-1" in report


# -- every other thing that can be waited for -------------------------------------------------------


async def lost_get() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    await queue.get()


async def full_put() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
    await queue.put(1)
    await queue.put(2)


async def forgotten_task_done() -> None:
    queue: asyncio.Queue[int] = asyncio.Queue()
    await queue.put(1)
    await queue.join()


async def unset_event() -> None:
    event = asyncio.Event()
    await event.wait()


async def unnotified() -> None:
    condition = asyncio.Condition()
    async with condition:
        await condition.wait()


async def unnotified_predicate() -> None:
    condition = asyncio.Condition()
    async with condition:
        await condition.wait_for(lambda: False)


async def empty_semaphore() -> None:
    semaphore = asyncio.Semaphore(1)
    await semaphore.acquire()
    await semaphore.acquire()


async def lonely_party() -> None:
    barrier = asyncio.Barrier(2)
    await barrier.wait()


async def orphan_future() -> None:
    future = asyncio.get_running_loop().create_future()
    await future


async def endless_sleep() -> None:
    await asyncio.sleep(float("inf"))


async def next_of_nothing() -> None:
    for next_done in asyncio.as_completed([asyncio.Event().wait()]):
        await next_done


@pytest.mark.parametrize(
    ("program", "what", "line"),
    [
        (
            lost_get,
            "an item from Queue `queue`, which is empty (no item was ever put)",
            "await queue.get()",
        ),
        (
            full_put,
            "room in Queue `queue`, which is full at 1 (no item was ever taken)",
            "await queue.put(2)",
        ),
        (
            forgotten_task_done,
            "task_done of all items of Queue `queue`, 1 not done (no item was ever taken)",
            "await queue.join()",
        ),
        (unset_event, "Event `event` that was never set", "await event.wait()"),
        (unnotified, "Condition `condition` that was never notified", "await condition.wait()"),
        (
            unnotified_predicate,
            "Condition `condition` that was never notified",
            "await condition.wait_for(lambda: False)",
        ),
        (
            empty_semaphore,
            "Semaphore `semaphore`, 1 of 1 held by Task-1 (empty_semaphore)",
            "await semaphore.acquire()",
        ),
        (lonely_party, "Barrier `barrier`, at which 1 of 2 have arrived", "await barrier.wait()"),
        (orphan_future, "a Future that was never completed", "await future"),
        (endless_sleep, "an infinite time", 'await asyncio.sleep(float("inf"))'),
        (next_of_nothing, "the next task of as_completed", "await next_done"),
    ],
)
def test_what_a_task_waits_for_is_named_with_its_line(
    program: Program, what: str, line: str
) -> None:
    report = stuck_report(program)
    assert waits(report)["Task-1"] == what
    assert places(report)["Task-1"] == line


def test_event_of_the_kernel_that_never_happens_is_named() -> None:
    kernel = Kernel()

    async def main() -> None:
        event = kernel.env.event()
        await happened(event)

    report = stuck_report(main, kernel)
    assert waits(report) == {"Task-1": "an event of the kernel that never happened"}
    assert places(report) == {"Task-1": "await happened(event)"}


def test_condition_that_was_notified_but_cannot_get_its_lock_back_waits_for_the_lock() -> None:
    async def main() -> None:
        condition = asyncio.Condition()

        async def waiter() -> None:
            async with condition:
                await condition.wait()

        task = asyncio.create_task(waiter(), name="waiter")
        await asyncio.sleep(1)
        await condition.acquire()
        condition.notify()
        await task

    report = stuck_report(main)
    assert waits(report)["Task-1"] == "waiter"
    assert waits(report)["waiter"].startswith("Lock `condition._lock`, held by Task-1 (")
    assert "cycle: Task-1 -> waiter -> Task-1" in report


# -- tasks that wait for tasks ----------------------------------------------------------------------


async def never() -> None:
    await asyncio.Event().wait()


async def by_gather(children: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*children)


async def by_wait(children: list[asyncio.Task[None]]) -> None:
    await asyncio.wait(children)


async def by_group(children: list[asyncio.Task[None]]) -> None:
    async def follow(child: asyncio.Task[None]) -> None:
        await child

    async with asyncio.TaskGroup() as group:
        for child in children:
            group.create_task(follow(child), name=f"follows-{child.get_name()}")


async def one_by_one(children: list[asyncio.Task[None]]) -> None:
    for child in children:
        await child


@pytest.mark.parametrize(
    ("wait", "expected"),
    [
        (by_gather, "b, a"),
        (by_wait, "b, a"),
        (by_group, "follows-a, follows-b"),
        (one_by_one, "a"),
    ],
)
def test_tasks_that_a_task_waits_for_are_named_in_the_order_of_their_creation(
    wait: Callable[[list[asyncio.Task[None]]], Coroutine[Any, Any, None]], expected: str
) -> None:
    async def main() -> None:
        later = asyncio.create_task(never(), name="b")
        children = [asyncio.create_task(never(), name="a"), later]
        await wait(children)

    report = stuck_report(main)
    assert waits(report)["Task-1"] == expected
    assert waits(report)["a"] == waits(report)["b"] == "an Event that was never set"


def test_done_children_are_not_waited_for() -> None:
    async def main() -> None:
        done = asyncio.create_task(asyncio.sleep(1), name="done")
        deadlock_report = asyncio.create_task(never(), name="stuck")
        await asyncio.gather(done, deadlock_report)

    assert waits(stuck_report(main)) == {"Task-1": "stuck", "stuck": "an Event that was never set"}


def test_two_tasks_that_await_each_other_are_a_cycle() -> None:
    async def main() -> None:
        tasks: list[asyncio.Task[None]] = []

        async def follow(other: int) -> None:
            await tasks[other]

        tasks.extend(asyncio.create_task(follow(1 - n), name=f"t{n}") for n in range(2))
        await asyncio.sleep(1)
        await asyncio.wait(tasks)

    assert "cycle: t0 -> t1 -> t0" in stuck_report(main)


def test_stuck_tasks_without_a_circle_are_reported_without_a_cycle() -> None:
    async def main() -> None:
        await asyncio.gather(never(), never())

    assert "cycle:" not in stuck_report(main)


def test_place_is_the_innermost_line_of_the_program_and_not_of_asyncio() -> None:
    class Agent:
        def __init__(self) -> None:
            self.inbox: asyncio.Queue[str] = asyncio.Queue()

        async def receive(self) -> str:
            return await self.inbox.get()

        async def work(self) -> str:
            return await self.receive()

    report = stuck_report(lambda: Agent().work())
    assert places(report) == {"Task-1": "return await self.inbox.get()"}
    assert " in receive: " in report
    assert f"{HERE}:{inspect.getsourcelines(Agent.receive)[1] + 1}" in report


def test_deadlock_while_other_programs_timers_are_cancelled_is_still_seen() -> None:
    async def main() -> None:
        handle = asyncio.get_running_loop().call_later(50, print)
        await asyncio.sleep(1)
        handle.cancel()
        await asyncio.Event().wait()

    kernel = Kernel()
    stuck_report(main, kernel)
    assert kernel.now_s() == 1


def test_search_for_a_cycle_looks_at_every_task_once() -> None:
    """Forty layers of two tasks, each waiting for both of the next, hold 2**40 ways from top to bottom."""
    layers: Any = {
        (layer, side): Wait("", ((layer + 1, 0), (layer + 1, 1)) if layer < 39 else ())  # type: ignore[arg-type]
        for layer in range(40)
        for side in (0, 1)
    }
    assert deadlock_report._find_cycle(layers) == []
    layers[39, 1] = Wait("", ((38, 0),))  # type: ignore[arg-type]
    assert list[object](deadlock_report._find_cycle(layers)) == [(38, 0), (39, 1)]


def test_a_task_that_died_unseen_is_named_in_the_report() -> None:
    async def writer() -> None:
        await asyncio.sleep(1)
        raise ValueError("no ink")

    async def main() -> None:
        writing = asyncio.create_task(writer())
        await asyncio.Queue[str]().get()
        await writing

    with pytest.raises(
        Deadlock, match=r"\(.*writer\) has failed with ValueError: no ink .exception not retrieved"
    ):
        run(Kernel(), main())


# -- who holds permits, and who used a queue ----------------------------------------------------------


def test_semaphore_names_all_who_hold_its_permits() -> None:
    async def main() -> None:
        places = asyncio.Semaphore(2)

        async def hold() -> None:
            async with places:
                await asyncio.Event().wait()

        holders = [asyncio.create_task(hold(), name=name) for name in ("first", "second")]
        await asyncio.sleep(1)
        await places.acquire()
        await asyncio.wait(holders)

    told = waits(stuck_report(main))["Task-1"]
    assert told.startswith("Semaphore `places`, 2 of 2 held by first (")
    assert ", second (" in told


def test_permit_of_a_task_that_has_ended_is_said_to_be_lost() -> None:
    async def main() -> None:
        places = asyncio.BoundedSemaphore(1)

        async def forget() -> None:
            await places.acquire()

        await asyncio.create_task(forget(), name="forgetful")
        await places.acquire()

    told = waits(stuck_report(main))["Task-1"]
    assert told.startswith("BoundedSemaphore `places`, 1 of 1 held by forgetful (")
    assert told.endswith("ended without releasing it)")


def test_permit_that_another_task_gives_back_is_held_no_more() -> None:
    async def main() -> None:
        places = asyncio.Semaphore(1)

        async def take() -> None:
            await places.acquire()

        await asyncio.create_task(take(), name="first")
        places.release()
        await asyncio.create_task(take(), name="second")
        await places.acquire()

    told = waits(stuck_report(main))["Task-1"]
    assert "1 of 1 held by second (" in told
    assert "first" not in told


def test_cycle_through_a_semaphore_is_found() -> None:
    async def main() -> None:
        left, right = asyncio.Semaphore(1), asyncio.Semaphore(1)

        async def take(first: asyncio.Semaphore, second: asyncio.Semaphore) -> None:
            async with first:
                await asyncio.sleep(1)
                async with second:
                    pass

        await asyncio.gather(
            asyncio.create_task(take(left, right), name="a"),
            asyncio.create_task(take(right, left), name="b"),
        )

    assert "cycle: a -> b -> a" in stuck_report(main)


def test_two_agents_that_wait_for_messages_of_each_other_are_a_cycle() -> None:
    async def main() -> None:
        inbox: dict[str, asyncio.Queue[str]] = {"a": asyncio.Queue(), "b": asyncio.Queue()}

        async def talk(me: str, other: str) -> None:
            mine = inbox[me]
            await inbox[other].put("hello")
            await mine.get()
            await mine.get()

        await asyncio.gather(
            asyncio.create_task(talk("a", "b"), name="a"),
            asyncio.create_task(talk("b", "a"), name="b"),
        )

    report = stuck_report(main)
    assert waits(report)["a"].startswith(
        "an item from Queue `mine`, which is empty (last put by b ("
    )
    assert "cycle: a -> b -> a" in report


def test_queue_names_the_task_that_took_the_last_item_and_has_ended() -> None:
    async def main() -> None:
        jobs: asyncio.Queue[int] = asyncio.Queue(maxsize=1)

        async def take() -> None:
            await jobs.get()

        worker = asyncio.create_task(take(), name="worker")
        for number in range(3):
            await jobs.put(number)
        await worker

    told = waits(stuck_report(main))["Task-1"]
    assert told.startswith("room in Queue `jobs`, which is full at 1 (last taken by worker (")
    assert told.endswith("(take, which has ended))")


def test_thing_is_named_as_the_code_that_waits_for_it_names_it() -> None:
    class Desk:
        def __init__(self) -> None:
            self.places = asyncio.Semaphore(1)

        async def enter(self) -> None:
            await self.places.acquire()
            await self.places.acquire()

    assert "Semaphore `self.places`, 1 of 1" in stuck_report(lambda: Desk().enter())


def test_many_tasks_that_do_the_same_are_one_line_with_a_count() -> None:
    async def main() -> None:
        lock = asyncio.Lock()

        async def ask() -> None:
            async with lock:
                await asyncio.Event().wait()

        await asyncio.gather(*(ask() for _ in range(40)))

    lines = stuck_report(main).splitlines()
    assert len(lines) == 6
    assert lines[0].strip() == "Task-1 (" + lines[0].partition("(")[2]
    assert "waits for Task-2, Task-3, Task-4 and 37 more" in lines[0]
    many = lines[4].strip()
    assert many.startswith("39 tasks (")
    assert "wait for Lock `lock`, held by Task-2 (" in many
    assert many.endswith(": Task-3, Task-4, Task-5 and 36 more")


def test_long_report_is_cut_with_a_count() -> None:
    async def main() -> None:
        async def ask(number: int) -> None:
            await asyncio.sleep(float("inf")) if number < 0 else await asyncio.Event().wait()

        functions = []
        for number in range(20):

            async def one(number: int = number) -> None:
                await ask(number)

            one.__qualname__ = f"ask_{number}"
            functions.append(one)
        await asyncio.gather(*(function() for function in functions))

    lines = stuck_report(main).splitlines()
    assert len(lines) == 25
    assert lines[-1] == "  ... and 9 more tasks"


def test_queue_in_a_collection_of_an_object_is_named() -> None:
    class Bus:
        def __init__(self) -> None:
            self.inboxes: dict[str, asyncio.Queue[str]] = {"critic": asyncio.Queue()}

    async def main() -> None:
        bus = Bus()
        await bus.inboxes["critic"].get()

    told = waits(stuck_report(main))["Task-1"]
    assert (
        told == "an item from Queue `bus.inboxes['critic']`, which is empty (no item was ever put)"
    )


def test_task_that_died_explains_more_than_queues_that_lead_back_to_each_other() -> None:
    async def main() -> None:
        there: asyncio.Queue[str] = asyncio.Queue()
        back: asyncio.Queue[str] = asyncio.Queue()

        async def serve() -> None:
            while True:
                await back.put(await there.get())

        async def die() -> None:
            raise ValueError("no ink")

        tasks = [asyncio.create_task(serve()), asyncio.create_task(die(), name="writer")]
        await there.put("one")
        await back.get()
        await back.get()
        await asyncio.wait(tasks)

    report = stuck_report(main)
    assert "cycle:" not in report
    assert "writer (die) has failed with ValueError: no ink" in report
