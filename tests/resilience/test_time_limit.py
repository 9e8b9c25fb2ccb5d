"""A time limit does what `asyncio.timeout` does, on both kinds of loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from harness.kernel import Kernel, run
from harness.resilience.time_limit import TimeLimit

SCALE = 0.01
"""One of the loops really waits [s]."""


def virtual(program: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - what the program gives
    return run(Kernel(), program)


def stock(program: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - see above
    return asyncio.run(program)  # noqa: TID251 - the point is asyncio's own loop


on_both_loops = pytest.mark.parametrize("on", [virtual, stock])
Runner = Callable[[Coroutine[Any, Any, Any]], Any]


@on_both_loops
def test_block_that_takes_longer_fails_with_a_timeout(on: Runner) -> None:
    async def program() -> tuple[bool, float]:
        limit = TimeLimit(SCALE)
        with pytest.raises(TimeoutError), limit:
            await asyncio.sleep(100 * SCALE)
        task = asyncio.current_task()
        assert task is not None
        return limit.is_over, task.cancelling()

    assert on(program()) == (True, 0)


@on_both_loops
def test_block_that_ends_in_time_is_left_alone(on: Runner) -> None:
    async def program() -> tuple[str, bool]:
        with TimeLimit(3 * SCALE) as limit:
            await asyncio.sleep(SCALE)
            said = "done"
        await asyncio.sleep(5 * SCALE)
        return said, limit.is_over

    assert on(program()) == ("done", False)


@on_both_loops
def test_inner_limit_of_two_is_the_one_that_fails(on: Runner) -> None:
    async def program() -> list[str]:
        said = []
        with TimeLimit(100 * SCALE) as outer:
            try:
                with TimeLimit(SCALE):
                    await asyncio.sleep(50 * SCALE)
            except TimeoutError:
                said.append("inner")
            await asyncio.sleep(SCALE)
        return [*said, str(outer.is_over)]

    assert on(program()) == ["inner", "False"]


@on_both_loops
def test_outer_limit_ends_what_an_inner_one_still_allows(on: Runner) -> None:
    async def program() -> str:
        try:
            with TimeLimit(SCALE):
                try:
                    with TimeLimit(100 * SCALE):
                        await asyncio.sleep(200 * SCALE)
                except TimeoutError:
                    return "inner"
        except TimeoutError:
            return "outer"
        return "none"

    assert on(program()) == "outer"


@on_both_loops
def test_cancellation_by_somebody_else_stays_a_cancellation(on: Runner) -> None:
    async def bounded() -> None:
        with TimeLimit(100 * SCALE):
            await asyncio.sleep(200 * SCALE)

    async def program() -> bool:
        task = asyncio.create_task(bounded())
        await asyncio.sleep(SCALE)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    assert on(program())


def test_cancellation_at_the_very_moment_of_the_limit_wins() -> None:
    """As with `asyncio.timeout`: who cancels a task wants it to end, and a timeout might be caught."""

    async def bounded(limit: Any) -> None:  # noqa: ANN401 - of either kind
        try:
            if isinstance(limit, TimeLimit):
                with limit:
                    await asyncio.sleep(10)
            else:
                async with limit:
                    await asyncio.sleep(10)
        except TimeoutError:
            await asyncio.sleep(1)

    async def ending(make: Callable[[], Any]) -> bool:
        task = asyncio.create_task(bounded(make()))
        asyncio.get_running_loop().call_later(5, task.cancel)
        await asyncio.sleep(0)
        await asyncio.gather(task, return_exceptions=True)
        return task.cancelled()

    async def program() -> tuple[bool, bool]:
        return await ending(lambda: TimeLimit(5)), await ending(lambda: asyncio.timeout(5))

    assert run(Kernel(), program()) == (True, True)


@on_both_loops
def test_error_of_the_block_is_passed_on(on: Runner) -> None:
    async def program() -> None:
        with TimeLimit(SCALE):
            await asyncio.sleep(0)
            raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        on(program())
