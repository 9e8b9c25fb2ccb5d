"""Batches are calls: of agents, with tokens, at half the price, in a time of their own; faults meet them."""

# ruff: noqa: ANN401, TID251 - the SDKs' objects, and programs that sleep
from __future__ import annotations

import asyncio
import io
import json
import time
from typing import Any

import anthropic
import openai
import pytest

from harness import HarnessError, ToolCall
from harness.provider import prices_of
from harness.sim import ProgramRun, Sim
from harness.units import Usage

HI: list[Any] = [{"role": "user", "content": "hi"}]
NAMES = [f"q{number}" for number in range(8)]


async def anthropic_batch(
    names: list[str] = NAMES, *, give_up_s: float = 2 * 86_400, **more: Any
) -> dict[str, Any]:
    """Results by id, in the order in which they come."""
    batches = anthropic.AsyncAnthropic(api_key="k").messages.batches
    params = {
        "model": "claude-sonnet-4-6",
        "max_tokens": 100,
        "system": "Classify.",
        "messages": HI,
        **more,
    }
    batch = await batches.create(
        requests=[{"custom_id": name, "params": params} for name in names]  # type: ignore[typeddict-item]
    )
    while batch.processing_status != "ended":
        await asyncio.sleep(min(600, give_up_s))
        batch = await batches.retrieve(batch.id)
        if give_up_s < 600 and batch.cancel_initiated_at is None:
            batch = await batches.cancel(batch.id)
    assert batch.request_counts.processing == 0
    return {line.custom_id: line.result async for line in await batches.results(batch.id)}


async def openai_batch(
    names: list[str] = NAMES,
    *,
    endpoint: Any = "/v1/chat/completions",
    give_up_s: float = 2 * 86_400,
    **more: Any,
) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The batch, and the lines of its two files by id, in the order in which they come."""
    client = openai.AsyncOpenAI(api_key="k")
    bodies: dict[str, Any] = {
        "/v1/chat/completions": {"messages": [{"role": "system", "content": "Classify."}, *HI]},
        "/v1/responses": {"instructions": "Classify.", "input": "hi"},
        "/v1/embeddings": {"input": "hi"},
    }
    body = {"model": "gpt-4o", **bodies[endpoint], **more}
    lines = [
        json.dumps({"custom_id": name, "method": "POST", "url": endpoint, "body": body})
        for name in names
    ]
    file = await client.files.create(
        file=("in.jsonl", io.BytesIO("\n".join(lines).encode())), purpose="batch"
    )
    batch = await client.batches.create(
        input_file_id=file.id, endpoint=endpoint, completion_window="24h"
    )
    assert batch.status == "validating"
    while batch.status in ("validating", "in_progress", "finalizing", "cancelling"):
        await asyncio.sleep(min(600, give_up_s))
        batch = await client.batches.retrieve(batch.id)
        if give_up_s < 600 and batch.status == "in_progress":
            batch = await client.batches.cancel(batch.id)
    return batch, await lines_of(client, batch.output_file_id), await lines_of(client, batch.error_file_id)  # fmt: skip


async def lines_of(client: openai.AsyncOpenAI, file_id: str | None) -> dict[str, Any]:
    if file_id is None:
        return {}
    text = (await client.files.content(file_id)).text
    return {line["custom_id"]: line for line in map(json.loads, text.splitlines())}


def classifier(**more: Any) -> Sim:
    sim = Sim()
    sim.agent("classifier", system="Classify.", reply="spam", **more)
    return sim


def half_the_price(run: ProgramRun, model: str, provider: str) -> float:
    prices = prices_of(model, provider)
    assert prices is not None
    calls = run.calls("classifier")
    return sum(
        prices.cost_usd(Usage(attempt.input_tokens, attempt.output_tokens)) / 2
        for call in calls
        for attempt in call.attempts
    )


def test_requests_of_a_message_batch_are_calls_of_their_agent_at_half_the_price() -> None:
    sim = classifier()
    run = sim.run(anthropic_batch)
    sim.check()
    assert {name: result.message.content[0].text for name, result in run.output.items()} == dict.fromkeys(run.output, "spam")  # fmt: skip
    assert run.calls("classifier") == len(NAMES)
    assert run.output_tokens == len(NAMES)
    assert run.cost_usd == pytest.approx(half_the_price(run, "claude-sonnet-4-6", "anthropic"))
    assert run.cost_usd > 0


@pytest.mark.parametrize("endpoint", ["/v1/chat/completions", "/v1/responses"])
def test_requests_of_a_file_are_calls_of_their_agent_at_half_the_price(endpoint: str) -> None:
    sim = classifier()
    run = sim.run(openai_batch, endpoint=endpoint)
    sim.check()
    batch, output, errors = run.output
    assert (batch.status, batch.request_counts.completed, errors) == ("completed", 8, {})
    assert set(output) == set(NAMES)
    answer = output["q0"]["response"]["body"]
    assert "spam" in json.dumps(answer)
    assert run.calls("classifier") == len(NAMES)
    assert run.cost_usd == pytest.approx(half_the_price(run, "gpt-4o", "openai"))
    assert run.cost_usd > 0


def test_results_come_in_an_order_of_their_own_that_a_seed_repeats() -> None:
    orders = [list(classifier().run(anthropic_batch, seed=seed).output) for seed in (1, 1, 2, 3)]
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders}) == 3
    assert orders[0] != NAMES
    assert all(sorted(order) == NAMES for order in orders)
    output = classifier().run(openai_batch).output[1]
    assert list(output) != NAMES


def test_a_batch_takes_its_time_and_knows_no_rate_limit() -> None:
    sim = classifier()
    sim.provider("anthropic", requests_per_min=1)
    run = sim.run(anthropic_batch, [f"q{number}" for number in range(50)])
    ends = [call.end_s for call in run.calls("classifier")]
    assert run.rate_limited == 0
    assert 120 <= max(ends) <= 3700
    assert len(set(ends)) == 50


@pytest.mark.parametrize("program", [anthropic_batch, openai_batch])
@pytest.mark.parametrize("fault", ["", "hang"])
def test_batch_that_takes_long_is_no_client_without_a_timeout(program: Any, fault: str) -> None:
    sim = Sim(seed=3)
    sim.agent("labeller", reply="x")
    if fault:
        sim.fault(fault, call=1)
    run = sim.run(program)
    assert run.latency_s > 1200
    assert [finding for finding in run.findings if finding.kind == "no_timeout"] == []


def test_fault_makes_a_single_result_an_error() -> None:
    sim = classifier()
    sim.fault("status", agent="classifier", call=3, status=500)
    results = sim.run(anthropic_batch).output
    kinds = {name: result.type for name, result in results.items()}
    assert kinds == {**dict.fromkeys(NAMES, "succeeded"), "q2": "errored"}
    assert results["q2"].error.error.type == "api_error"
    assert [call.status for call in sim.last_run.calls("classifier")].count("error") == 1


def test_fault_makes_a_single_line_of_a_file_an_error() -> None:
    sim = classifier()
    sim.fault("status", agent="classifier", call=3, status=500)
    batch, output, errors = sim.run(openai_batch).output
    assert (batch.request_counts.completed, batch.request_counts.failed) == (7, 1)
    assert set(output) == set(NAMES) - {"q2"}
    assert errors["q2"]["response"]["status_code"] == 500
    assert "error" in errors["q2"]["response"]["body"]


def test_request_that_hangs_expires_with_its_batch() -> None:
    sim = classifier()
    sim.fault("hang", agent="classifier", call=3)
    results = sim.run(anthropic_batch).output
    assert results["q2"].type == "expired"
    assert sim.last_run.latency_s >= 86_400
    sim = classifier()
    sim.fault("hang", agent="classifier", call=3)
    batch, output, errors = sim.run(openai_batch).output
    assert (batch.status, len(output)) == ("expired", 7)
    assert errors["q2"]["error"]["code"] == "batch_expired"


@pytest.mark.parametrize("fault", ["reset_midway", "malformed", "refused", "overloaded"])
def test_faults_of_bytes_are_errors_of_a_result(fault: str) -> None:
    sim = classifier()
    sim.fault(fault, agent="classifier", call=1)
    assert sim.run(anthropic_batch).output["q0"].type == "errored"


def test_script_that_fails_in_a_batch_ends_a_program_that_catches_everything() -> None:
    sim = Sim(1)
    sim.agent("classifier", reply=["only one"])
    waits: list[float] = []

    def program() -> None:
        params = {"model": "claude-sonnet-4-6", "max_tokens": 100, "messages": HI}
        anthropic.Anthropic(api_key="k").messages.batches.create(
            requests=[{"custom_id": name, "params": params} for name in NAMES]  # type: ignore[typeddict-item]
        )
        while True:
            try:
                waits.append(time.monotonic())
                time.sleep(3600)
            except Exception:  # noqa: BLE001 - the program under test
                pass

    with pytest.raises(HarnessError, match="classifier"):
        sim.run(program)
    assert len(waits) <= 2


def test_truncated_result_says_so() -> None:
    sim = classifier()
    sim.fault("truncated", agent="classifier", call=1)
    assert sim.run(anthropic_batch).output["q0"].message.stop_reason == "max_tokens"


def test_cancelled_batch_keeps_what_is_done() -> None:
    run = classifier().run(anthropic_batch, give_up_s=100.0)
    kinds = [result.type for result in run.output.values()]
    assert set(kinds) <= {"succeeded", "canceled"}
    assert "canceled" in kinds
    statuses = [call.status for call in run.calls("classifier")]
    assert statuses.count("ok") == kinds.count("succeeded")
    batch, output, errors = classifier().run(openai_batch, give_up_s=100.0).output
    assert batch.status == "cancelled"
    assert len(output) + len(errors) == len(NAMES)
    assert {line["error"]["code"] for line in errors.values()} == {"batch_cancelled"}


def test_request_that_no_agent_matches_is_an_error_when_its_batch_is_created() -> None:
    with pytest.raises(HarnessError, match="no described agent matches this call"):
        classifier().run(anthropic_batch, system="Translate.")


def test_request_that_the_api_rejects_is_an_error_of_its_own() -> None:
    results = Sim().run(anthropic_batch, ["a"], max_tokens=-1).output
    assert results["a"].error.error.type == "invalid_request_error"
    batch, output, errors = Sim().run(openai_batch, ["a"], n=1000).output
    assert (batch.status, output) == ("completed", {})
    assert errors["a"]["response"]["status_code"] == 400


def test_reply_of_a_batch_obeys_its_request() -> None:
    sim = Sim()
    sim.agent("classifier", reply=ToolCall("nothing", {}))
    with pytest.raises(HarnessError, match="tool_calls\\[0\\]\\.tool"):
        sim.run(anthropic_batch)


def test_embeddings_of_a_file_are_no_calls() -> None:
    run = Sim().run(openai_batch, endpoint="/v1/embeddings", model="text-embedding-3-small")
    _, output, _ = run.output
    assert len(output["q0"]["response"]["body"]["data"][0]["embedding"]) == 1536
    assert run.calls() == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"no json", "invalid_json_line"),
        (b"{}", "missing_required_parameter"),
        (b'{"custom_id": "a", "method": "GET", "url": "/v1/chat/completions", "body": {}}', "invalid_method"),
        (b'{"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": {}}', "mismatched_endpoint"),
        (b'{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {}}\n' * 2, "duplicate_custom_id"),
    ],
)  # fmt: skip
def test_wrong_file_fails_its_batch(content: bytes, code: str) -> None:
    async def program() -> Any:
        client = openai.AsyncOpenAI(api_key="k")
        file = await client.files.create(file=content, purpose="batch")
        batch = await client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
        )
        await asyncio.sleep(60)
        return await client.batches.retrieve(batch.id)

    batch = Sim().run(program).output
    assert batch.status == "failed"
    assert batch.errors.data[0].code == code


def test_files_are_listed_read_and_deleted() -> None:
    async def program() -> Any:
        client = openai.AsyncOpenAI(api_key="k")
        content = b"a\r\n\x00\xff--boundary\n"
        file = await client.files.create(file=("ä.bin", content), purpose="user_data")
        assert (await client.files.content(file.id)).content == content
        assert (await client.files.retrieve(file.id)).bytes == len(content)
        assert [one.id async for one in client.files.list()] == [file.id]
        assert (await client.files.delete(file.id)).deleted
        with pytest.raises(openai.NotFoundError):
            await client.files.content(file.id)
        with pytest.raises(openai.NotFoundError):
            await client.batches.create(
                input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h"
            )
        return file.filename

    assert Sim().run(program).output == "ä.bin"


def test_program_that_ends_before_its_batch_gives_its_calls_up() -> None:
    async def program() -> None:
        batches = anthropic.AsyncAnthropic(api_key="k").messages.batches
        params: Any = {"model": "claude-sonnet-4-6", "max_tokens": 9, "messages": HI}
        params["system"] = "Classify."
        await batches.create(requests=[{"custom_id": "a", "params": params}])

    run = classifier().run(program)
    assert [call.status for call in run.calls()] == ["cancelled"]


def test_results_of_another_host_are_at_that_host() -> None:
    sim = Sim()
    sim.provider("proxy", api="anthropic", hosts=["proxy.local"])

    async def program() -> str:
        client = anthropic.AsyncAnthropic(api_key="k", base_url="https://proxy.local:8443/llm")
        params: Any = {"model": "claude-sonnet-4-6", "max_tokens": 9, "messages": HI}
        batch = await client.messages.batches.create(
            requests=[{"custom_id": "a", "params": params}]
        )
        while batch.processing_status != "ended":
            await asyncio.sleep(600)
            batch = await client.messages.batches.retrieve(batch.id)
        assert [line.custom_id async for line in await client.messages.batches.results(batch.id)]
        return str(batch.results_url)

    url = sim.run(program).output
    assert url.startswith("https://proxy.local:8443/llm/v1/messages/batches/")
