"""A program of the user does the same on every rerun: over a heap in disorder, processes, hash seeds and Pythons.

Run as a script, this file prints what the program does, for the tests that compare processes. What asyncio's own sets
do is in `test_deterministic_asyncio.py`; here it is what only a user's program meets: its own `asyncio.run`, random values, clocks,
threads, garbage.
"""

# ruff: noqa: TID251 - programs of the user's do all of this

from __future__ import annotations

import asyncio
import concurrent.futures
import datetime
import gc
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
import uuid
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.kernel import Kernel
from harness.virtual.world import run_program

RERUNS = 200


async def worker(number: int, log: list[object]) -> int:
    try:
        await asyncio.sleep(random.random() / 100)
        log.append((number, str(uuid.uuid4()), time.monotonic()))
        await asyncio.to_thread(log.append, f"thread of {number}")
        await asyncio.sleep(10 + number % 3)
    except asyncio.CancelledError:
        log.append(f"cancelled {number}")
        raise
    return number


async def numbers(log: list[object]) -> AsyncIterator[int]:
    try:
        for number in range(10):
            yield number
    finally:
        log.append("generator closed")


async def fail() -> None:
    await asyncio.sleep(5)
    raise LookupError("planned")


async def team(log: list[object]) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(15):
                group.create_task(worker(number, log))
            group.create_task(fail())
    except* LookupError:
        log.append("group is over")
    async for number in numbers(log):
        if number == 3:
            break
    for next_done in asyncio.as_completed([worker(number, log) for number in range(20, 30)]):
        log.append(await next_done)  # noqa: PERF401 - one after another, in the order that is tested
    done, pending = await asyncio.wait(
        [asyncio.create_task(worker(number, log)) for number in range(40, 50)], timeout=11
    )
    log.extend(task.get_name() for task in (*done, *pending))
    # The rest is left to the cancel-all of asyncio.run.


class Node:
    def __init__(self) -> None:
        self.itself = self


async def litter(log: list[object]) -> None:
    """Leaves circles, whose finalizers speak when they are found."""
    for number in range(50):
        weakref.finalize(Node(), log.append, f"found {number}").atexit = False
        await asyncio.sleep(0.01)


def program() -> str:
    log: list[object] = [datetime.datetime.now(datetime.UTC).isoformat()]
    asyncio.run(team(log))
    time.sleep(1.5)
    asyncio.run(litter(log))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        log.extend(pool.map(str, range(3)))
    log.extend([secrets.token_hex(8), os.urandom(4).hex(), str(uuid.uuid1()), time.time()])
    with tempfile.TemporaryDirectory() as folder:
        log.append(Path(folder).name)
    return repr(log)


def output(seed: int) -> str:
    return run_program(Kernel(), program, seed=seed)


def test_program_does_the_same_over_reruns_with_a_heap_in_disorder() -> None:
    expected = output(1)
    kept: list[Any] = []
    stir = random.Random(4)
    for _ in range(RERUNS):
        kept.extend(bytearray(1 + stir.randrange(700)) for _ in range(stir.randrange(60)))
        kept.extend(asyncio.Event() for _ in range(stir.randrange(20)))
        kept.extend({number: [Node()]} for number in range(stir.randrange(20)))
        for _ in range(stir.randrange(60)):
            kept[stir.randrange(len(kept))] = None
        if stir.randrange(20) == 0:
            gc.collect(stir.randrange(2))
        assert output(1) == expected


def test_another_seed_is_another_run() -> None:
    assert len({output(seed) for seed in range(5)}) == 5


def outputs_of(pythons: list[str], hash_seeds: list[str], folder: Path) -> list[str]:
    """What programs in other processes print, each with a folder of its own for its temporary files: of two with the same
    seed at the same time and place, the second would find its name taken.
    """
    path = os.pathsep.join(
        filter(None, [str(Path(harness.__file__).parents[1]), os.environ.get("PYTHONPATH")])
    )
    processes = [
        subprocess.Popen(
            [python, __file__],
            env={
                **os.environ,
                "PYTHONHASHSEED": hash_seed,
                "PYTHONPATH": path,
                "TMPDIR": tempfile.mkdtemp(dir=folder),
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        for python in pythons
        for hash_seed in hash_seeds
    ]
    return [process.communicate()[0] for process in processes]


def test_program_does_the_same_in_every_process_with_every_hash_seed(tmp_path: Path) -> None:
    here = output(1)
    assert outputs_of([sys.executable], ["0", "4711", "random"], tmp_path) == [here] * 3


OTHER_PYTHONS = [path for path in os.environ.get("HARNESS_OTHER_PYTHONS", "").split(":") if path]


@pytest.mark.skipif(not OTHER_PYTHONS, reason="HARNESS_OTHER_PYTHONS names no other Python")
def test_program_does_the_same_on_other_pythons(tmp_path: Path) -> None:
    """The variable holds paths of interpreters with the dependencies of harness, separated by colons."""
    assert outputs_of(OTHER_PYTHONS, ["1"], tmp_path) == [output(1)] * len(OTHER_PYTHONS)


if __name__ == "__main__":
    sys.stdout.write(output(1))
