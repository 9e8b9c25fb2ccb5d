"""Retries that a program makes itself: each is a call, linked to the failed one that it repeats."""

# ruff: noqa: ANN401 - the fixture of another file
from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anthropic
import pytest

from harness.metrics import Finding
from harness.sim import ProgramRun, Sim
from harness.sim.persist import keep
from harness.store import Store, aggregates

MODEL = "claude-sonnet-5"


async def ask(client: Any, text: str = "hi", **more: Any) -> Any:
    said: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 100,
        "messages": [{"role": "user", "content": text}],
        **more,
    }
    return await client.messages.create(**said)


def client(retries: int = 0, **more: Any) -> Any:
    return anthropic.AsyncAnthropic(max_retries=retries, **more)


async def stubborn(asking: Callable[[], Any], times: int, wait_s: float) -> Any:
    """A loop that tries again whatever comes, as tenacity does by default."""
    for _ in range(times - 1):
        with suppress(Exception):
            return await asking()
        await asyncio.sleep(wait_s)
    return await asking()


def links(run: ProgramRun) -> list[int | None]:
    """For each call the number of the one that it repeats."""
    return [call.repeats for call in run.calls()]


def kinds(run: ProgramRun) -> set[str]:
    return {finding.kind for finding in run.findings}


def only(run: ProgramRun, kind: str) -> Finding:
    (found,) = (finding for finding in run.findings if finding.kind == kind)
    return found


def test_loop_that_ignores_what_it_is_told_is_found_out(bench: Any) -> None:
    """Thirty tries within two seconds, where the provider asked for thirty seconds."""

    async def program() -> None:
        one = client()
        await stubborn(lambda: ask(one), 30, 0.007)

    bench.sim.fault("status", status=429, retry_after_s=30)
    with pytest.raises(anthropic.RateLimitError):
        bench.sim.run(program)
    run = bench.run
    assert (run.calls(), run.attempts, run.retries) == (30, 30, 29)
    assert links(run) == [None, *range(1, 30)]
    assert {"retry_after_ignored", "retry_storm"} <= kinds(run)
    assert only(run, "retry_storm").message == (
        "30 attempts for 1 call, repetitions by the program included, within 60 s"
    )
    assert only(run, "gave_up").message.startswith("no reply after 30 attempts in 30 calls")


def test_loop_without_a_wait_does_not_back_off(bench: Any) -> None:
    async def program() -> None:
        one = client()
        await stubborn(lambda: ask(one), 3, 0.0)

    bench.sim.fault("overloaded", call=1)
    run = bench.sim.run(program)
    assert only(run, "no_back_off").message == "the program asked again at once after status 529"
    assert run.retries == 1


@pytest.mark.parametrize("text", ["the same", "each its own"])
@pytest.mark.parametrize("by_wait_for", [False, True], ids=["", "wait_for"])
def test_callers_in_lockstep_are_synchronised(bench: Any, text: str, *, by_wait_for: bool) -> None:
    async def program() -> None:
        one = client()

        async def caller(number: int) -> None:
            told = text if text == "the same" else f"{text}: {number}"

            async def once() -> Any:
                return await (
                    asyncio.wait_for(ask(one, told), 60) if by_wait_for else ask(one, told)
                )

            with suppress(anthropic.APIStatusError):
                await stubborn(once, 4, 1.0)

        await asyncio.gather(*(caller(number) for number in range(30)))

    bench.sim.fault("overloaded")
    run = bench.sim.run(program)
    assert only(run, "synchronised_retries").message == (
        "up to 30 calls tried again at the same instant, 3 times"
    )
    assert (run.calls(), run.retries) == (120, 90)
    # Each call but the last of a caller is repeated once; in which order is up to the client's pool.
    assert set(links(run)[30:]) == set(range(1, 91))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_trying_again_what_never_passes_is_found(bench: Any, status: int) -> None:
    async def program() -> None:
        one = client(2)
        await stubborn(lambda: ask(one), 3, 1.0)

    bench.sim.fault("status", status=status)
    with pytest.raises(anthropic.APIStatusError):
        bench.sim.run(program)
    run = bench.run
    assert f"tried again after status {status}" in only(run, "non_retryable_retried").message
    advice = only(run, "gave_up").advice
    assert "More attempts will not help" in advice
    assert "longer time" not in advice


def test_advice_on_a_wrong_key_is_to_set_the_right_one(bench: Any) -> None:
    bench.sim.fault("status", status=401)
    with pytest.raises(anthropic.AuthenticationError):
        bench.sim.run(ask, client())
    assert "API key" in only(bench.run, "gave_up").advice


def test_request_that_the_api_rejects_again_and_again_is_found(bench: Any) -> None:
    async def program() -> None:
        one = client()
        await stubborn(lambda: ask(one, messages=[]), 3, 1.0)

    with pytest.raises(anthropic.BadRequestError):
        bench.sim.run(program)
    found = only(bench.run, "non_retryable_retried")
    assert found.message == (
        "tried again after the API had rejected the request: 400 /v1/messages; and 1 more time"
    )
    assert bench.run.calls() == 0


def test_equal_requests_that_are_rejected_side_by_side_are_no_retries(bench: Any) -> None:
    async def program() -> None:
        one = client()
        asking = (ask(one, messages=[]) for _ in range(3))
        await asyncio.gather(*asking, return_exceptions=True)

    assert "non_retryable_retried" not in kinds(bench.sim.run(program))


def test_retries_of_the_sdk_and_of_the_program_are_counted_together(bench: Any) -> None:
    async def program() -> None:
        one = client(1)
        await stubborn(lambda: ask(one), 3, 1.0)

    bench.sim.fault("status", status=503, until_s=1.65)
    run = bench.sim.run(program)
    assert [len(call.attempts) for call in run.calls()] == [2, 2]
    assert (run.attempts, run.retries, links(run)) == (4, 3, [None, 1])
    assert not {"swallowed_error", "gave_up"} & kinds(run)


async def settings(one: Any) -> None:
    await ask(one, metadata={"user_id": "me"}, max_tokens=99)


async def as_stream(one: Any) -> None:
    async with one.messages.stream(
        model=MODEL, max_tokens=100, messages=[{"role": "user", "content": "hi"}]
    ) as stream:
        await stream.get_final_message()


async def other_client(_: Any) -> None:
    await ask(client(2))


async def own_task(one: Any) -> None:
    await asyncio.create_task(ask(one))


async def with_timeout(one: Any) -> None:
    await asyncio.wait_for(ask(one), 100)


@pytest.mark.parametrize("again", [settings, as_stream, other_client, own_task, with_timeout])
def test_practically_the_same_request_is_a_repetition(bench: Any, again: Any) -> None:
    async def program() -> None:
        one = client()
        with suppress(anthropic.APIStatusError):
            await ask(one)
        await asyncio.sleep(5)
        await again(one)

    bench.sim.fault("overloaded", call=1)
    run = bench.sim.run(program)
    assert (links(run), run.retries) == ([None, 1], 1)


async def other_text(one: Any) -> None:
    await ask(one, "something else")


async def other_model(one: Any) -> None:
    await ask(one, model="claude-haiku-4-5")


async def other_provider(_: Any) -> None:
    await ask(client(base_url="https://llm.example.com"))


@pytest.mark.parametrize("other", [other_text, other_model, other_provider])
def test_other_request_is_no_repetition(bench: Any, other: Any) -> None:
    async def program() -> None:
        one = client()
        with suppress(anthropic.APIStatusError):
            await ask(one)
        await other(one)

    bench.sim.provider("elsewhere", api="anthropic", hosts=["llm.example.com"])
    bench.sim.fault("overloaded", call=1)
    run = bench.sim.run(program)
    assert (links(run), run.retries) == ([None, None], 0)


def test_same_request_after_an_answer_is_no_repetition(bench: Any) -> None:
    async def program() -> None:
        one = client()
        for _ in range(3):
            await ask(one)

    run = bench.sim.run(program)
    assert (links(run), run.retries) == ([None] * 3, 0)


def test_timeout_of_the_program_is_a_failure_that_it_may_repeat(bench: Any) -> None:
    async def program() -> None:
        one = client()
        with suppress(TimeoutError):
            await asyncio.wait_for(ask(one), 1.0)
        await asyncio.wait_for(ask(one), 10)

    run = bench.sim.run(program)
    assert ([call.status for call in run.calls()], links(run)) == (["cancelled", "ok"], [None, 1])


def test_loser_of_a_race_is_not_repeated(bench: Any) -> None:
    """Hedged requests: the first reply counts, the other is cancelled; the next question is no retry."""

    async def hedged(one: Any) -> None:
        tasks = [asyncio.create_task(ask(one)) for _ in range(2)]
        _, late = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in late:
            task.cancel()

    async def program() -> None:
        one = client()
        for _ in range(3):
            await hedged(one)

    bench.sim.fault("latency", factor=3.0, probability=0.5)
    run = bench.sim.run(program)
    assert run.retries == 0


def test_worker_that_takes_over_failed_work_repeats_it(bench: Any) -> None:
    async def program() -> None:
        one = client()
        queue: asyncio.Queue[str] = asyncio.Queue()
        for name in ("a", "b", "c", "d"):
            queue.put_nowait(name)

        async def worker() -> None:
            while not queue.empty():
                job = queue.get_nowait()
                try:
                    await ask(one, job)
                except anthropic.APIStatusError:
                    queue.put_nowait(job)

        await asyncio.gather(worker(), worker())

    bench.sim.fault("overloaded", call=1)
    run = bench.sim.run(program)
    assert run.retries == 1
    (again,) = (call for call in run.calls() if call.repeats is not None)
    assert (again.prompt, again.repeats) == ("a", 1)


def test_calls_of_other_tasks_are_no_repetitions() -> None:
    """Two runs of the user's work that ask the same are strangers."""
    sim = Sim(1)
    sim.fault("overloaded", call=1)

    async def program() -> None:
        one = client()

        async def work() -> None:
            with suppress(anthropic.APIStatusError):
                await ask(one)

        await asyncio.gather(work(), work())

    run = sim.run(program)
    assert (links(run), run.retries) == ([None, None], 0)


def test_store_counts_as_the_run_does(bench: Any, tmp_path: Path) -> None:
    async def program() -> None:
        one = client(1)
        await stubborn(lambda: ask(one), 3, 1.0)

    bench.sim.fault("status", status=503, until_s=1.65)
    run = bench.sim.run(program)
    store = Store(tmp_path / "runs.duckdb")
    run_ids = keep(bench.sim, store.path, "test")
    assert aggregates.totals(store, run_ids)["retries"] == run.retries == 3
