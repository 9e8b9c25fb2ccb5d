"""Giving up on what takes too long, and keeping an agent from having too much in flight."""

from __future__ import annotations

import asyncio
import heapq

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chance import Draws
from harness.kernel import Kernel, run
from harness.models import ModelError, Reply, Request
from harness.resilience import Retry, with_bulkhead, with_retry, with_timeout
from harness.resilience.api import Call
from harness.spans import CALL, WAIT, SpanLog


class Office:
    """A model that takes as long as it is told, and notes who is with it."""

    def __init__(self, *takes_s: float) -> None:
        self.kernel = Kernel()
        self.log = SpanLog(self.kernel.now_s)
        self.visits: list[tuple[float, str]] = []
        self.inside = 0
        self.most_inside = 0
        self._takes_s = list(takes_s)

    async def answer(self, request: Request) -> Reply:
        self.visits.append((self.kernel.now_s(), request.prompt))
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            await asyncio.sleep(self._takes_s.pop(0) if self._takes_s else 1.0)
        finally:
            self.inside -= 1
        return Reply(request.prompt)

    def request(self, prompt: str) -> Request:
        task = self.log.open_task("task", 1)
        call = self.log.open(CALL, "a", task, "a")
        return Request("a", "m", prompt, 1, f"1/a/{prompt}", 1, 1, call)

    def visit(self, call: Call, *at_s: float) -> list[Reply | BaseException]:
        """What becomes of one call at each of some times, named by its place: `0`, `1` and so on."""

        async def visit_at(number: int, when_s: float) -> Reply:
            await asyncio.sleep(when_s)
            return await call(self.request(str(number)))

        async def visit_all() -> list[Reply | BaseException]:
            visitors = [visit_at(number, when_s) for number, when_s in enumerate(at_s)]
            return await asyncio.gather(*visitors, return_exceptions=True)

        return run(self.kernel, visit_all())

    def waits(self) -> list[tuple[float, float, str]]:
        rows = self.log.spans.rows("kind", "name", "arrival_s", "end_s", "status")
        return [
            (begin_s, end_s, status)
            for kind, name, begin_s, end_s, status in rows
            if (kind, name) == (WAIT, "in_flight")
        ]


def test_what_takes_too_long_is_given_up_on_time() -> None:
    office = Office(10.0)
    (outcome,) = office.visit(with_timeout(office.answer, 4.0), 0.0)
    assert isinstance(outcome, TimeoutError)
    assert office.kernel.now_s() == 4.0
    assert office.inside == 0


def test_what_comes_a_microsecond_before_its_time_is_up_is_taken() -> None:
    office = Office(3.999999)
    (outcome,) = office.visit(with_timeout(office.answer, 4.0), 0.0)
    assert outcome == Reply("0")


def test_timeout_of_an_attempt_is_tried_again_from_the_start() -> None:
    office = Office(10.0, 10.0, 1.0)
    retry = Retry(jitter="none", first_wait_s=2.0)
    call = with_retry(with_timeout(office.answer, 4.0), retry, office.log, Draws(1))
    assert office.visit(call, 0.0) == [Reply("0")]
    assert [at_s for at_s, _ in office.visits] == [0.0, 6.0, 14.0]
    assert office.kernel.now_s() == 15.0


def test_no_bound_leaves_the_call_as_it_is() -> None:
    office = Office()
    assert with_timeout(office.answer, None) == office.answer
    assert with_bulkhead(office.answer, None, office.log) == office.answer


def test_those_beyond_the_bound_wait_in_order_and_leave_a_span() -> None:
    office = Office(5.0, 3.0, 1.0, 1.0)
    call = with_bulkhead(office.answer, 2, office.log)
    office.visit(call, 0.0, 0.0, 1.0, 2.0)
    assert office.visits == [(0.0, "0"), (0.0, "1"), (3.0, "2"), (4.0, "3")]
    assert office.waits() == [(1.0, 3.0, "ok"), (2.0, 4.0, "ok")]


def test_place_is_free_again_after_a_failure() -> None:
    office = Office()

    async def fail(request: Request) -> Reply:
        await office.answer(request)
        raise ModelError("api_error", 500, "no")

    outcomes = office.visit(with_bulkhead(fail, 1, office.log), 0.0, 0.0, 0.0)
    assert all(isinstance(outcome, ModelError) for outcome in outcomes)
    assert [at_s for at_s, _ in office.visits] == [0.0, 1.0, 2.0]


def test_one_who_gives_up_waiting_takes_no_place() -> None:
    office = Office(10.0, 1.0)
    bulkhead = with_bulkhead(office.answer, 1, office.log)

    async def by_patience(request: Request) -> Reply:
        return await with_timeout(bulkhead, 3.0 if request.prompt == "1" else 30.0)(request)

    outcomes = office.visit(by_patience, 0.0, 1.0, 2.0)
    assert isinstance(outcomes[1], TimeoutError)
    assert office.visits == [(0.0, "0"), (10.0, "2")]
    assert office.waits() == [(1.0, 4.0, "cancelled"), (2.0, 10.0, "ok")]


def test_retry_that_backs_off_holds_no_place() -> None:
    office = Office()
    failures = [ModelError("api_error", 500, "no")]

    async def fail_once(request: Request) -> Reply:
        reply = await office.answer(request)
        if failures:
            raise failures.pop()
        return reply

    bulkhead = with_bulkhead(fail_once, 1, office.log)
    retry = Retry(jitter="none", first_wait_s=10.0, max_wait_s=10.0)
    office.visit(with_retry(bulkhead, retry, office.log, Draws(1)), 0.0, 0.5)
    assert office.visits == [(0.0, "0"), (1.0, "1"), (11.0, "0")]


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=30),
    st.integers(1, 4),
)
def test_bound_is_never_exceeded_and_nobody_waits_beside_a_free_place(
    visitors: list[tuple[int, int]], bound: int
) -> None:
    office = Office(*[float(takes_s) for _, takes_s in visitors])
    at_s = [float(when_s) for when_s, _ in visitors]
    office.visit(with_bulkhead(office.answer, bound, office.log), *at_s)
    free_s = [0.0] * bound
    starts_s = []
    for when_s, (_, takes_s) in zip(sorted(at_s), visitors, strict=True):
        starts_s.append(max(when_s, free_s[0]))
        heapq.heapreplace(free_s, starts_s[-1] + takes_s)
    assert [start_s for start_s, _ in office.visits] == starts_s
    assert office.most_inside <= bound
    assert sum(end_s - begin_s for begin_s, end_s, _ in office.waits()) == (
        sum(starts_s) - sum(at_s)
    )
