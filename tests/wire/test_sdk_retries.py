"""How often an SDK tries, and when: its waits, what the server advises, and its timeouts."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

from itertools import accumulate
from typing import Any

import anthropic
import openai
import pytest

from harness.provider.service import REFUSAL_S
from tests.wire.sdk_versions import HTTPX, since

MESSAGES: list[Any] = [{"role": "user", "content": "hi"}]


def end_of(*durations_s: float) -> float:
    """When durations end that follow one another, added as a clock adds them."""
    return list(accumulate(durations_s))[-1]


async def claude(**settings: Any) -> str:
    message = await anthropic.AsyncAnthropic(**settings).messages.create(
        model="claude-sonnet-5", max_tokens=100, messages=MESSAGES
    )
    return message.content[0].text  # type: ignore[union-attr]


async def gpt(**settings: Any) -> str | None:
    completion = await openai.AsyncOpenAI(**settings).chat.completions.create(
        model="gpt-5.5", messages=MESSAGES
    )
    return completion.choices[0].message.content


BOTH = pytest.mark.parametrize("program", [claude, gpt], ids=["anthropic", "openai"])


@BOTH
def test_wait_that_the_server_asks_for_is_kept_to_the_second(bench: Any, program: Any) -> None:
    bench.sim.fault("status", status=429, retry_after_s=37, attempt=1)
    bench.sim.fault("status", status=429, retry_after_s=37, attempt=2)
    run = bench.sim.run(program)
    assert run.latency_s == end_of(REFUSAL_S, 37, REFUSAL_S, 37, 2.0)
    assert bench.attempts == [
        ("error", "rate_limit_error", 0.0, REFUSAL_S),
        ("error", "rate_limit_error", 37.05, end_of(REFUSAL_S, 37, REFUSAL_S)),
        ("ok", "", end_of(REFUSAL_S, 37, REFUSAL_S, 37), run.latency_s),
    ]
    assert (run.output, run.rate_limited, run.retries) == (bench.reply, 2, 2)
    assert [span.retry_after_s for span in run.calls()[0].attempts[:2]] == [37.0, 37.0]


@since("openai", 2, "waits a minute at most")
def test_openai_does_not_wait_longer_than_two_minutes(bench: Any) -> None:
    bench.sim.fault("status", status=429, retry_after_s=121)
    assert bench.failure(gpt) == (
        "openai.RateLimitError",
        429,
        "requests",
        None,
        1,
        REFUSAL_S,
    )


@since("openai", 2, "waits a minute at most")
def test_openai_waits_two_minutes(bench: Any) -> None:
    bench.sim.fault("status", status=429, retry_after_s=119, attempt=1)
    assert bench.sim.run(gpt).latency_s == end_of(REFUSAL_S, 119, 2.0)


@since("anthropic", 1, "waits a minute at most")
def test_anthropic_waits_as_long_as_it_is_told(bench: Any) -> None:
    bench.sim.fault("status", status=429, retry_after_s=3600, attempt=1)
    assert bench.sim.run(claude).latency_s == end_of(REFUSAL_S, 3600, 2.0)


@BOTH
def test_client_gives_up_after_two_retries(bench: Any, program: Any) -> None:
    bench.sim.fault("status", status=429, retry_after_s=10)
    failed = bench.failure(program)
    assert failed.status == 429
    assert failed.attempts == 3
    assert failed.end_s == end_of(REFUSAL_S, 10, REFUSAL_S, 10, REFUSAL_S)


@BOTH
@pytest.mark.parametrize(
    ("retries", "waits_s"),
    [(0, []), (1, [0.5]), (6, [0.5, 1, 2, 4, 8, 8])],
)
def test_waits_double_up_to_eight_seconds(
    bench: Any, program: Any, retries: int, waits_s: list[float]
) -> None:
    async def patient() -> None:
        await program(max_retries=retries)

    bench.sim.fault("overloaded")
    failed = bench.failure(patient)
    durations_s = [REFUSAL_S]
    for wait_s in waits_s:
        durations_s += [wait_s, REFUSAL_S]
    assert failed.attempts == retries + 1
    assert failed.end_s == pytest.approx(end_of(*durations_s), abs=1e-9)


def test_jitter_follows_from_the_seed_and_shortens_waits(sim: Any) -> None:
    """Without the fixture `bench`, which takes it away."""
    sim.fault("overloaded", attempt=1)

    def wait_s(seed: int) -> float:
        first, second = sim.run(claude, seed=seed).calls()[0].attempts
        waited_s: float = second.arrival_s - first.end_s
        return waited_s

    waits_s = [wait_s(seed) for seed in range(1, 6)]
    assert len(set(waits_s)) == 5
    assert all(0.375 <= waited_s <= 0.5 for waited_s in waits_s)
    assert [wait_s(seed) for seed in range(1, 6)] == waits_s


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
    ],
)
@pytest.mark.parametrize("sdk", [anthropic, openai], ids=["anthropic", "openai"])
def test_wrong_requests_are_not_tried_again(bench: Any, sdk: Any, status: int, error: str) -> None:
    bench.sim.fault("status", status=status)
    failed = bench.failure(claude if sdk is anthropic else gpt)
    assert (failed.error, failed.status) == (f"{sdk.__name__}.{error}", status)
    assert (failed.attempts, failed.end_s) == (1, REFUSAL_S)


@BOTH
@pytest.mark.parametrize("status", [429, 500, 503, 504, 529])
def test_errors_that_may_pass_are_tried_again(bench: Any, program: Any, status: int) -> None:
    bench.sim.fault("status", status=status, attempt=1)
    run = bench.sim.run(program)
    assert (run.output, run.attempts, run.latency_s) == (
        bench.reply,
        2,
        end_of(REFUSAL_S, 0.5, 2.0),
    )


@pytest.mark.parametrize(("status", "advice"), [(400, "false"), (429, "true"), (529, "true")])
def test_anthropic_says_whether_to_try_again(bench: Any, status: int, advice: str) -> None:
    bench.sim.fault("status", status=status)
    bench.failure(claude)
    assert bench.run.error.response.headers["x-should-retry"] == advice


@pytest.mark.parametrize(
    ("status", "advice", "attempts"), [(400, "true", 3), (529, "false", 1), (529, "true", 3)]
)
def test_advice_of_the_server_is_stronger_than_the_status(
    bench: Any, status: int, advice: str, attempts: int
) -> None:
    async def program() -> None:
        async def advise(response: Any) -> None:
            response.headers["x-should-retry"] = advice

        http = anthropic.DefaultAsyncHttpxClient(event_hooks={"response": [advise]})
        await claude(http_client=http)

    bench.sim.fault("status", status=status)
    failed = bench.failure(program)
    assert (failed.status, failed.attempts) == (status, attempts)


# -- timeouts ---------------------------------------------------------------------------------------------------------


@BOTH
def test_hung_server_meets_the_read_timeout_of_ten_minutes_and_is_tried_again(
    bench: Any, program: Any
) -> None:
    bench.sim.fault("hang", attempt=1)
    run = bench.sim.run(program)
    assert run.output == bench.reply
    assert run.latency_s == end_of(600, 0.5, 2.0)


@pytest.mark.parametrize("sdk", [anthropic, openai], ids=["anthropic", "openai"])
def test_server_that_hangs_for_ever_is_a_timeout_of_the_sdk(bench: Any, sdk: Any) -> None:
    bench.sim.fault("hang")
    failed = bench.failure(claude if sdk is anthropic else gpt)
    assert failed == (
        f"{sdk.__name__}.APITimeoutError",
        None,
        None,
        f"{HTTPX}.ReadTimeout",
        3,
        end_of(600, 0.5, 600, 1.0, 600),
    )
    assert bench.run.cost_usd == 0


def test_hang_that_ends_in_time_only_delays(bench: Any) -> None:
    bench.sim.fault("hang", for_s=100)
    run = bench.sim.run(claude)
    assert (run.output, run.attempts, run.latency_s) == (bench.reply, 1, 102.0)


@BOTH
def test_timeout_of_the_program_counts_until_the_first_byte(bench: Any, program: Any) -> None:
    async def impatient() -> None:
        await program(timeout=1.5, max_retries=1)

    failed = bench.failure(impatient)
    assert failed.cause == f"{HTTPX}.ReadTimeout"
    assert failed.end_s == end_of(1.5, 0.5, 1.5)
    assert bench.attempts == [("cancelled", "", 0.0, 1.5), ("cancelled", "", 2.0, 3.5)]


def test_attempts_that_were_cut_off_are_billed_if_service_had_begun(bench: Any) -> None:
    async def impatient() -> None:
        await claude(timeout=1.5, max_retries=0)

    bench.failure(impatient)
    cut_off_usd = bench.run.cost_usd
    assert cut_off_usd == bench.sim.run(claude).cost_usd
    assert cut_off_usd > 0


# -- limits of the provider -------------------------------------------------------------------------------------------


@BOTH
def test_rate_limit_of_the_provider_is_waited_for_by_the_sdk(bench: Any, program: Any) -> None:
    """Two a minute: the third call comes too early by 26 s (30 s a request, 4 s gone by), and is told so."""
    bench.sim.provider("anthropic", requests_per_min=2)
    bench.sim.provider("openai", requests_per_min=2)

    async def three() -> None:
        for _ in range(3):
            await program()

    run = bench.sim.run(three)
    assert run.rate_limited == 1
    assert run.calls()[2].attempts[0].retry_after_s == 26.0
    assert run.latency_s == end_of(2.0, 2.0, REFUSAL_S, 26, 2.0)


def test_outage_is_ridden_out_by_retries(bench: Any) -> None:
    bench.sim.provider("anthropic", outages=[{"at_s": 0, "for_s": 1}])
    run = bench.sim.run(claude)
    assert run.latency_s == end_of(REFUSAL_S, 0.5, REFUSAL_S, 1.0, 2.0)
    assert [error for _, error, *_ in bench.attempts[:2]] == ["api_error"] * 2


@BOTH
@pytest.mark.parametrize("status", [402, 408, 409, 422])
def test_statuses_that_vendors_and_gateways_answer_with(
    bench: Any, program: Any, status: int
) -> None:
    bench.sim.fault("status", status=status)
    _, seen, *_ = bench.failure(program)
    assert seen == status
    assert bench.sim.last_run.attempts == (3 if status in {408, 409} else 1)
