"""Ways to an order that differs from process to process."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import os
import tempfile
import weakref
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.sim import Sim
from tests.isolation.way import Way

_MANY = range(20)


def _in_loop(main: Callable[[], Coroutine[Any, Any, bool]]) -> Callable[[object], bool]:
    return lambda _: asyncio.run(main())  # noqa: TID251 - as programs begin


async def _number(number: int, after_s: float = 1.0) -> int:
    await asyncio.sleep(after_s)
    return number


async def _as_completed() -> bool:
    return [await one for one in asyncio.as_completed(map(_number, _MANY))] == [*_MANY]


async def _wait() -> bool:
    done, _ = await asyncio.wait([asyncio.ensure_future(_number(n)) for n in _MANY])
    return [task.result() for task in done] == [*_MANY]


async def _group() -> bool:
    ended: list[int] = []

    async def fail_first(number: int) -> None:
        try:
            await _number(number, 1.0 if number == 0 else 9.0)
            raise ValueError
        except asyncio.CancelledError:
            ended.append(number)
            raise

    try:
        async with asyncio.TaskGroup() as group:
            for number in _MANY:
                group.create_task(fail_first(number))
    except* ValueError:
        pass
    return ended == [*_MANY][1:]


async def _timers() -> bool:
    fired: list[int] = []
    for number in _MANY:
        asyncio.get_running_loop().call_later(1.0, fired.append, number)
    await asyncio.sleep(2)
    return fired == [*_MANY]


async def _all_tasks() -> bool:
    tasks = [asyncio.create_task(_number(n), name=str(n)) for n in _MANY]
    names = [task.get_name() for task in asyncio.all_tasks() if task.get_name().isdigit()]
    await asyncio.gather(*tasks)
    return names == [*map(str, _MANY)]


def _order_of_completion() -> list[int]:
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(int, n) for n in _MANY]
        return [one.result() for one in concurrent.futures.as_completed(futures)]


@contextmanager
def _order_in_another_run() -> Iterator[list[int]]:
    yield Sim(1).run(_order_of_completion).output


def _pool_as_completed(in_another_run: list[int]) -> bool:
    return _order_of_completion() == in_another_run


def _pool_wait(_: object) -> bool:
    with ThreadPoolExecutor() as pool:
        futures = [pool.submit(int, n) for n in _MANY]
        return [one.result() for one in concurrent.futures.wait(futures).done] == [*_MANY]


def _finalizers(_: object) -> bool:
    ended: list[int] = []

    class Circle:
        def __init__(self, number: int) -> None:
            self.me = self
            weakref.finalize(self, ended.append, number)

    for number in _MANY:
        Circle(number)
    gc.collect()
    return ended == [*_MANY]


def _set_of_texts(_: object) -> bool:
    texts = {str(n) for n in _MANY}
    return [*texts] == [*{str(n) for n in _MANY}]


def _set_of_objects(_: object) -> bool:
    things = {object() for _ in _MANY}
    return [*things] == [*things]


def _files(_: object) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        for n in _MANY:
            Path(folder, str(n)).touch()
        return sorted(os.listdir(folder)) == sorted(map(str, _MANY))  # noqa: PTH208 - see above


WAYS = (
    Way(what="timers of one instant", outcome="virtual", program=_in_loop(_timers), consequence="They fire in the order in which they were set."),
    Way(what="`asyncio.as_completed`", outcome="virtual", program=_in_loop(_as_completed), consequence="What ends at one instant comes in the order of beginning."),
    Way(what="`asyncio.wait`", outcome="virtual", program=_in_loop(_wait)),
    Way(what="`asyncio.TaskGroup`: the order of cancellation", outcome="virtual", program=_in_loop(_group)),
    Way(what="`asyncio.all_tasks`", outcome="virtual", program=_in_loop(_all_tasks)),
    Way(what="`concurrent.futures.as_completed` of a pool's futures", outcome="virtual", prepare=_order_in_another_run, program=_pool_as_completed, consequence="Threads have one order, and futures stand in sets in the order of their making."),
    Way(what="`concurrent.futures.wait` of a pool's futures", outcome="virtual", program=_pool_wait),
    Way(what="finalizers of garbage in circles", outcome="virtual", program=_finalizers, consequence="Garbage is looked for at fixed turns of the loop."),
    Way(what="a set of texts", outcome="real", program=_set_of_texts, consequence="Its order follows from `PYTHONHASHSEED`: sort it, or use `dict.fromkeys`. `harness check` and `--sim-check` find it."),
    Way(what="a set of objects that hash by address", outcome="real", program=_set_of_objects, consequence="Its order differs from process to process; use a dictionary."),
    Way(what="`os.listdir`, `glob`, `os.scandir`", outcome="real", program=_files, consequence="The order is the file system's: sort it."),
)  # fmt: skip
