"""Tasks that died without anybody looking are found whatever other threads do."""

from __future__ import annotations

import asyncio
import threading

from harness.kernel.watcher import unseen_deaths


def test_tasks_of_other_loops_may_come_and_go_while_deaths_are_looked_for() -> None:
    stop = threading.Event()

    async def churn() -> None:
        while not stop.is_set():
            await asyncio.gather(*(asyncio.sleep(0) for _ in range(50)))

    stock = asyncio.run  # noqa: TID251 - what runs beside is not simulated
    threads = [threading.Thread(target=stock, args=(churn(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    loop = asyncio.new_event_loop()
    try:
        assert [unseen_deaths(loop) for _ in range(500)] == [[]] * 500
    finally:
        stop.set()
        loop.close()
        for thread in threads:
            thread.join()
