"""Ten thousand tasks asleep at once, against as many SimPy processes. Target: at least half the rate."""

from __future__ import annotations

import asyncio
import random
import time

import simpy

from harness.kernel import Kernel, run

TASKS = 10_000
SLEEPS = 20
ROUNDS = 3


def main() -> None:
    """Measure both, in turns, and compare the best of each."""
    rng = random.Random(1)
    delays = [[rng.random() * 10 for _ in range(SLEEPS)] for _ in range(TASKS)]
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(_harness_cpu_s(delays))
        bare.append(_simpy_cpu_s(delays))
    sleeps = TASKS * SLEEPS
    print(f"harness, asyncio.sleep: {sleeps / min(ours):>9,.0f} a second")
    print(f"SimPy, env.timeout:     {sleeps / min(bare):>9,.0f} a second")
    print(f"ratio:                  {min(bare) / min(ours):>9.2f} (target: at least 0.5)")


def _harness_cpu_s(delays: list[list[float]]) -> float:
    async def sleeper(mine: list[float]) -> None:
        for delay_s in mine:
            await asyncio.sleep(delay_s)

    async def everybody() -> None:
        await asyncio.gather(*(sleeper(mine) for mine in delays))

    began_s = time.process_time()
    run(Kernel(), everybody())
    return time.process_time() - began_s


def _simpy_cpu_s(delays: list[list[float]]) -> float:
    env = simpy.Environment()

    def sleeper(mine: list[float]):  # type: ignore[no-untyped-def]  # noqa: ANN202 - as one writes SimPy by hand
        for delay_s in mine:
            yield env.timeout(delay_s)

    began_s = time.process_time()
    for mine in delays:
        env.process(sleeper(mine))
    env.run()
    return time.process_time() - began_s


if __name__ == "__main__":
    main()
