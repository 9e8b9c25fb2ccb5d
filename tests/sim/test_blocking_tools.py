"""A tool in place of a function that is not async blocks like that function, in virtual time."""

# ruff: noqa: ANN401 - what programs take and give

from __future__ import annotations

import asyncio
import functools
import inspect
import time  # noqa: TID251 - programs of the user's read the clock
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.agents import ToolError
from harness.sim import Sim

HERE = __name__


def look_up(query: str) -> str:
    raise AssertionError(f"{query} is looked up for real")


async def look_up_async(query: str) -> str:
    raise AssertionError(f"{query} is looked up for real")


def look_up_later(query: str) -> Awaitable[str]:
    return look_up_async(query)


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any) -> Any:
        return function(*args)

    return call


look_up_logged = logged(look_up)
look_up_async_logged = logged(look_up_async)


class Index:
    def find(self, query: str) -> str:
        raise AssertionError(f"{query} is found for real")

    @classmethod
    def find_all(cls, query: str) -> str:
        raise AssertionError(f"{query} is found for real")

    @staticmethod
    def find_one(query: str) -> str:
        raise AssertionError(f"{query} is found for real")

    async def find_later(self, query: str) -> str:
        raise AssertionError(f"{query} is found for real")


def replaced(name: str, **said: Any) -> Sim:
    sim = Sim(1)
    sim.tool("search", replaces=f"{HERE}:{name}", latency_s=2, **said)
    return sim


def test_function_that_blocks_stays_one() -> None:
    sim = replaced("look_up", result=lambda query: f"about {query}")
    run = sim.run(lambda: [look_up("cost"), time.monotonic(), inspect.signature(look_up)])
    assert run.output == ["about cost", 2, inspect.signature(look_up)]
    assert run.latency_s == 2


@pytest.mark.parametrize(
    "name", ["look_up_logged", "Index.find", "Index.find_all", "Index.find_one"]
)
def test_every_kind_of_blocking_function_blocks(name: str) -> None:
    """As ever, a method is not given its object."""
    sim = replaced(name, result=str.upper)
    owner, _, method = name.rpartition(".")
    program = lambda: (getattr(Index(), method) if owner else look_up_logged)("cost")  # noqa: E731
    run = sim.run(program)
    assert (run.output, run.latency_s) == ("COST", 2)


@pytest.mark.parametrize(
    "name", ["look_up_async", "look_up_later", "look_up_async_logged", "Index.find_later"]
)
def test_what_is_awaited_stays_so(name: str) -> None:
    sim = replaced(name, result=str.upper)

    async def program() -> str:
        owner, _, method = name.rpartition(".")
        function = getattr(Index(), method) if owner else globals()[name]
        answer: str = await function("cost")
        return answer

    run = sim.run(program)
    assert (run.output, run.latency_s) == ("COST", 2)


def test_uses_in_a_pool_go_on_side_by_side() -> None:
    sim = replaced("look_up", result=len)

    def program() -> list[str]:
        with ThreadPoolExecutor(3) as pool:
            return list(pool.map(look_up, ["a", "bb", "ccc"]))

    run = sim.run(program)
    assert (run.output, run.latency_s) == ([1, 2, 3], 2)


def test_failure_comes_after_the_latency() -> None:
    def program() -> float:
        with pytest.raises(ToolError, match="search failed"):
            look_up("cost")
        return time.monotonic()

    assert replaced("look_up", failure_probability=1).run(program).output == 2


def test_result_may_block_too() -> None:
    def slow(query: str) -> str:
        time.sleep(3)
        return query

    run = replaced("look_up", result=slow).run(lambda: look_up("cost"))
    assert (run.output, run.latency_s) == ("cost", 5)


def test_loop_that_it_blocks_is_told() -> None:
    async def program() -> None:
        await asyncio.gather(blocks(), asyncio.sleep(1))

    async def blocks() -> None:
        look_up("cost")

    (finding,) = replaced("look_up").run(program).findings
    assert finding.kind == "blocked_loop"
    assert finding.message.startswith("test_blocking_tools.py:")
    assert "2 s" in finding.message
