"""asyncio's locks, queues, events and their like, unchanged, in virtual time."""

from __future__ import annotations

import asyncio

from harness.kernel import Kernel, run


def now_s() -> float:
    return asyncio.get_running_loop().time()


def test_lock_is_handed_on_in_the_order_of_asking() -> None:
    log: list[tuple[float, int]] = []

    async def main() -> None:
        lock = asyncio.Lock()

        async def user(number: int) -> None:
            async with lock:
                log.append((now_s(), number))
                await asyncio.sleep(1)

        await asyncio.gather(*map(user, range(4)))

    run(Kernel(), main())
    assert log == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_semaphore_lets_as_many_in_as_it_says() -> None:
    async def main() -> float:
        semaphore = asyncio.Semaphore(3)

        async def user() -> None:
            async with semaphore:
                await asyncio.sleep(1)

        await asyncio.gather(*(user() for _ in range(7)))
        return now_s()

    assert run(Kernel(), main()) == 3  # seven users by threes


def test_queue_carries_items_from_producer_to_consumer_and_blocks_when_full() -> None:
    log: list[tuple[float, str]] = []

    async def main() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue(maxsize=1)

        async def produce() -> None:
            for number in range(3):
                await queue.put(number)
                log.append((now_s(), f"put {number}"))

        async def consume() -> None:
            for _ in range(3):
                await asyncio.sleep(2)
                log.append((now_s(), f"got {await queue.get()}"))
                queue.task_done()

        await asyncio.gather(produce(), consume())
        await queue.join()

    run(Kernel(), main())
    assert log == [
        (0, "put 0"),
        (2, "got 0"),
        (2, "put 1"),
        (4, "got 1"),
        (4, "put 2"),
        (6, "got 2"),
    ]


def test_event_wakes_all_who_wait_in_the_order_of_their_waiting() -> None:
    log: list[tuple[float, int]] = []

    async def main() -> None:
        event = asyncio.Event()

        async def waiter(number: int) -> None:
            await event.wait()
            log.append((now_s(), number))

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(waiter(number))
            await asyncio.sleep(5)
            event.set()

    run(Kernel(), main())
    assert log == [(5, 0), (5, 1), (5, 2)]


def test_condition_wakes_as_many_as_are_notified() -> None:
    log: list[tuple[float, int]] = []

    async def main() -> None:
        condition = asyncio.Condition()

        async def waiter(number: int) -> None:
            async with condition:
                await condition.wait()
                log.append((now_s(), number))

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(waiter(number))
            for count in (1, 2):
                await asyncio.sleep(1)
                async with condition:
                    condition.notify(count)

    run(Kernel(), main())
    assert log == [(1, 0), (2, 1), (2, 2)]


def test_barrier_opens_when_the_last_party_arrives() -> None:
    async def main() -> list[float]:
        barrier = asyncio.Barrier(3)

        async def party(delay_s: float) -> float:
            await asyncio.sleep(delay_s)
            await barrier.wait()
            return now_s()

        return list(await asyncio.gather(party(1), party(7), party(3)))

    assert run(Kernel(), main()) == [7, 7, 7]
