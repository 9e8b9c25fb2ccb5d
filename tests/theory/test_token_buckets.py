"""Token buckets against their closed form.

A bucket of capacity and refill r per minute, full at time 0, under demand that it cannot meet, lets through by time t::

    N(t) = r + floor(r t / 60)

(Turner, 1986; Le Boudec and Thiran, "Network Calculus", 1.2: the arrival curve sigma + rho t.) All of it is exact: times
are whole microseconds, and a bucket counts in whole units.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.provider import Limits
from harness.provider.limits import Bucket, Limiter, LimitHit
from harness.run import Simulation
from harness.spans import ATTEMPT
from tests.examples import examples

QUEUE = Path(__file__).parents[2] / "scenarios" / "queue.yaml"
US = 1_000_000

gaps_us = st.integers(min_value=0, max_value=90 * US)
sizes = st.integers(min_value=0, max_value=50_000)
limits_per_min = st.integers(min_value=1, max_value=2_000_000)
PROPERTY = settings(derandomize=True, deadline=None, max_examples=examples(200))


def exact_level(per_min: int, takes: list[tuple[int, int]], until_us: int) -> Fraction:
    """What a bucket holds after taking `tokens` at each time [us], in exact arithmetic."""
    level, at_us = Fraction(per_min), 0
    for time_us, tokens in [*takes, (until_us, 0)]:
        level = min(Fraction(per_min), level + Fraction(per_min * (time_us - at_us), 60 * US))
        level, at_us = level - tokens, time_us
    return level


def test_admissions_by_any_time_are_the_burst_and_the_refill() -> None:
    """60 requests a minute, asked for ten times a second: N(t) = min(10 t + 1, 60 + floor(t)) at each of 1,200 times."""
    limiter = Limiter(Limits(requests_per_min=60))
    admitted = 0
    for number in range(1200):
        admitted += limiter.admit(0, number / 10) is None
        assert admitted == min(number + 1, 60 + number // 10), number


def test_admissions_of_a_whole_run_follow_the_same_form() -> None:
    """The same through the scenario machinery: 600 tasks in a minute, of which 60 + 59 are admitted and none retried."""
    result = Simulation(
        QUEUE,
        overrides=[
            "workload={tasks: 600, arrivals: {every_s: 0.1}}",
            "providers.server={limits: {requests_per_min: 60}}",
            "models.exponential.latency.ttft_s=1",
        ],
    ).run(1)
    served_s = [
        arrival_s
        for kind, arrival_s, status in result.spans.rows("kind", "arrival_s", "status")
        if kind == ATTEMPT and status == "ok"
    ]
    for number in range(600):
        by_then = sum(arrival_s <= number * 0.1 + 1e-9 for arrival_s in served_s)
        assert by_then == min(number + 1, 60 + number // 10), number


def test_wait_of_the_nth_request_of_a_burst_is_its_place_over_the_rate() -> None:
    """Beyond the burst the n-th request would be admitted n 60 / r seconds later; the header carries whole seconds."""
    bucket = Bucket(40)
    bucket.take(40, 0.0)
    for place in (1, 2, 7, 40):
        assert bucket.wait_s(place, 0.0) == place * 60 / 40
    limiter = Limiter(Limits(requests_per_min=40))
    assert [limiter.admit(0, 0.0) for _ in range(40)] == [None] * 40
    assert limiter.admit(0, 0.0) == LimitHit("requests", 40, 2)  # 1.5 s, rounded up


@PROPERTY
@given(limits_per_min, st.lists(st.tuples(gaps_us, sizes), max_size=20))
def test_level_is_the_exact_one_after_any_history(
    per_min: int, history: list[tuple[int, int]]
) -> None:
    bucket, now_us, takes = Bucket(per_min), 0, []
    for gap_us, tokens in history:
        now_us += gap_us
        bucket.take(tokens, now_us / US)
        takes.append((now_us, tokens))
        assert bucket.tokens(now_us / US) == float(exact_level(per_min, takes, now_us))


@PROPERTY
@given(limits_per_min, sizes, st.lists(gaps_us, min_size=1, max_size=50))
def test_refill_in_pieces_is_refill_at_once(per_min: int, debt: int, pieces_us: list[int]) -> None:
    """However often a bucket is looked at, it holds the same in the end; exactly, in integers."""
    once, often, now_us = Bucket(per_min), Bucket(per_min), 0
    for bucket in (once, often):
        bucket.take(per_min + debt, 0.0)
    for piece_us in pieces_us:
        now_us += piece_us
        often.tokens(now_us / US)
    once.tokens(now_us / US)
    assert often._level == once._level


@PROPERTY
@given(limits_per_min, sizes, sizes, gaps_us)
def test_who_waits_as_long_as_asked_is_admitted(
    per_min: int, spent: int, wanted: int, start_us: int
) -> None:
    """The wait is enough, and it is the least whole number of seconds that is."""
    limiter = Limiter(Limits(input_tokens_per_min=per_min))
    limiter.admit(min(spent, per_min), start_us / US)
    hit = limiter.admit(wanted, start_us / US)
    if hit is None:
        return
    assert hit.what == "input tokens"
    assert hit.per_min == per_min
    if hit.retry_after_s > 1:
        early = limiter.admit(wanted, (start_us + (hit.retry_after_s - 1) * US) / US)
        assert early is not None
        assert early.retry_after_s == 1
    assert limiter.admit(wanted, (start_us + hit.retry_after_s * US) / US) is None


def test_request_larger_than_the_bucket_is_admitted_when_the_bucket_is_full() -> None:
    """It leaves a debt of the rest, which refill pays off at the same rate: 2,000 over 1,000 a minute take a minute."""
    limiter = Limiter(Limits(input_tokens_per_min=1000))
    assert limiter.admit(2000, 0.0) is None
    assert limiter.admit(1, 0.0) == LimitHit("input tokens", 1000, 61)  # 60.06 s
    assert limiter.admit(1, 61.0) is None
    assert limiter.admit(2000, 61.0) is not None


def test_each_bucket_refuses_by_itself_and_then_none_is_charged() -> None:
    limits = Limits(requests_per_min=2, input_tokens_per_min=100, output_tokens_per_min=10)
    limiter = Limiter(limits)
    assert limiter.admit(90, 0.0) is None
    assert limiter.admit(20, 0.0) == LimitHit("input tokens", 100, 6)
    assert limiter.admit(10, 0.0) is None  # the refusal took neither a request nor tokens
    assert limiter.admit(0, 0.0) == LimitHit("requests", 2, 30)
    limiter.generated(10, 0.0)
    assert limiter.admit(0, 30.0) is None  # a request and five tokens of output have come back
    assert limiter.admit(0, 30.0) == LimitHit("requests", 2, 30)


def test_output_bucket_goes_into_debt_and_opens_when_it_is_paid_off() -> None:
    """Level 60 - 90 = -30 at time 0; the next is admitted when one token is there: (30 + 1) / 1 per second = 31 s."""
    limiter = Limiter(Limits(output_tokens_per_min=60))
    assert limiter.admit(1_000_000, 0.0) is None  # reading is not limited here
    limiter.generated(90, 0.0)
    assert limiter.admit(0, 0.0) == LimitHit("output tokens", 60, 31)
    assert limiter.admit(0, 30.999999) == LimitHit("output tokens", 60, 1)
    assert limiter.admit(0, 31.0) is None


@PROPERTY
@given(
    st.integers(1, 60),
    st.integers(2000, 5000),
    st.integers(1, 5000),
    st.lists(
        st.tuples(st.integers(0, 20 * US), st.integers(0, 2000), st.integers(0, 2000)), max_size=60
    ),
)
def test_no_bucket_ever_lets_through_more_than_its_curve(
    requests_per_min: int,
    input_per_min: int,
    output_per_min: int,
    demand: list[tuple[int, int, int]],
) -> None:
    """By any time t at most r + r t / 60 of everything; of output, which is charged later, all but the last reply."""
    limiter = Limiter(
        Limits(
            requests_per_min=requests_per_min,
            input_tokens_per_min=input_per_min,
            output_tokens_per_min=output_per_min,
        )
    )
    now_us, requests, tokens_in, tokens_out = 0, 0, 0, 0
    for gap_us, input_tokens, output_tokens in demand:
        now_us += gap_us
        if limiter.admit(input_tokens, now_us / US) is not None:
            continue
        curve = 1 + Fraction(now_us, 60 * US)
        requests += 1
        tokens_in += input_tokens
        assert requests <= requests_per_min * curve
        assert tokens_in <= input_per_min * curve
        assert tokens_out + 1 <= output_per_min * curve
        limiter.generated(output_tokens, now_us / US)
        tokens_out += output_tokens
