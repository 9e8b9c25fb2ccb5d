"""Threads in virtual time: switches, many threads, and what they cost those that have none or leave one idle.

Targets: 40,000 switches a second at 100 threads, 15,000 at 1,000; 3,000 threads complete; an idle worker of a pool costs at
most 3 % of a call; five parallel calls of 10 s take below 50 ms, three times `to_thread(time.sleep, 2)` below 5 ms.
"""

# ruff: noqa: ANN401 - clients of an SDK

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from harness import wall
from harness.kernel import Kernel
from harness.sim import Sim
from harness.virtual.world import run_program

ROUNDS = 7
SWITCHES = 20_000
BLOCKS = 30
CALLS = 40
"""How many make a block."""


def main() -> None:
    """Measure each, and take the best of some rounds."""
    for threads, target in ((100, 40_000), (1_000, 15_000), (3_000, None)):
        rounds = [_switching_s(threads) for _ in range(ROUNDS if target else 1)]
        cpu, wall = (SWITCHES / min(spent) for spent in zip(*rounds, strict=True))
        wanted = f"at least {target:,}" if target else "they complete"
        print(
            f"{threads:>5,} threads: {wall:>9,.0f} switches a second, {cpu:>9,.0f} a second of CPU (target: {wanted})"
        )
    without, idle = _calls_cpu_s()
    print(f"call of an async client:       {without * 1e6:>7,.0f} us of CPU")
    print(
        f"the same beside an idle worker:{idle * 1e6:>7,.0f} us, {idle / without - 1:+.1%} (target: at most 3 %)"
    )
    print(f"five parallel calls of 10 s:   {_parallel_calls_s() * 1e3:>7.1f} ms (target: below 50)")
    print(
        f"3 x to_thread(time.sleep, 2):  {_sleeps_in_threads_s() * 1e3:>7.1f} ms (target: below 5)"
    )


def _switching_s(threads: int) -> tuple[float, float]:
    """CPU and real time of so many sleeps in so many threads; their start and end are not counted [s]."""
    sleeps = SWITCHES // threads
    spent: list[tuple[float, float]] = []

    def program() -> None:
        ready = threading.Barrier(threads + 1)

        def work() -> None:
            ready.wait()
            for _ in range(sleeps):
                time.sleep(1)

        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        ready.wait()
        began_cpu_s, began_s = time.process_time(), wall.elapsed_s()
        time.sleep(sleeps + 0.5)
        spent.append((time.process_time() - began_cpu_s, wall.elapsed_s() - began_s))
        for worker in workers:
            worker.join()

    run_program(Kernel(), program, seed=1)
    return spent[0]


def _calls_cpu_s() -> tuple[float, float]:
    """CPU of a call without threads, and beside an idle worker; in turns, the best of each [s]."""
    import anthropic

    sim = Sim(1, repeats_per_task=10**9)
    sim.agent("clerk", system="*", reply="done", latency_s=1)
    without: list[float] = []
    idle: list[float] = []

    async def program() -> None:
        client = anthropic.AsyncAnthropic()
        client._platform = "Linux"  # noqa: SLF001 - it would ask for it in a thread, and leave a worker by itself
        await _ask(client)
        for _ in range(BLOCKS):
            without.append(await _block_cpu_s(client))
            with ThreadPoolExecutor(1) as pool:
                pool.submit(int).result()
                idle.append(await _block_cpu_s(client))

    sim.run(program)
    return min(without), min(idle)


async def _block_cpu_s(client: Any) -> float:
    gc.collect()
    began_s = time.process_time()
    for _ in range(CALLS):
        await _ask(client)
    return (time.process_time() - began_s) / CALLS


async def _ask(client: Any) -> None:
    await client.messages.create(
        model="claude-sonnet-4-6",
        max_tokens=10,
        system="x",
        messages=[{"role": "user", "content": "hello"}],
    )


def _parallel_calls_s() -> float:
    """Real time of a run with five blocking calls in a pool, after one for warming up [s]."""
    import anthropic

    def ask(_: int) -> str:
        message = anthropic.Anthropic().messages.create(
            model="claude-sonnet-4-6",
            max_tokens=10,
            system="x",
            messages=[{"role": "user", "content": "hello"}],
        )
        return str(message.id)

    def program() -> list[str]:
        with ThreadPoolExecutor(5) as pool:
            return list(pool.map(ask, range(5)))

    sim = Sim(1, repeats_per_task=10**9)
    sim.agent("clerk", system="*", reply="done", latency_s=10)
    assert sim.run(program).latency_s == 10
    return min(_wall_s(lambda: sim.run(program)) for _ in range(2 * ROUNDS))


def _sleeps_in_threads_s() -> float:
    async def program() -> float:
        await asyncio.gather(*(asyncio.to_thread(time.sleep, 2) for _ in range(3)))
        return asyncio.get_running_loop().time()

    assert run_program(Kernel(), program, seed=1) == 2
    return min(_wall_s(lambda: run_program(Kernel(), program, seed=1)) for _ in range(10 * ROUNDS))


def _wall_s(work: Callable[[], object]) -> float:
    began_s = wall.elapsed_s()
    work()
    return wall.elapsed_s() - began_s


if __name__ == "__main__":
    main()
