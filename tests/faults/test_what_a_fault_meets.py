"""Which attempts a fault meets, and what becomes of them; one model under a plan, without a scenario around it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import Any

import pytest

from harness.chance import Draws
from harness.chance.distributions import Constant
from harness.faults import FAULT_NAMES, FAULTS, Fault, FaultPlan, InjectedFault
from harness.faults import plan as plan_of
from harness.faults.connection import ConnectionFailure
from harness.faults.cost import CostSpike
from harness.faults.hang import Hang
from harness.faults.latency import LatencyFactor
from harness.faults.reply import Malformed, Truncated
from harness.faults.slow_start import SlowFirstToken
from harness.faults.stated import StatedDuration, StatedEnd
from harness.faults.status import Overloaded, StatusError
from harness.kernel import Kernel, run
from harness.models import Backend, ModelError, Reply, Request, ServedModel, ToolCall, content_of
from harness.models.verdict import without_wire
from harness.provider import Latency, Provider, Served
from harness.provider.service import Attempt
from harness.spans import ATTEMPT, SpanLog
from harness.virtual.aside import Aside

SAYING = Reply("twelve chars", (ToolCall("search", {}),), 3, correct=True)


class _Listening(Provider):
    """A provider that remembers what was submitted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the provider's
        super().__init__(*args, **kwargs)
        self.attempts: list[Attempt] = []

    def submit(self, *args: Any, **kwargs: Any) -> Attempt:  # noqa: ANN401 - likewise
        self.attempts.append(super().submit(*args, **kwargs))
        return self.attempts[-1]


class Bench:
    """A model that takes a second, under a plan of faults."""

    def __init__(self, *plan: Fault, seed: int = 1) -> None:
        self.kernel = Kernel()
        self.log = SpanLog(self.kernel.now_s)
        self.plan = FaultPlan(
            plan_of(plan, FAULT_NAMES), Draws(seed), self.kernel.now_s, FAULT_NAMES
        )
        second = Latency(ttft_s=Constant(1.0), itl_s=Constant(0.0))
        self.provider = _Listening(self.kernel.env, Draws(seed), "p")
        backend = Backend(
            log=self.log,
            aside=Aside(self.kernel),
            draws=Draws(seed),
            content=content_of("a", SAYING),
            provider=self.provider,
            served=Served("m", "model m", second, None),
            judge=without_wire(self.plan.judge),
        )
        self.model = ServedModel(backend)

    @property
    def seen(self) -> list[tuple[float, float]]:
        """When each attempt reached the provider, and how slow it is to be."""
        return [(attempt.arrival_s, attempt.latency_factor) for attempt in self.provider.attempts]

    def request(
        self, *, agent: str = "a", model: str = "m", call: int = 1, attempt: int = 1
    ) -> Request:
        span = self.log.open(ATTEMPT, model, self.log.open_task("task", 1), agent)
        return Request(
            agent, model, "hi", 1, f"1/{agent}/{call}", call, call, span, attempt=attempt
        )

    def ask(self, request: Request | None = None) -> Reply:
        return run(self.kernel, self.model.reply(request or self.request()))

    def fault_of(self, request: Request) -> str:
        """The name of the fault that a request meets; `""` for none."""
        with contextlib.suppress(ModelError):
            self.ask(request)
        return request.span.fault


def test_without_bad_luck_the_model_answers() -> None:
    bench = Bench(Overloaded(agent="somebody else"))
    request = bench.request()
    assert bench.ask(request) == SAYING
    assert request.span.fault == ""
    assert bench.plan.met == set()
    assert len(bench.log.events) == 0


@pytest.mark.parametrize(
    ("fault", "meets"),
    [
        (Overloaded(), [1, 2, 3, 4, 5]),
        (Overloaded(agent="a"), [1, 2, 3]),
        (Overloaded(agent="b"), [4, 5]),
        (Overloaded(model="large"), [3, 5]),
        (Overloaded(agent="b", model="large"), [5]),
        (Overloaded(call=2), [2]),
        (Overloaded(attempt=1), [1, 3, 5]),
        (Overloaded(attempt=2), [2, 4]),
        (Overloaded(call=2, attempt=1), []),
        (Overloaded(probability=0.0), []),
    ],
    ids=repr,
)
def test_all_that_a_fault_says_must_hold(fault: Fault, meets: list[int]) -> None:
    bench = Bench(fault)
    requests = {
        1: bench.request(agent="a", model="small", call=1, attempt=1),
        2: bench.request(agent="a", model="small", call=2, attempt=2),
        3: bench.request(agent="a", model="large", call=3, attempt=1),
        4: bench.request(agent="b", model="small", call=1, attempt=2),
        5: bench.request(agent="b", model="large", call=4, attempt=1),
    }
    assert [n for n, request in requests.items() if bench.fault_of(request)] == meets


@pytest.mark.parametrize(
    ("at_s", "is_met"), [(0.0, False), (9.999999, False), (10.0, True), (19.0, True), (20.0, False)]
)
def test_window_of_time_includes_its_beginning_and_not_its_end(at_s: float, is_met: bool) -> None:
    bench = Bench(Hang(from_s=10.0, until_s=20.0, for_s=1.0))

    async def ask_later() -> None:
        await asyncio.sleep(at_s)
        await bench.model.reply(bench.request())

    run(bench.kernel, ask_later())
    assert bool(bench.plan.met) is is_met


def test_window_that_ends_before_it_begins_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^until_s \(5\) is not after from_s \(5\)$"):
        Overloaded(from_s=5.0, until_s=5.0)


def test_probability_is_the_share_of_attempts_that_are_met() -> None:
    """A binomial share of 0.3 in 2,000 attempts lies within its interval of 99 %; fixed seed."""
    bench = Bench(Overloaded(probability=0.3))
    requests = [bench.request(call=call) for call in range(1, 2001)]
    met = sum(bench.fault_of(request) == "overloaded" for request in requests)
    assert abs(met / 2000 - 0.3) < 2.576 * math.sqrt(0.3 * 0.7 / 2000)


def test_chance_is_drawn_for_each_attempt_and_each_fault_by_itself() -> None:
    coin = Overloaded(probability=0.5)
    met = [
        [bool(bench.fault_of(bench.request(call=call, attempt=attempt))) for call in range(200)]
        for bench, attempt in (
            (Bench(coin), 1),
            (Bench(coin), 1),
            (Bench(coin), 2),
            (Bench(Hang(probability=0.0), coin), 1),
            (Bench(coin, coin), 1),
            (Bench(coin, seed=2), 1),
        )
    ]
    assert met[0] == met[1]
    assert met[0] != met[2]  # another attempt
    assert met[0] == met[3]  # one fault more changes no draw of another
    assert met[0] != met[5]
    assert abs(sum(met[4]) / 200 - 0.75) < 2.576 * math.sqrt(0.75 * 0.25 / 200)  # two coins


def test_first_fault_that_meets_an_attempt_decides() -> None:
    bench = Bench(Overloaded(agent="b"), ConnectionFailure(), Overloaded())
    assert bench.fault_of(bench.request()) == "connection_error"
    assert bench.fault_of(bench.request(agent="b")) == "overloaded"
    assert bench.plan.met == {1, 2}  # the third never has a chance


def test_fault_leaves_its_name_in_the_span_and_an_event() -> None:
    bench = Bench(Overloaded())
    request = bench.request()
    bench.fault_of(request)
    assert request.span.fault == "overloaded"
    rows = list(bench.log.events.rows("at_s", "span_id", "agent", "name", "detail"))
    assert rows == [(0.0, request.span.span_id, "a", "fault", "overloaded")]


def test_slow_attempt_takes_so_many_times_as_long() -> None:
    bench = Bench(LatencyFactor(factor=7.0))
    assert bench.ask() == SAYING
    assert bench.seen == [(0.0, 7.0)]


def test_hang_is_silence_and_then_an_answer() -> None:
    bench = Bench(Hang(for_s=120.0))
    assert bench.ask() == SAYING
    assert bench.seen == [(120.0, 1.0)]
    assert bench.kernel.now_s() == 121.0


def test_hang_without_an_end_lasts_until_the_client_gives_up() -> None:
    bench = Bench(Hang())

    async def give_up() -> None:
        async with asyncio.timeout(600.0):
            await bench.model.reply(bench.request())

    with pytest.raises(TimeoutError):
        run(bench.kernel, give_up())
    assert bench.kernel.now_s() == 600.0
    assert bench.seen == []


@pytest.mark.parametrize(
    ("fault", "error", "status", "retry_after_s"),
    [
        (Overloaded(), "overloaded_error", 529, None),
        (ConnectionFailure(), "connection_error", None, None),
        (StatusError(status=400), "invalid_request_error", 400, None),
        (StatusError(status=401), "authentication_error", 401, None),
        (StatusError(status=403), "permission_error", 403, None),
        (StatusError(status=404), "not_found_error", 404, None),
        (StatusError(status=413), "request_too_large", 413, None),
        (StatusError(status=429), "rate_limit_error", 429, None),
        (StatusError(status=429, retry_after_s=4.0), "rate_limit_error", 429, 4.0),
        (StatusError(status=500), "api_error", 500, None),
        (StatusError(status=503), "api_error", 503, None),
        (StatusError(status=504), "timeout_error", 504, None),
        (StatusError(status=529), "overloaded_error", 529, None),
    ],
    ids=repr,
)
def test_refusal_comes_after_a_round_trip_without_reaching_the_model(
    fault: Fault, error: str, status: int | None, retry_after_s: float | None
) -> None:
    bench = Bench(fault)
    with pytest.raises(ModelError) as raised:
        bench.ask()
    assert raised.value.args[:2] == (error, status)
    assert raised.value.retry_after_s == retry_after_s
    assert bench.kernel.now_s() == 0.05
    assert bench.seen == []


def test_malformed_reply_took_its_time_and_is_not_worth_another_try() -> None:
    bench = Bench(Malformed())
    with pytest.raises(
        ModelError, match=r"^200 malformed_reply: the reply is not valid JSON"
    ) as raised:
        bench.ask()
    assert not raised.value.is_retryable
    assert bench.kernel.now_s() == 1.0


@pytest.mark.parametrize(
    ("keep", "text"), [(0.5, "twelve"), (0.0, ""), (1.0, "twelve chars"), (0.34, "twel")]
)
def test_truncated_reply_is_cut_marked_and_wrong(keep: float, text: str) -> None:
    bench = Bench(Truncated(keep=keep))
    assert bench.ask() == Reply(text, (), int(3 * keep), truncated=True, correct=False)


def test_truncated_reply_is_not_called_wrong_when_nobody_asks() -> None:
    reply = Truncated().verdict().change(Reply("twelve chars", output_tokens=4))
    assert reply == Reply("twelve", output_tokens=2, truncated=True, correct=None)


def test_every_fault_has_a_name_and_says_what_becomes_of_an_attempt() -> None:
    needed: dict[type[InjectedFault], dict[str, Any]] = {
        LatencyFactor: {"factor": 2.0},
        StatusError: {"status": 500},
        StatedDuration: {"for_s": 2.0},
        StatedEnd: {"at_s": 2.0},
        SlowFirstToken: {"by_s": 2.0},
        CostSpike: {"factor": 2.0},
        FAULTS["misrouting"]: {"to": "b"},
    }
    for name, kind in FAULTS.items():
        if issubclass(kind, Fault):
            assert kind(**needed.get(kind, {})).verdict() is not None, name
    with pytest.raises(NotImplementedError):
        Fault().verdict()
