"""A model behind a provider: what is said comes from one, when and whether from the other."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from typing import Any

import pytest

from harness.chance import Draws
from harness.chance.distributions import AnyDistribution, Constant, Uniform
from harness.kernel import Kernel, run
from harness.models import (
    Backend,
    Content,
    ModelError,
    PythonStub,
    Reply,
    Request,
    ServedModel,
    ToolCall,
)
from harness.models.meaning import Traits
from harness.provider import Latency, Limits, Outage, Prices, Provider, ProviderSettings, Served
from harness.spans import ATTEMPT, Span, SpanLog
from harness.virtual.aside import Aside

FIVE_SECONDS = Latency(ttft_s=Constant(2.0), itl_s=Constant(0.03))
"""Of a reply of a hundred tokens."""

SAYING = Reply("a reply of 25 characters.", (ToolCall("search", {}),))


class Line:
    """One model at one provider, on a clock of its own."""

    def __init__(
        self,
        content: Content | None = None,
        *,
        seed: int = 1,
        concurrency: int | None = None,
        limits: Limits | None = None,
        outages: tuple[Outage, ...] = (),
        output_tokens: AnyDistribution | None = None,
        accuracy: float | None = None,
    ) -> None:
        self.kernel = Kernel()
        self.log = SpanLog(self.kernel.now_s)
        draws = Draws(seed)
        provider = Provider(
            self.kernel.env,
            draws,
            "p",
            ProviderSettings(concurrency=concurrency, limits=limits, outages=outages),
        )
        prices = Prices(input_usd_per_mtok=3, output_usd_per_mtok=15)
        self.backend = Backend(
            log=self.log,
            aside=Aside(self.kernel),
            draws=draws,
            content=PythonStub(lambda _: SAYING, "saying") if content is None else content,
            provider=provider,
            served=Served("m", "model m", FIVE_SECONDS, prices),
            output_tokens=output_tokens,
            traits=Traits(accuracy=accuracy),
        )
        self.model = ServedModel(self.backend)

    def request(self, *, call: int = 1, output_tokens: int | None = None) -> Request:
        task = self.log.open_task("task", 1)
        span = self.log.open(ATTEMPT, "m", task, "a")
        return Request(
            agent="a",
            model="m",
            prompt="hello",
            input_tokens=1000,
            key=f"1/a/{call}",
            call_in_task=call,
            call_in_run=call,
            span=span,
            attempt=1,
            output_tokens=output_tokens,
        )

    def ask(self, request: Request | None = None) -> Reply:
        reply: Reply = self.run(self.model.reply(request or self.request()))
        return reply

    def run(self, program: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 - what it gives
        return run(self.kernel, program)


def times_s(span: Span) -> tuple[float, float, float]:
    return span.arrival_s, span.start_s, span.first_token_s


def test_reply_comes_when_the_provider_is_done_and_says_what_the_content_says() -> None:
    line = Line(output_tokens=Constant(100))
    request = line.request()
    assert line.ask(request) == SAYING._replace(output_tokens=100)
    assert line.kernel.now_s() == 5.0
    assert times_s(request.span) == (0.0, 0.0, 2.0)
    assert (request.span.input_tokens, request.span.output_tokens) == (1000, 100)
    assert request.span.cost_usd == (1000 * 3 + 100 * 15) / 1e6


def test_slowness_of_the_attempt_multiplies_its_time() -> None:
    line = Line(output_tokens=Constant(100))
    request = line.request()
    request.latency_factor = 3.0
    line.ask(request)
    assert line.kernel.now_s() == 15.0


@pytest.mark.parametrize(
    ("agent_says", "reply_says", "workload_says", "tokens"),
    [
        (Constant(10), 20, 30, 10),
        (None, 20, 30, 20),
        (None, None, 30, 30),
        (None, None, None, 7),  # 25 characters
        (None, None, 0, 0),
        (Constant(0), None, None, 1),  # nobody says nothing
        (Constant(2.6), None, None, 3),
    ],
)
def test_size_of_a_reply_comes_from_who_says_it_first(
    agent_says: AnyDistribution | None,
    reply_says: int | None,
    workload_says: int | None,
    tokens: int,
) -> None:
    saying = SAYING._replace(output_tokens=reply_says)
    line = Line(PythonStub(lambda _: saying, "sized"), output_tokens=agent_says)
    request = line.request(output_tokens=workload_says)
    assert line.ask(request).output_tokens == tokens
    assert request.span.output_tokens == tokens


def test_retry_gets_a_reply_of_the_same_size_but_takes_another_time() -> None:
    line = Line(output_tokens=Uniform(low=1, high=1000))
    request = line.request()
    sizes = []
    for attempt in (1, 2, 3):
        request.attempt = attempt
        sizes.append(line.ask(request).output_tokens)
    assert len(set(sizes)) == 1
    assert line.ask(line.request(call=2)).output_tokens != sizes[0]


@pytest.mark.parametrize(
    ("accuracy", "content_says", "correct"),
    [
        (None, None, None),
        (None, True, True),
        (None, False, False),
        (1.0, False, True),
        (0.0, True, False),
    ],
)
def test_reply_is_right_as_often_as_the_agent_is_accurate(
    accuracy: float | None, content_says: bool | None, correct: bool | None
) -> None:
    saying = Reply("x", correct=content_says)
    assert Line(PythonStub(lambda _: saying, "x"), accuracy=accuracy).ask().correct is correct


def test_mark_of_a_cut_reply_is_kept() -> None:
    assert Line(PythonStub(lambda _: Reply("x", truncated=True), "x")).ask().truncated


def test_accuracy_is_a_share_of_calls_and_the_same_for_every_try_of_one() -> None:
    """A binomial share of 0.8 in 1,000 calls lies within 0.8 +- 0.033, its interval of 99 %; fixed seed."""
    line = Line(accuracy=0.8)

    async def ask_all() -> list[list[bool | None]]:
        outcomes = []
        for call in range(1000):
            request = line.request(call=call)
            outcomes.append([(await line.model.reply(request)).correct for _ in range(2)])
        return outcomes

    outcomes = line.run(ask_all())
    assert all(first is second for first, second in outcomes)
    share = sum(first for first, _ in outcomes) / 1000
    assert abs(share - 0.8) < 2.576 * math.sqrt(0.8 * 0.2 / 1000)


def test_refusal_is_raised_as_the_error_that_the_api_would_send() -> None:
    line = Line(limits=Limits(requests_per_min=1))
    line.ask()
    request = line.request()
    with pytest.raises(ModelError) as raised:
        line.ask(request)
    error = raised.value
    # The first took 2.21 s, so that 57.79 s are left of the minute.
    assert (error.error, error.status, error.retry_after_s) == ("rate_limit_error", 429, 58.0)
    assert "1 requests a minute" in error.message
    assert error.is_retryable
    assert math.isnan(request.span.first_token_s)
    assert request.span.input_tokens == -1
    assert request.span.output_tokens == -1


def test_broken_connection_has_no_status() -> None:
    line = Line(outages=(Outage(at_s=0, for_s=1, error="connection_error"),))
    with pytest.raises(ModelError, match=r"^no answer connection_error$") as raised:
        line.ask()
    assert raised.value.status is None


async def give_up_after(line: Line, request: Request, after_s: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(after_s):
            await line.model.reply(request)


def test_attempt_that_is_given_up_in_the_queue_costs_nothing_and_never_began() -> None:
    line = Line(concurrency=1, output_tokens=Constant(100))
    first, second = line.request(), line.request(call=2)

    async def both() -> None:
        await asyncio.gather(line.model.reply(first), give_up_after(line, second, 1.5))

    line.run(both())
    assert line.kernel.now_s() == 5.0
    assert math.isnan(second.span.start_s)
    assert math.isnan(second.span.first_token_s)
    assert second.span.cost_usd == 0.0
    assert second.span.input_tokens == -1


def test_attempt_that_is_given_up_in_service_is_billed_whole() -> None:
    line = Line(output_tokens=Constant(100))
    request = line.request()
    line.run(give_up_after(line, request, 3.0))
    assert times_s(request.span) == (0.0, 0.0, 2.0)
    assert (request.span.input_tokens, request.span.output_tokens) == (1000, 100)
    assert request.span.cost_usd == (1000 * 3 + 100 * 15) / 1e6


def test_first_token_that_came_after_hanging_up_is_absent() -> None:
    line = Line(output_tokens=Constant(100))
    request = line.request()
    line.run(give_up_after(line, request, 1.0))
    assert request.span.start_s == 0.0
    assert math.isnan(request.span.first_token_s)


def test_attempt_that_is_given_up_keeps_its_slot_until_it_is_done() -> None:
    line = Line(concurrency=1, output_tokens=Constant(100))
    first, second = line.request(), line.request(call=2)

    async def one_after_the_other() -> None:
        await give_up_after(line, first, 1.0)
        await line.model.reply(second)

    line.run(one_after_the_other())
    assert second.span.start_s == 5.0
    assert line.kernel.now_s() == 10.0
