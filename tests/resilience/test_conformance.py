"""`check_policy`: all policies of harness pass it, and typical mistakes do not."""

from __future__ import annotations

import asyncio

import pytest

from harness.chance import Draws
from harness.models import ModelError, Reply, Request
from harness.resilience import (
    Breaker,
    Bucket,
    Budget,
    Cache,
    CallQueue,
    CircuitBreaker,
    DefaultAnswer,
    Health,
    HealthScore,
    Hedge,
    Line,
    Memory,
    Policies,
    ReplyCache,
    Retry,
    Samples,
    Setting,
    Spendings,
    TokenBucket,
    Validation,
    Validator,
    in_order,
    with_breaker,
    with_budget,
    with_bulkhead,
    with_cache,
    with_default_answer,
    with_health,
    with_hedge,
    with_queue,
    with_retry,
    with_samples,
    with_task_deadline,
    with_timeout,
    with_token_bucket,
    with_validation,
)
from harness.resilience.api import Call
from harness.resilience.conformance import Around, PolicyCheckError
from harness.spans import SpanLog
from harness.testing import check_policy

ALL = Policies(
    deadline_s=500,
    task_deadline_s=10**7,
    max_in_flight=50,
    queue=CallQueue(max_in_flight=2),
    token_bucket=TokenBucket(requests_per_min=6000),
    retry=Retry(),
    hedge=Hedge(after_s=30),
    circuit_breaker=CircuitBreaker(failures=100),
    budget=Budget(calls=1000),
    validate=Validation(json_schema={"type": "object"}),
    samples=Samples(count=3),
    cache=ReplyCache(),
    health=HealthScore(),
)

OURS: dict[str, Around] = {
    "timeout": lambda call, log, draws: with_timeout(call, 10),
    "retry": lambda call, log, draws: with_retry(call, Retry(), log, draws),
    "bulkhead": lambda call, log, draws: with_bulkhead(call, 2, log),
    "queue": lambda call, log, draws: with_queue(call, Line(CallQueue(max_in_flight=2)), log),
    "fair queue": lambda call, log, draws: with_queue(
        call, Line(CallQueue(max_in_flight=2, order="fair")), log
    ),
    "token bucket": lambda call, log, draws: with_token_bucket(
        call, Bucket(TokenBucket(requests_per_min=60, tokens_per_min=60, burst_s=1)), log
    ),
    "circuit breaker": lambda call, log, draws: with_breaker(
        call, Breaker(CircuitBreaker()), "b", log
    ),
    "hedge": lambda call, log, draws: with_hedge(call, Hedge(after_s=0.25, extra=2), log),
    "budget": lambda call, log, draws: with_budget(
        call, Spendings(Budget(calls=100, tokens=10**6)), None, log
    ),
    "validation": lambda call, log, draws: with_validation(
        call, Validator(stated=Validation(json_schema={"type": "object"})), log
    ),
    "samples": lambda call, log, draws: with_samples(call, Samples(), log),
    "cache": lambda call, log, draws: with_cache(call, Cache(ReplyCache()), log),
    "health": lambda call, log, draws: with_health(call, Health(HealthScore())),
    "task deadline": lambda call, log, draws: with_task_deadline(call, 10**7, log, lambda _: 0.0),
    "all together": lambda call, log, draws: in_order(
        call,
        ALL,
        Setting(
            agent="agent",
            log=log,
            draws=draws,
            validator=Validator(stated=Validation(json_schema={"type": "object"})),
            health=Health(HealthScore()),
        ),
    ),
}


@pytest.mark.parametrize("name", OURS)
def test_policies_of_harness_pass(name: str) -> None:
    check_policy(OURS[name], reply="{}")


def test_policy_whose_point_it_is_may_go_on() -> None:
    def around(call: Call, log: SpanLog, draws: Draws) -> Call:
        return with_default_answer(call, DefaultAnswer(after_s=5), log, lambda *_: None)

    check_policy(around, goes_on=True)


ABSENT: dict[str, Around] = {
    "timeout": lambda call, log, draws: with_timeout(call, None),
    "retry": lambda call, log, draws: with_retry(call, None, log, draws),
    "bulkhead": lambda call, log, draws: with_bulkhead(call, None, log),
    "queue": lambda call, log, draws: with_queue(call, None, log),
    "token bucket": lambda call, log, draws: with_token_bucket(call, None, log),
    "circuit breaker": lambda call, log, draws: with_breaker(call, None, "b", log),
    "hedge": lambda call, log, draws: with_hedge(call, None, log),
    "budget": lambda call, log, draws: with_budget(call, None, None, log),
    "validation": lambda call, log, draws: with_validation(call, None, log),
    "samples": lambda call, log, draws: with_samples(call, None, log),
    "cache": lambda call, log, draws: with_cache(call, None, log),
    "health": lambda call, log, draws: with_health(call, None),
    "task deadline": lambda call, log, draws: with_task_deadline(call, None, log, lambda _: 0.0),
    "default answer": lambda call, log, draws: with_default_answer(call, None, log, lambda *_: None),
    "all": lambda call, log, draws: in_order(call, Policies(), Setting(agent="a", log=log, draws=draws)),
}  # fmt: skip


@pytest.mark.parametrize("name", ABSENT)
def test_absent_policy_leaves_the_very_call(name: str) -> None:
    async def call(request: Request) -> Reply:
        return Reply("fine")

    assert ABSENT[name](call, SpanLog(lambda: 0.0), Draws(1)) is call


# -- mistakes -------------------------------------------------------------------------------------------------------


def hides(call: Call, log: SpanLog, draws: Draws) -> Call:
    async def wrapped(request: Request) -> Reply:
        try:
            return await call(request)
        except Exception:  # noqa: BLE001 - the mistake
            return Reply("never mind")

    return wrapped


def leaks(call: Call, log: SpanLog, draws: Draws) -> Call:
    places = asyncio.Semaphore(5)

    async def wrapped(request: Request) -> Reply:
        await places.acquire()
        reply = await call(request)
        places.release()
        return reply

    return wrapped


def forgets(call: Call, log: SpanLog, draws: Draws) -> Call:
    async def wrapped(request: Request) -> Reply:
        first = asyncio.create_task(_again(call, request))
        return await asyncio.shield(first)

    return wrapped


async def _again(call: Call, request: Request) -> Reply:
    return await call(request)


def raises(call: Call, log: SpanLog, draws: Draws) -> Call:
    async def wrapped(request: Request) -> Reply:
        try:
            return await call(request)
        except ModelError:
            raise RuntimeError("all is lost") from None

    return wrapped


def changes(call: Call, log: SpanLog, draws: Draws) -> Call:
    async def wrapped(request: Request) -> Reply:
        await call(request)
        return Reply("something else")

    return wrapped


_count = Memory()


def remembers(call: Call, log: SpanLog, draws: Draws) -> Call:
    async def wrapped(request: Request) -> Reply:
        seen = _count.get("calls") or ""
        _count.put("calls", seen + "x")
        await asyncio.sleep(len(seen))
        return await call(request)

    return wrapped


@pytest.mark.parametrize(
    ("around", "says"),
    [
        (hides, "it hides a mistake"),
        (leaks, "a call never ends: deadlock"),
        (forgets, "when its caller gives up something goes on"),
        (raises, "when the call fails it raises RuntimeError"),
        (changes, "gives Reply.*something else"),
        (remembers, "the same call gives another execution"),
    ],
)
def test_mistake_is_told(around: Around, says: str) -> None:
    with pytest.raises(PolicyCheckError, match=says):
        check_policy(around)
