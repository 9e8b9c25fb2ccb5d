"""Errors, rate limits and faults, as the SDK meets them; and its retries."""

# ruff: noqa: ANN401 - the SDK is not there where types are checked
from __future__ import annotations

from typing import Any

import httpx2
import pytest

from harness.errors import NotSimulated
from harness.sim import Sim
from tests.wire.gemini.sdk import OLD, blocking, client, genai, generate, stream

RETRIES = {"retry_options": {"attempts": 3, "initial_delay": 1.0, "jitter": 0.0}}


def error_of(sim: Sim, program: Any = generate, *args: Any) -> Any:
    with pytest.raises(genai.errors.APIError) as caught:
        sim.run(program, *args)
    return caught.value


@pytest.mark.parametrize(
    ("fault", "fields", "code", "status"),
    [
        ("overloaded", {}, 503, "UNAVAILABLE"),
        ("status", {"status": 500}, 500, "INTERNAL"),
        ("status", {"status": 504}, 504, "DEADLINE_EXCEEDED"),
        ("status", {"status": 401}, 401, "UNAUTHENTICATED"),
        ("status", {"status": 403}, 403, "PERMISSION_DENIED"),
        ("status", {"status": 404}, 404, "NOT_FOUND"),
        ("status", {"status": 429}, 429, "RESOURCE_EXHAUSTED"),
    ],
)
def test_fault_is_told_in_googles_shape(
    sim: Sim, fault: str, fields: Any, code: int, status: str
) -> None:
    sim.fault(fault, **fields)
    sim.agent("a", reply="hello", allow_unused=True)
    error = error_of(sim)
    assert (error.code, error.status) == (code, status)
    assert isinstance(error, genai.errors.ServerError if code >= 500 else genai.errors.ClientError)


def test_rate_limit_says_which_and_when_to_come_back(sim: Sim) -> None:
    sim.provider("gemini", requests_per_min=1)
    sim.agent("a", reply="hello")

    async def twice() -> None:
        await generate()
        await generate()

    error = error_of(sim, twice)
    assert (error.code, error.status) == (429, "RESOURCE_EXHAUSTED")
    links, quota, retry = error.details["error"]["details"]
    assert quota["violations"][0]["quotaValue"] == "1"
    assert retry["@type"] == "type.googleapis.com/google.rpc.RetryInfo"
    assert 0 < float(retry["retryDelay"].removesuffix("s")) <= 60
    assert links["links"]


@pytest.mark.parametrize("program", [generate, blocking], ids=["async", "blocking"])
def test_sdk_retries_when_it_is_told_to(sim: Sim, program: Any) -> None:
    sim.fault("overloaded", attempt=1)
    sim.agent("a", reply="hello")
    run = sim.run(program, "hi", OLD, http_options=RETRIES)
    assert run.output.text == "hello"
    assert [*run.spans().query("kind == 'attempt'").status] == ["error", "ok"]
    assert len(run.calls()) == 1


def test_stream_that_breaks_is_an_error_of_the_sdk(sim: Sim) -> None:
    sim.fault("reset_midway")
    sim.agent("a", reply="hello " * 100)
    with pytest.raises(Exception, match=r"(?i)connection|payload|peer"):
        sim.run(stream)


def test_error_in_the_middle_of_a_stream_comes_as_an_event(sim: Sim) -> None:
    sim.fault("error_event")
    sim.agent("a", reply="hello " * 100)

    async def raw() -> str:
        url = f"https://generativelanguage.googleapis.com/v1/models/{OLD}:streamGenerateContent"
        async with httpx2.AsyncClient() as plain:
            body = {"contents": {"parts": {"text": "hi"}}}
            answer = await plain.post(url, json=body, params={"key": "k", "alt": "sse"})
        return answer.text

    events = sim.run(raw).output.split("\r\n\r\n")
    assert events[0].startswith('data: {"candidates":')
    assert events[-2].startswith('data: {"error":{"code":503,')


def test_error_in_the_middle_of_a_stream_is_an_error_of_the_sdk(sim: Sim) -> None:
    sim.fault("error_event")
    sim.agent("a", reply="hello " * 100)
    assert error_of(sim, stream).status == "UNAVAILABLE"


async def file() -> None:
    async with client() as gemini:
        await gemini.files.get(name="files/a")


async def batches() -> None:
    async with client() as gemini:
        await gemini.batches.list()


async def interaction() -> None:
    async with client() as gemini:
        await gemini.interactions.create(model=OLD, input="hi")


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (file, "GET /v1beta/files/{}"),
        (batches, "GET /v1beta/batches"),
        (interaction, "POST /v1beta/interactions"),
    ],
)
def test_operation_that_is_not_simulated_is_refused_by_its_name(
    sim: Sim, program: Any, name: str
) -> None:
    with pytest.raises(NotSimulated) as caught:
        sim.run(program)
    assert str(caught.value).startswith(f"{name} of the API 'gemini' is not simulated")
