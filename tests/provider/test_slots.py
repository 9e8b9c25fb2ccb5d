"""The provider's slots and queue: who is served when, and what hanging up does."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable

import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chance import Draws
from harness.chance.distributions import Constant
from harness.provider import (
    Latency,
    Limits,
    Prices,
    Provider,
    ProviderSettings,
    Queue,
    Refusal,
    Served,
)
from harness.provider.service import Attempt
from harness.units import Usage
from tests.examples import examples

PRICES = Prices(input_usd_per_mtok=1, output_usd_per_mtok=10)
# As many seconds as tokens, so that all times stay whole.
ONE_TOKEN_A_SECOND = Served(
    "m", "model m", Latency(ttft_s=Constant(0.0), itl_s=Constant(1.0)), PRICES
)


class Desk:
    """A provider on a clock of its own, and what became of each attempt."""

    def __init__(self, concurrency: int | None, capacity: int | None = None) -> None:
        self.env = simpy.Environment()
        self.provider = Provider(
            self.env,
            Draws(1),
            "p",
            ProviderSettings(concurrency=concurrency, queue=Queue(capacity=capacity)),
        )
        self.attempts: list[Attempt] = []
        self.ends_s: dict[Attempt, float] = {}
        self._planned = 0

    def submit_at(
        self,
        at_s: float,
        service_s: int,
        *,
        hang_up_at_s: float | None = None,
        stop_at_s: float | None = None,
    ) -> None:
        def submit(_: simpy.Event) -> None:
            attempt = self.provider.submit(
                ONE_TOKEN_A_SECOND, str(len(self.attempts)), Usage(1000, service_s)
            )
            assert attempt.callbacks is not None
            attempt.callbacks.append(lambda _: self.ends_s.update({attempt: self.env.now}))
            self.attempts.append(attempt)

        number = self._planned
        self._planned += 1
        self._at(at_s, submit)
        if hang_up_at_s is not None:
            self._at(hang_up_at_s, lambda _: self.provider.abandon(self.attempts[number]))
        if stop_at_s is not None:
            self._at(stop_at_s, lambda _: self.provider.stop(self.attempts[number]))

    def _at(self, at_s: float, callback: Callable[[simpy.Event], None]) -> None:
        event = self.env.timeout(at_s)
        assert event.callbacks is not None
        event.callbacks.append(callback)

    def starts_s(self) -> list[float | None]:
        """When each attempt was started; None for those that were not."""
        self.env.run()
        return [
            None if math.isnan(attempt.start_s) else attempt.start_s for attempt in self.attempts
        ]

    def refusals(self) -> list[Refusal | None]:
        self.env.run()
        return [attempt.value for attempt in self.attempts if attempt.triggered]


def test_attempt_is_served_at_once_when_a_slot_is_free() -> None:
    desk = Desk(concurrency=1)
    desk.submit_at(2.5, 4)
    assert desk.starts_s() == [2.5]
    assert desk.ends_s == {desk.attempts[0]: 6.5}
    assert desk.attempts[0].value is None


def test_everybody_is_served_at_once_without_a_bound() -> None:
    desk = Desk(concurrency=None)
    for _ in range(100):
        desk.submit_at(1, 7)
    assert desk.starts_s() == [1.0] * 100
    assert desk.env.now == 8.0


def test_those_who_wait_are_served_in_the_order_of_their_coming() -> None:
    desk = Desk(concurrency=1)
    for at_s, service_s in [(0, 5), (1, 1), (2, 3), (3, 1)]:
        desk.submit_at(at_s, service_s)
    assert desk.starts_s() == [0, 5, 6, 9]


def test_attempt_that_is_stopped_gives_its_slot_back_and_costs_what_was_written() -> None:
    desk = Desk(concurrency=1)
    desk.submit_at(0, 10, stop_at_s=4)
    desk.submit_at(1, 5)
    assert desk.starts_s() == [0, 4]
    stopped = desk.attempts[0]
    assert (stopped.end_s, stopped.usage.output_tokens) == (4, 4)
    assert stopped.cost_usd == PRICES.cost_usd(Usage(1000, 4))


def test_attempt_that_has_ended_is_not_stopped_any_more() -> None:
    desk = Desk(concurrency=1)
    desk.submit_at(0, 3, stop_at_s=8)
    desk.submit_at(1, 5)
    assert desk.starts_s() == [0, 3]
    assert desk.attempts[0].usage.output_tokens == 3


def test_equal_arrivals_are_served_in_the_order_of_their_submission() -> None:
    desk = Desk(concurrency=1)
    for service_s in (4, 3, 2, 1):
        desk.submit_at(0, service_s)
    assert desk.starts_s() == [0, 4, 7, 9]


def test_one_who_hung_up_in_the_queue_never_takes_a_slot_and_costs_nothing() -> None:
    desk = Desk(concurrency=1)
    desk.submit_at(0, 10)
    desk.submit_at(1, 100, hang_up_at_s=4.5)
    desk.submit_at(2, 3)
    assert desk.starts_s() == [0, None, 10]  # as if the second had never been there
    gone = desk.attempts[1]
    assert gone.cost_usd == 0.0
    assert gone not in desk.ends_s
    assert desk.env.now == 13


def test_one_who_hung_up_in_service_is_finished_and_billed() -> None:
    desk = Desk(concurrency=1)
    desk.submit_at(0, 10, hang_up_at_s=4)
    desk.submit_at(1, 3)
    assert desk.starts_s() == [0, 10]  # the slot was held to the end
    assert desk.attempts[0].cost_usd == (1000 * 1 + 10 * 10) / 1_000_000


def test_tokens_of_one_who_hung_up_in_service_count_against_the_limit() -> None:
    env = simpy.Environment()
    provider = Provider(
        env, Draws(1), "p", ProviderSettings(limits=Limits(output_tokens_per_min=60))
    )
    attempt = provider.submit(ONE_TOKEN_A_SECOND, "1", Usage(0, 90))
    provider.abandon(attempt)
    env.run()
    assert env.now == 90
    late = provider.submit(ONE_TOKEN_A_SECOND, "2", Usage(0, 1))
    env.run()
    assert late.value is not None
    assert late.value.retry_after_s == 31.0  # 60 - 90 = -30, and one is needed


def test_place_in_the_queue_is_free_as_soon_as_somebody_hangs_up() -> None:
    desk = Desk(concurrency=1, capacity=1)
    desk.submit_at(0, 10)
    desk.submit_at(1, 1, hang_up_at_s=3)
    desk.submit_at(2, 1)  # finds the queue full
    desk.submit_at(4, 1)  # takes the place of the second
    assert desk.starts_s() == [0, None, None, 10]
    assert desk.refusals() == [None, Refusal("overloaded_error"), None]


def test_hanging_up_on_a_refusal_changes_nothing() -> None:
    desk = Desk(concurrency=1, capacity=1)
    desk.submit_at(0, 10)
    desk.submit_at(1, 1)
    desk.submit_at(2, 1, hang_up_at_s=2.01)  # the refusal is still on its way
    desk.submit_at(3, 1)
    assert desk.starts_s() == [0, 10, None, None]


def test_cost_is_absent_when_the_price_is_unknown_but_nothing_before_service() -> None:
    env = simpy.Environment()
    provider = Provider(env, Draws(1), "p", ProviderSettings(concurrency=1))
    unpriced = Served("m", "model m", Latency(ttft_s=Constant(1.0)), None)
    served, waiting = (provider.submit(unpriced, str(n), Usage(10, 10)) for n in range(2))
    assert math.isnan(served.cost_usd)
    assert waiting.cost_usd == 0.0


Visit = tuple[int, int, float | None]

visits = st.lists(
    st.tuples(
        st.integers(0, 3),  # whole seconds since the one before
        st.integers(1, 9),  # seconds of service
        st.none() | st.integers(0, 20).map(lambda n: n + 0.5),  # patience; never at a change
    ),
    min_size=1,
    max_size=40,
)


def starts_by_hand(arrivals: list[Visit], slots: int) -> list[float | None]:
    """When each is started by the first of some servers that is free, in order of arrival (Kiefer and Wolfowitz)."""
    free_s = [0.0] * slots
    starts_s: list[float | None] = []
    for at_s, service_s, hang_up_at_s in arrivals:
        start_s = max(float(at_s), free_s[0])
        if hang_up_at_s is not None and hang_up_at_s < start_s:
            starts_s.append(None)
            continue
        heapq.heapreplace(free_s, start_s + service_s)
        starts_s.append(start_s)
    return starts_s


def in_time(drawn: list[tuple[int, int, float | None]]) -> list[Visit]:
    at_s, placed = 0, []
    for gap_s, service_s, patience_s in drawn:
        at_s += gap_s
        placed.append((at_s, service_s, None if patience_s is None else at_s + patience_s))
    return placed


@settings(derandomize=True, deadline=None, max_examples=examples(200))
@given(visits, st.integers(1, 4))
def test_any_traffic_is_served_as_by_hand(
    drawn: list[tuple[int, int, float | None]], slots: int
) -> None:
    desk, arrivals = Desk(concurrency=slots), in_time(drawn)
    for at_s, service_s, hang_up_at_s in arrivals:
        desk.submit_at(at_s, service_s, hang_up_at_s=hang_up_at_s)
    assert desk.starts_s() == starts_by_hand(arrivals, slots)


@settings(derandomize=True, deadline=None, max_examples=examples(200))
@given(visits, st.integers(1, 4), st.integers(1, 3))
def test_neither_slots_nor_places_are_ever_exceeded(
    drawn: list[tuple[int, int, float | None]], slots: int, capacity: int
) -> None:
    desk, arrivals = Desk(concurrency=slots, capacity=capacity), in_time(drawn)
    for at_s, service_s, hang_up_at_s in arrivals:
        desk.submit_at(at_s, service_s, hang_up_at_s=hang_up_at_s)
    starts_s = desk.starts_s()
    serving: list[tuple[float, int]] = []
    waiting: list[tuple[float, int]] = []
    for attempt, start_s, (at_s, service_s, hang_up_at_s) in zip(
        desk.attempts, starts_s, arrivals, strict=True
    ):
        if attempt.triggered and attempt.value is not None:
            assert attempt.value == Refusal("overloaded_error")
            assert desk.ends_s[attempt] == at_s + 0.05
            continue
        left_s = hang_up_at_s if start_s is None else start_s
        assert left_s is not None, "nobody waits for ever"
        waiting += [(float(at_s), 1), (left_s, -1)] if left_s > at_s else []
        if start_s is not None:
            serving += [(start_s, 1), (start_s + service_s, -1)]
            assert desk.ends_s[attempt] == start_s + service_s
    assert most_at_once(serving) <= slots
    assert most_at_once(waiting) <= capacity


def most_at_once(changes: list[tuple[float, int]]) -> int:
    now, most = 0, 0
    for _, change in sorted(changes):  # at one instant, those who leave do so first
        now += change
        most = max(most, now)
    return most
