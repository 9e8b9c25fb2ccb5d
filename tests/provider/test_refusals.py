"""What a provider that does not serve answers: word for word what the API would say, and when it says it.

Statuses, error types and messages: https://docs.claude.com/en/api/errors; the wait in whole seconds:
https://docs.claude.com/en/api/rate-limits.
"""

from __future__ import annotations

import pytest
import simpy

from harness.chance import Draws
from harness.chance.distributions import Constant
from harness.models.refused import RefusedError
from harness.provider import (
    Latency,
    Limits,
    Outage,
    Overload,
    Provider,
    ProviderSettings,
    Queue,
    Refusal,
    Served,
)
from harness.provider.overload import RefusalKind
from harness.provider.service import Attempt
from harness.units import Usage

TEN_SECONDS = Latency(ttft_s=Constant(10.0))
SONNET = Served("claude-sonnet-4-6", "model sonnet", TEN_SECONDS, None)


class Line:
    """A line to one provider."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        concurrency: int | None = None,
        queue: Queue | None = None,
        overload: Overload | None = None,
        outages: tuple[Outage, ...] = (),
    ) -> None:
        self.env = simpy.Environment()
        self.provider = Provider(
            self.env,
            Draws(1),
            "p",
            ProviderSettings(
                limits=limits,
                concurrency=concurrency,
                queue=queue,
                overload=overload,
                outages=outages,
            ),
        )
        self._sent = 0

    def send(
        self, at_s: float = 0.0, *, tokens: tuple[int, int] = (10, 10), model: Served = SONNET
    ) -> Attempt:
        if at_s > self.env.now:
            self.env.run(until=at_s)
        self._sent += 1
        return self.provider.submit(model, f"1/a/{self._sent}/1", Usage(*tokens))

    def answer(
        self, at_s: float = 0.0, *, tokens: tuple[int, int] = (10, 10), model: Served = SONNET
    ) -> Refusal | None:
        """What came back; None for a reply. Takes no time on the line's clock."""
        value: Refusal | None = self.send(at_s, tokens=tokens, model=model)._value
        return value


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("api_error", 500),
        ("timeout_error", 504),
        ("overloaded_error", 529),
        ("connection_error", None),
    ],
)
def test_outage_answers_with_its_error(error: RefusalKind, status: int | None) -> None:
    answer = Line(outages=(Outage(at_s=0, for_s=1, error=error),)).answer()
    assert answer == Refusal(error)
    assert answer.is_silent == (status is None)
    raised = RefusedError(answer)
    assert (raised.error, raised.status) == (error, status)


def test_outage_without_an_error_is_an_internal_one() -> None:
    assert Line(outages=(Outage(at_s=0, for_s=1),)).answer() == Refusal("api_error")


def test_refusal_takes_a_round_trip_and_nothing_else() -> None:
    line = Line(outages=(Outage(at_s=0, for_s=1),), concurrency=1)
    attempt = line.send()
    assert line.env.run(attempt) == Refusal("api_error")
    assert line.env.now == 0.05
    assert attempt.cost_usd == 0.0
    assert line.send(2.0).start_s == 2.0  # the slot was never taken


@pytest.mark.parametrize(
    ("at_s", "is_out"),
    [(29.999999, False), (30.0, True), (45.0, True), (59.999999, True), (60.0, False)],
)
def test_outage_begins_on_its_second_and_is_over_on_its_last(at_s: float, is_out: bool) -> None:
    line = Line(outages=(Outage(at_s=30, for_s=30),))
    assert (line.answer(at_s) is not None) is is_out


def test_what_is_in_service_or_waits_when_an_outage_begins_is_finished() -> None:
    line = Line(outages=(Outage(at_s=5, for_s=100),), concurrency=1)
    served, waiting, late = line.send(0.0), line.send(1.0), line.send(6.0)
    line.env.run(until=30.0)
    assert (served.start_s, waiting.start_s) == (0.0, 10.0)
    assert (served.value, waiting.value) == (None, None)
    assert late.value == Refusal("api_error")


def test_second_outage_answers_when_the_first_is_over() -> None:
    line = Line(outages=(Outage(at_s=0, for_s=10), Outage(at_s=5, for_s=10, error="timeout_error")))
    answers = [line.answer(at_s) for at_s in (0.0, 7.0, 12.0, 15.0)]
    errors = [None if answer is None else answer.kind for answer in answers]
    assert errors == ["api_error", "api_error", "timeout_error", None]


def test_full_queue_is_overload() -> None:
    line = Line(concurrency=2, queue=Queue(capacity=3))
    answers = [line.answer() for _ in range(7)]
    # `_value` of those in the queue is not known yet, and neither None nor a refusal.
    assert answers[:2] == [None, None]
    assert not any(isinstance(answer, Refusal) for answer in answers[2:5])
    assert answers[5:] == [Refusal("overloaded_error")] * 2


def test_overloaded_spell_refuses_all_when_it_is_told_to() -> None:
    weather = Overload(calm_s=Constant(10), overloaded_s=Constant(5), refuse=1.0)
    line = Line(overload=weather)
    times_s = [0.0, 9.999999, 10.0, 14.999999, 15.0, 24.0, 25.0, 29.0, 30.0]
    answers = [line.answer(at_s) for at_s in times_s]
    overloaded = Refusal("overloaded_error")
    assert answers == [
        None, None, overloaded, overloaded, None, None, overloaded, overloaded, None,
    ]  # fmt: skip


def test_overloaded_spell_refuses_none_when_it_is_told_to() -> None:
    weather = Overload(calm_s=Constant(10), overloaded_s=Constant(5), refuse=0.0)
    assert Line(overload=weather).answer(12.0) is None


def test_spell_of_no_length_lets_time_go_on() -> None:
    """It lasts a microsecond, or the weather would change for ever at one instant."""
    weather = Overload(calm_s=Constant(0), overloaded_s=Constant(5), refuse=1.0)
    line = Line(overload=weather)
    answers = [line.answer(at_s) for at_s in (0.0, 0.000001, 5.0, 5.000001, 5.000002)]
    overloaded = Refusal("overloaded_error")
    assert answers == [None, overloaded, overloaded, None, overloaded]


def test_weather_that_changes_all_the_time_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"must last a millisecond on average$"):
        Overload(calm_s=Constant(0.0005), overloaded_s=Constant(0.0004), refuse=1.0)


@pytest.mark.parametrize(
    ("limits", "spent", "wanted", "what", "retry_after_s"),
    [
        (Limits(requests_per_min=1), (0, 0), (0, 0), "1 requests", 60.0),
        (Limits(input_tokens_per_min=30000), (30000, 0), (450, 0), "30,000 input tokens", 1.0),
        (Limits(input_tokens_per_min=30000), (30000, 0), (501, 0), "30,000 input tokens", 2.0),
        (Limits(input_tokens_per_min=1000), (900, 0), (5000, 0), "1,000 input tokens", 54.0),
        (Limits(output_tokens_per_min=8000), (0, 8000), (0, 1), "8,000 output tokens", 1.0),
        (Limits(output_tokens_per_min=60), (0, 119), (0, 1), "60 output tokens", 60.0),
    ],
)
def test_limit_answers_429_with_its_name_and_a_wait_in_whole_seconds(
    limits: Limits,
    spent: tuple[int, int],
    wanted: tuple[int, int],
    what: str,
    retry_after_s: float,
) -> None:
    line = Line(limits=limits)
    at_once = Served("claude-sonnet-4-6", "pool", Latency(ttft_s=Constant(0.0)), None)
    line.send(tokens=spent, model=at_once)
    line.env.run(until=0.000001)  # so that what was generated is charged
    answer = line.answer(tokens=wanted, model=at_once)
    assert answer is not None
    assert answer.limit is not None
    assert f"{answer.limit.per_min:,} {answer.limit.what}" == what
    assert answer._replace(limit=None) == Refusal(
        "rate_limit_error", "claude-sonnet-4-6", retry_after_s=retry_after_s
    )
    error = RefusedError(answer)
    assert (error.error, error.status, error.retry_after_s) == (
        "rate_limit_error",
        429,
        retry_after_s,
    )
    assert what in str(error)


def test_models_of_one_pool_share_limits_and_others_do_not() -> None:
    line = Line(limits=Limits(requests_per_min=2))
    opus_5, opus_6 = (Served(name, "pool opus", TEN_SECONDS, None) for name in ("5", "6"))
    haiku = Served("haiku", "model haiku", TEN_SECONDS, None)
    answers = [line.answer(model=model) for model in (opus_5, opus_6, opus_5, haiku, haiku, haiku)]
    limited = [None if answer is None else answer.model for answer in answers]
    assert limited == [None, None, "5", None, None, "haiku"]


def test_output_counts_when_it_has_been_generated_and_not_before() -> None:
    line = Line(limits=Limits(output_tokens_per_min=60))
    assert line.answer(0.0, tokens=(0, 1000)) is None
    assert (
        line.answer(9.0, tokens=(0, 1000)) is None
    )  # the first takes 10 s, and is not charged yet
    late = line.answer(11.0, tokens=(0, 1000))
    assert late is not None
    assert late.retry_after_s == 1001 - 60 - 1  # charged at 10 s, a second's refill since


def test_those_who_are_refused_for_another_reason_are_not_charged() -> None:
    limits = Limits(requests_per_min=1)
    line = Line(
        limits=limits, concurrency=1, queue=Queue(capacity=1), outages=(Outage(at_s=0, for_s=1),)
    )
    for _ in range(5):
        assert line.answer(0.0) == Refusal("api_error")
    assert line.answer(1.0) is None


def test_limits_come_after_the_queue_so_that_overload_hides_them() -> None:
    line = Line(limits=Limits(requests_per_min=2), concurrency=1, queue=Queue(capacity=1))
    line.send()
    line.send()
    assert line.answer() == Refusal("overloaded_error")
