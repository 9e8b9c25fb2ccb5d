"""Policies in plain asyncio code of one's own: in virtual time, and on asyncio's own loop."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chance import Draws
from harness.chance.distributions import Constant
from harness.kernel import Kernel, run
from harness.resilience import (
    Amount,
    Balance,
    Balancer,
    Breaker,
    Bucket,
    Budget,
    BudgetExceeded,
    Cache,
    CallQueue,
    CircuitBreaker,
    CircuitOpen,
    Desk,
    Escalation,
    Health,
    HealthScore,
    Hedge,
    Late,
    Line,
    Release,
    ReplyCache,
    Rollout,
    RolloutStep,
    Spending,
    TokenBucket,
    hedged,
)
from tests.examples import examples

T = TypeVar("T")
Runner = Callable[[Coroutine[Any, Any, Any]], Any]

SCALE = 0.01
"""Times are so much shorter here, because one of the loops really waits [s]."""


def virtual(program: Coroutine[Any, Any, T]) -> T:
    return run(Kernel(), program)


def stock(program: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(program)  # noqa: TID251 - the point is asyncio's own loop


on_both_loops = pytest.mark.parametrize("on", [virtual, stock])


async def slow(name: str, takes_s: float, log: list[str]) -> str:
    try:
        await asyncio.sleep(takes_s * SCALE)
    except asyncio.CancelledError:
        log.append(f"{name} cancelled")
        raise
    return name


@on_both_loops
def test_breaker(on: Runner) -> None:
    async def program() -> list[str]:
        breaker = Breaker(CircuitBreaker(failures=2, open_s=5 * SCALE))
        seen: list[str] = []

        async def fail() -> None:
            raise TimeoutError

        async def succeed() -> None:
            pass

        for ask in (fail, fail, succeed):
            try:
                await breaker.call(ask, seen.append)
            except (TimeoutError, CircuitOpen) as error:
                seen.append(type(error).__name__)
        await asyncio.sleep(6 * SCALE)
        await breaker.call(succeed, seen.append)
        return [*seen, breaker.state]

    assert on(program()) == [
        "TimeoutError", "circuit_opened", "TimeoutError", "circuit_refused", "CircuitOpen",
        "circuit_half_opened", "circuit_closed", "closed",
    ]  # fmt: skip


@on_both_loops
def test_hedged(on: Runner) -> None:
    async def program() -> tuple[str, list[str]]:
        log: list[str] = []
        takes_s = [100.0, 1.0]
        reply = await hedged(
            lambda number: slow(str(number), takes_s[number], log),
            Hedge(after_s=2 * SCALE),
            note=log.append,
        )
        return reply, log

    assert on(program()) == ("1", ["hedged", "0 cancelled", "hedge_cancelled"])


@on_both_loops
def test_hedged_raises_what_is_no_failure_of_a_call_at_once(on: Runner) -> None:
    async def program() -> None:
        async def ask(number: int) -> None:
            await asyncio.sleep(3 * SCALE)
            raise KeyError(number)

        await hedged(ask, Hedge(after_s=2 * SCALE), failures=(TimeoutError,))

    with pytest.raises(KeyError, match="0"):
        on(program())


@pytest.mark.parametrize("first_s", [3.0, 4.0, 5.0])
def test_hedged_leaves_its_caller_alone_afterwards_also_at_a_tie(first_s: float) -> None:
    """The copy is sent at 2 s and takes 2 s: before, with and after the first."""

    async def program() -> tuple[float, int]:
        log: list[str] = []
        takes_s = [first_s / SCALE, 2.0 / SCALE]
        async with asyncio.timeout(100):
            await hedged(lambda number: slow(str(number), takes_s[number], log), Hedge(after_s=2))
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        ended_s = loop.time()
        await asyncio.sleep(10)
        assert task is not None
        return ended_s, task.cancelling()

    assert virtual(program()) == (min(first_s, 4.0), 0)


def test_hedged_that_is_given_up_by_a_timeout_when_a_copy_wins_ends_by_the_timeout() -> None:
    async def program() -> list[str]:
        log: list[str] = []
        takes_s = [9.0 / SCALE, 2.0 / SCALE]
        try:
            async with asyncio.timeout(4):
                reply = await hedged(
                    lambda number: slow(str(number), takes_s[number], log), Hedge(after_s=2)
                )
                log.append(f"reply {reply}")
        except TimeoutError:
            log.append("timeout")
        await asyncio.sleep(10)
        return log

    assert virtual(program()) in (["0 cancelled", "timeout"], ["0 cancelled", "reply 1"])


def test_hedged_that_fails_waits_for_its_copies_and_tells_the_first_failure() -> None:
    async def program(copy_fails: bool) -> str:
        async def ask(number: int) -> str:
            await asyncio.sleep(3)
            if number == 0 or copy_fails:
                raise TimeoutError(number)
            return "copy"

        try:
            return await hedged(ask, Hedge(after_s=2, extra=2))
        except TimeoutError as error:
            return f"failed {error}"

    assert virtual(program(copy_fails=False)) == "copy"
    assert virtual(program(copy_fails=True)) == "failed 0"


@on_both_loops
def test_bucket(on: Runner) -> None:
    async def program() -> float:
        bucket = Bucket(TokenBucket(requests_per_min=60 / SCALE, burst_s=2 * SCALE))
        began_s = asyncio.get_running_loop().time()
        await asyncio.gather(*[bucket.wait() for _ in range(6)])
        return (asyncio.get_running_loop().time() - began_s) / SCALE

    assert on(program()) == pytest.approx(4.0, rel=0.5)


def test_bucket_gives_back_what_a_cancelled_waiter_took() -> None:
    async def program() -> float:
        bucket = Bucket(TokenBucket(requests_per_min=60, burst_s=1))
        await bucket.wait()
        waiter = asyncio.create_task(bucket.wait())
        await asyncio.sleep(0)
        waiter.cancel()
        await asyncio.gather(waiter, return_exceptions=True)
        await bucket.wait()
        return asyncio.get_running_loop().time()

    assert virtual(program()) == 1.0


@on_both_loops
def test_line(on: Runner) -> None:
    async def program() -> list[int]:
        line, order = Line(CallQueue(max_in_flight=1)), list[int]()

        async def visit(priority: int) -> None:
            async with line.place(priority=priority):
                order.append(priority)
                await asyncio.sleep(SCALE)

        await asyncio.gather(*map(visit, (0, 1, 5, 3)))
        return order

    assert on(program()) == [0, 5, 3, 1]


@on_both_loops
def test_late(on: Runner) -> None:
    async def program() -> list[str | Exception]:
        said: list[str | Exception] = []
        late = Late()
        ask = slow("real", 3, [])
        said.append(await late.or_default(ask, SCALE, lambda: "default", said.append))
        await asyncio.sleep(5 * SCALE)
        ask = slow("in time", 1, [])
        said.append(await late.or_default(ask, 30 * SCALE, lambda: "default", said.append))
        return said

    assert on(program()) == ["default", "real", "in time"]


@on_both_loops
def test_cache(on: Runner) -> None:
    async def program() -> list[str | None]:
        cache = Cache[str](ReplyCache(ttl_s=100 * SCALE, max_entries=2))
        for key in ("a", "b"):
            cache.put(key, key)
        cache.get("a")
        cache.put("c", "c")
        found = [cache.get(key) for key in ("a", "b", "c")]
        await asyncio.sleep(101 * SCALE)
        return [*found, cache.get("a")]

    assert on(program()) == ["a", None, "c", None]


@on_both_loops
def test_desk(on: Runner) -> None:
    async def program() -> str:
        return await Desk(Escalation(takes_s=Constant(SCALE), text="yes"), Draws(1)).decide()

    assert on(program()) == "yes"


def test_spending_is_reserved_and_settled() -> None:
    spending = Spending(Budget(usd=1.0, calls=10))
    most = Amount(calls=1, usd=0.4)
    spending.reserve(most)
    spending.reserve(most)
    with pytest.raises(
        BudgetExceeded, match=r"0\.8 of 1 usd are used or reserved, and up to 0\.4 more"
    ):
        spending.reserve(most)
    spending.settle(most, Amount(calls=1, usd=0.1))
    spending.reserve(most)
    assert spending.used == Amount(calls=3, usd=0.9)


@settings(derandomize=True, deadline=None, max_examples=examples(100))
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50), st.integers(0, 5)), max_size=40))
def test_what_is_used_and_reserved_never_passes_the_limit_in_whatever_order_calls_end(
    calls: list[tuple[int, int, int]],
) -> None:
    """Each call reserves the first number, uses at most that, and ends after so many others have come."""
    spending, limit = Spending(Budget(tokens=200)), 200
    running: list[tuple[int, int, int]] = []
    settled = 0
    for number, (most, used, after) in enumerate(calls):
        for one in [one for one in running if one[2] <= number]:
            running.remove(one)
            spending.settle(Amount(tokens=one[0]), Amount(tokens=one[1]))
            settled += one[1]
        held = settled + sum(one[0] for one in running)
        assert spending.used.tokens == held <= limit
        if held + most > limit:
            with pytest.raises(BudgetExceeded):
                spending.reserve(Amount(tokens=most))
        else:
            spending.reserve(Amount(tokens=most))
            running.append((most, min(most, used), number + 1 + after))


def test_money_of_a_budget_adds_up_exactly() -> None:
    spending = Spending(Budget(usd=0.3))
    for _ in range(3):
        spending.reserve(Amount(usd=0.1))  # in floats 0.1 + 0.1 + 0.1 is above 0.3
    assert spending.used.usd == 0.3


def test_health_balancer_and_release() -> None:
    health = Health(HealthScore(half_life_calls=1, floor=0.1))
    for succeeded in (False, False, False, False, True):
        health.note(succeeded=succeeded)
    assert health.score == 0.53125
    balancer = Balancer(Balance(over=("x", "y"), by="least_loaded"))
    with balancer.used(balancer.choose(0.5)):
        assert balancer.choose(0.5) == "y"
    release = Release(Rollout(to="new", steps=(RolloutStep(at_s=5, share=0.5),)))
    assert (release.share(4.9), release.share(5.0)) == (0.0, 0.5)


def test_call_that_was_cancelled_before_it_began_leaves_no_warning() -> None:
    async def program() -> list[bool]:
        late = Late()
        others: list[asyncio.Task[Any]] = [
            asyncio.create_task(
                late.or_default(slow("real", 3, []), 1.0, lambda: "default", lambda _: None)
            )
        ]

        def cancel_all() -> None:
            others.extend(asyncio.all_tasks() - {*others, program_task})
            for one in others:
                one.cancel()

        program_task = asyncio.current_task()
        asyncio.get_running_loop().call_soon(cancel_all)
        await asyncio.gather(*others, return_exceptions=True)
        return [one.cancelled() for one in others]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert virtual(program()) == [True, True]
        gc.collect()
