"""Asking again: how long to wait, how often, and after which errors. All waits are in virtual time, and exact."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chance import Draws
from harness.kernel import Kernel, run
from harness.models import MALFORMED_REPLY, ModelError, Reply, Request
from harness.resilience import Retry, with_retry, with_timeout
from harness.spans import CALL, WAIT, SpanLog

OVERLOADED = ModelError("overloaded_error", 529, "Overloaded")
LIMITED = ModelError("rate_limit_error", 429, "slow down", 17.0)
BROKEN = ModelError("connection_error", None, "Connection error.")


class Caller:
    """Somebody who calls under a policy, and a model that fails as it is told."""

    def __init__(self, *failures: Exception | None, takes_s: float = 1.0) -> None:
        self.kernel = Kernel()
        self.log = SpanLog(self.kernel.now_s)
        self.asked_at_s: list[float] = []
        self._failures = iter(failures)
        self._takes_s = takes_s

    async def answer(self, request: Request) -> Reply:
        self.asked_at_s.append(self.kernel.now_s())
        request.attempt += 1
        await asyncio.sleep(self._takes_s)
        failure = next(self._failures, None)
        if failure is not None:
            raise failure
        return Reply("at last")

    def request(self) -> Request:
        task = self.log.open_task("task", 1)
        return Request("a", "m", "hi", 1, "1/a/1", 1, 1, self.log.open(CALL, "a", task, "a"))

    def call(self, retry: Retry | None, *, deadline_s: float | None = None) -> Reply:
        policy = with_retry(self.answer, retry, self.log, Draws(1))
        return run(self.kernel, answered(with_timeout(policy, deadline_s)(self.request())))

    def waits(self) -> list[tuple[str, float, float, str]]:
        """Name, beginning, length and end of each wait that left a span."""
        rows = self.log.spans.rows("kind", "name", "arrival_s", "end_s", "status")
        return [
            (name, begin_s, end_s - begin_s, status)
            for kind, name, begin_s, end_s, status in rows
            if kind == WAIT
        ]

    def events(self) -> list[tuple[float, str, str]]:
        return list(self.log.events.rows("at_s", "name", "detail"))


async def answered(awaitable: Awaitable[Reply]) -> Reply:
    """The same as a coroutine, which a run wants."""
    return await awaitable


def test_success_is_not_tried_again() -> None:
    caller = Caller()
    assert caller.call(Retry()).text == "at last"
    assert caller.asked_at_s == [0.0]
    assert caller.waits() == []
    assert caller.events() == []


def test_wait_that_the_api_asks_for_is_waited_exactly() -> None:
    caller = Caller(LIMITED, LIMITED)
    caller.call(Retry(jitter="full", max_wait_s=2.0))
    assert caller.asked_at_s == [0.0, 18.0, 36.0]
    assert caller.waits() == [("backoff", 1.0, 17.0, "ok"), ("backoff", 19.0, 17.0, "ok")]


def test_wait_that_the_api_asks_for_may_be_ignored() -> None:
    caller = Caller(LIMITED)
    caller.call(Retry(jitter="none", honour_retry_after=False))
    assert caller.asked_at_s == [0.0, 1.5]


def test_wait_of_zero_seconds_is_no_wait_that_is_asked_for() -> None:
    """As in the SDKs: `retry-after: 0` leads to the back-off."""
    caller = Caller(ModelError("rate_limit_error", 429, "slow down", 0.0))
    caller.call(Retry(jitter="none", first_wait_s=4.0))
    assert caller.asked_at_s == [0.0, 5.0]


def test_back_off_doubles_up_to_its_bound() -> None:
    caller = Caller(*[OVERLOADED] * 6)
    caller.call(Retry(attempts=7, first_wait_s=0.5, max_wait_s=8.0, jitter="none"))
    assert [length_s for _, _, length_s, _ in caller.waits()] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert caller.asked_at_s == [0.0, 1.5, 3.5, 6.5, 11.5, 20.5, 29.5]


@pytest.mark.parametrize(
    ("jitter", "low", "high"),
    [("full", 0.0, 1.0), ("equal", 0.5, 1.0), ("sdk", 0.75, 1.0), ("none", 1.0, 1.0)],
)
def test_jitter_spreads_the_back_off_over_its_interval(
    jitter: str, low: float, high: float
) -> None:
    """1,000 waits of 4 s: all within the interval, their mean in its middle, their ends near its ends."""
    retry = Retry(first_wait_s=4.0, jitter=jitter)  # type: ignore[arg-type]  # one of its literals
    waits_s = [retry.wait_s(OVERLOADED, 1, Draws(1), str(key)) / 4 for key in range(1000)]
    assert low <= min(waits_s) <= low + 0.01
    assert high - 0.01 <= max(waits_s) <= high
    assert abs(sum(waits_s) / 1000 - (low + high) / 2) <= 0.025 * (high - low)
    assert all(round(wait_s * 4e6) == pytest.approx(wait_s * 4e6) for wait_s in waits_s)


def test_jitter_is_drawn_for_each_attempt_and_follows_the_seed() -> None:
    retry = Retry(jitter="full")
    first = retry.wait_s(OVERLOADED, 1, Draws(1), "1/a/1/1")
    assert retry.wait_s(OVERLOADED, 1, Draws(1), "1/a/1/1") == first
    assert retry.wait_s(OVERLOADED, 1, Draws(1), "1/a/1/2") != first
    assert retry.wait_s(OVERLOADED, 1, Draws(2), "1/a/1/1") != first


@settings(derandomize=True, deadline=None)
@given(
    st.integers(1, 100_000),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.sampled_from(["full", "equal", "sdk", "none"]),
)
def test_back_off_never_exceeds_its_bound_however_often_it_doubled(
    attempt: int, one_s: float, other_s: float, jitter: str
) -> None:
    first_wait_s, max_wait_s = sorted([one_s, other_s])
    retry = Retry(first_wait_s=first_wait_s, max_wait_s=max_wait_s, jitter=jitter)  # type: ignore[arg-type]
    wait_s = retry.wait_s(OVERLOADED, attempt, Draws(1), "k")
    assert math.isfinite(wait_s)
    assert 0 <= wait_s <= max_wait_s + 1e-6


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_no_more_attempts_than_allowed_are_made_and_the_last_error_is_raised(attempts: int) -> None:
    failures = [ModelError("api_error", 500, f"failure {number}") for number in range(1, 9)]
    caller = Caller(*failures)
    with pytest.raises(ModelError, match=rf"failure {attempts}$"):
        caller.call(Retry(attempts=attempts, jitter="none"))
    assert len(caller.asked_at_s) == attempts
    assert [name for _, name, _ in caller.events()] == ["retry"] * (attempts - 1)
    assert len(caller.waits()) == attempts - 1  # after the last failure nobody waits


@pytest.mark.parametrize(
    "error",
    [
        *[ModelError("some_error", status, "no") for status in (400, 401, 403, 404, 413)],
        ModelError(MALFORMED_REPLY, 200, "not JSON"),
    ],
    ids=str,
)
def test_what_cannot_pass_is_not_tried_again(error: ModelError) -> None:
    caller = Caller(error)
    with pytest.raises(ModelError) as raised:
        caller.call(Retry(attempts=5))
    assert raised.value is error
    assert caller.asked_at_s == [0.0]
    assert caller.events() == []


@pytest.mark.parametrize(
    "error",
    [
        *[ModelError("some_error", status, "no") for status in (408, 409, 429, 500, 503, 504, 529)],
        BROKEN,
        TimeoutError(),
    ],
    ids=repr,
)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    caller = Caller(error)
    assert caller.call(Retry(jitter="none")).text == "at last"
    assert caller.asked_at_s == [0.0, 1.5]


def test_mistake_in_the_program_is_not_tried_again() -> None:
    caller = Caller(ValueError("a bug"))
    with pytest.raises(ValueError, match=r"^a bug$"):
        caller.call(Retry())
    assert caller.asked_at_s == [0.0]


def test_every_retry_leaves_an_event_with_its_reason() -> None:
    caller = Caller(OVERLOADED, BROKEN, TimeoutError())
    caller.call(Retry(attempts=4, jitter="none", first_wait_s=1.0))
    assert caller.events() == [
        (1.0, "retry", "overloaded_error"),
        (3.0, "retry", "connection_error"),
        (6.0, "retry", "timeout"),
    ]


def test_without_a_policy_the_call_stays_as_it_is() -> None:
    caller = Caller()
    assert with_retry(caller.answer, None, caller.log, Draws(1)) == caller.answer
    assert with_retry(caller.answer, Retry(attempts=1), caller.log, Draws(1)) == caller.answer


def test_deadline_cuts_a_wait_short() -> None:
    caller = Caller(LIMITED)
    with pytest.raises(TimeoutError):
        caller.call(Retry(), deadline_s=10.0)
    assert caller.kernel.now_s() == 10.0
    assert caller.asked_at_s == [0.0]
    assert caller.waits() == [("backoff", 1.0, 9.0, "cancelled")]


def test_deadline_cuts_an_attempt_short() -> None:
    caller = Caller(OVERLOADED, takes_s=4.0)
    with pytest.raises(TimeoutError):
        caller.call(Retry(jitter="none", first_wait_s=1.0), deadline_s=6.0)
    assert caller.kernel.now_s() == 6.0
    assert caller.asked_at_s == [0.0, 5.0]
