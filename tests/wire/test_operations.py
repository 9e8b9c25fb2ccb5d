"""What an API has and is not simulated is refused by its name; what it has not is a 404."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import aiohttp
import anthropic
import httpx2
import openai
import pytest

from harness.apis import APIS
from harness.errors import NotSimulated
from harness.sim import Sim
from harness.wire.http import HttpRequest
from harness.wire.sites import Endpoint, Sites
from tests.wire.operations_page import PAGE, operation, page
from tests.wire.sdk_operations import operations_of


@pytest.mark.parametrize("sdk", ["anthropic", "openai"])
def test_every_operation_of_an_sdk_has_been_looked_at(sdk: str) -> None:
    module = import_module(APIS[sdk].operations)
    known = {*module.SIMULATED, *module.REFUSED}
    new = [str(one) for one in map(operation, operations_of(sdk)) if one not in known]
    assert new == [], "simulate each, or list it as refused in the operations.py of the API"


@pytest.mark.parametrize("api", ["anthropic", "openai"])
def test_no_operation_is_both_simulated_and_refused(api: str) -> None:
    module = import_module(APIS[api].operations)
    both = [str(one) for one in module.SIMULATED if module.REFUSED.at(one.method, one.path)]
    assert both == []


@pytest.mark.parametrize("api", ["anthropic", "openai"])
def test_every_simulated_operation_is_found_behind_any_base_path(api: str) -> None:
    speaks = APIS[api]
    lost = [
        str(one)
        for one in import_module(speaks.operations).SIMULATED
        if speaks.endpoints.search(f"/gateway{speaks.base_path}{one.path}") is None
    ]
    assert lost == []


def test_page_lists_what_the_tables_have() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def openai_client(**more: Any) -> openai.AsyncOpenAI:  # noqa: ANN401 - the client's settings
    return openai.AsyncOpenAI(api_key="k", max_retries=0, **more)


async def completion() -> None:
    await openai_client().completions.create(model="gpt-3.5-turbo-instruct", prompt="hi")


async def container() -> None:
    await openai_client().containers.retrieve("cntr_1")


async def search() -> None:
    async for _ in openai_client().vector_stores.search("vs_1", query="hi"):
        pass


async def behind_a_proxy() -> None:
    await openai_client(base_url="https://llm.corp/gateway/v1").images.generate(prompt="a cat")


async def speech() -> None:
    await openai_client().audio.speech.create(model="tts-1", voice="alloy", input="hi")


async def skills() -> None:
    client = anthropic.AsyncAnthropic(api_key="k", max_retries=0)
    await client.skills.list()


@pytest.mark.parametrize(
    ("program", "name"),
    [
        (completion, "POST /v1/completions of the API 'openai'"),
        (container, "GET /v1/containers/{} of the API 'openai'"),
        (search, "POST /v1/vector_stores/{}/search of the API 'openai'"),
        (behind_a_proxy, "POST /v1/images/generations of the API 'openai'"),
        (speech, "POST /v1/audio/speech of the API 'openai'"),
        (skills, "GET /v1/skills of the API 'anthropic'"),
    ],
)
def test_operation_that_is_not_simulated_is_refused_by_its_name(
    program: Any,  # noqa: ANN401 - any coroutine function
    name: str,
    sim: Sim,
) -> None:
    sim.provider("corp", api="openai", hosts=["llm.corp"])
    with pytest.raises(NotSimulated, match=name.replace("{", r"\{")):
        sim.run(program)
    place = next(iter(sim.last_run.unsimulated))
    assert place.startswith(name.partition(" of ")[0])


async def asked(url: str) -> int:
    async with httpx2.AsyncClient() as client:
        headers = {"authorization": "Bearer k", "anthropic-version": "2023-06-01"}
        return (await client.post(url, json={}, headers=headers)).status_code


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/completion",
        "https://api.openai.com/completions",
        "https://api.openai.com/v1/embedings",
        "https://api.anthropic.com/v1/message",
    ],
)
def test_operation_that_does_not_exist_is_a_404(url: str, sim: Sim) -> None:
    assert sim.run(asked, url).output == 404


@pytest.mark.parametrize(
    ("method", "path", "host"),
    [
        ("POST", "/v1/completions", "api.openai.com"),
        ("POST", "/v1/responses/compact", "api.openai.com"),
        ("POST", "/v1/conversations", "api.openai.com"),
        ("GET", "/v1/user_profiles", "api.anthropic.com"),
        ("GET", "/v1/models", "api.openai.com"),
        ("GET", "/v1/models/gpt-4o", "api.openai.com"),
        ("POST", "/v1/messages", "api.anthropic.com"),
    ],
)
def test_request_to_no_host_in_particular_is_for_the_api_that_has_the_operation(
    method: str, path: str, host: str
) -> None:
    assert of_both_apis().host_for(HttpRequest(method, "127.0.0.1", path, "", {}, b"")) == host


def test_path_of_both_apis_is_for_that_whose_header_is_sent() -> None:
    headers = {"anthropic-version": "2023-06-01"}
    http = HttpRequest("GET", "127.0.0.1", "/v1/models", "", headers, b"")
    assert of_both_apis().host_for(http) == "api.anthropic.com"


def of_both_apis() -> Sites:
    sites = Sites()
    for name in ("anthropic", "openai"):
        speaks = APIS[name]
        unused: Any = None
        end = Endpoint(
            name=name, speaks=speaks, api=unused, provider=unused, hosts=frozenset({speaks.host})
        )
        sites.add(end, unused)
    return sites


def test_traces_of_openai_agents_are_accepted_and_dropped(sim: Sim) -> None:
    assert sim.run(asked, "https://api.openai.com/v1/traces/ingest").output == 204


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("wss://api.openai.com/v1/realtime?model=m", "/v1/realtime at api.openai.com"),
        ("wss://api.openai.com/v1/responses", "/v1/responses at api.openai.com"),
        ("wss://api.anthropic.com/v1/messages", "/v1/messages at api.anthropic.com"),
    ],
)
def test_websocket_at_a_provider_is_refused_by_its_name(url: str, place: str, sim: Sim) -> None:
    async def program() -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(url):
            pass

    with pytest.raises(NotSimulated, match=f"the websocket {place} is not simulated"):
        sim.run(program)
    assert sim.last_run is not None
    assert sim.last_run.unsimulated == {f"websocket {place}": 1}
