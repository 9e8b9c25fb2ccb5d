"""Where Gemini is served: Google's own host beside its endpoint for OpenAI's clients, Vertex beside Claude, and hosts of others."""

# ruff: noqa: ANN401 - the SDK is not there where types are checked
from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest

from harness.apis import APIS, VENDORS
from harness.errors import NotSimulated
from harness.models.live_apis import live_api
from harness.run.program_world import ProgramWorld, default_providers
from harness.scenario import load_scenario
from harness.sim import Sim
from harness.wire.http import HttpRequest
from harness.wire.serve import greeting

HOST = "https://generativelanguage.googleapis.com"


async def chat() -> str | None:
    client = openai.AsyncOpenAI(api_key="k", base_url=f"{HOST}/v1beta/openai/", max_retries=0)
    answer = await client.chat.completions.create(
        model="gemini-2.5-flash", messages=[{"role": "user", "content": "hi"}]
    )
    return answer.choices[0].message.content


async def generate(url: str = f"{HOST}/v1beta/models/gemini-2.5-flash:generateContent") -> Any:
    async with httpx2.AsyncClient(timeout=None) as client:
        headers = {"x-goog-api-key": "k", "authorization": "Bearer t"}
        body = {"contents": {"role": "user", "parts": {"text": "hi"}}}
        return (await client.post(url, json=body, headers=headers)).json()


def text_of(answer: Any) -> str:
    text: str = answer["candidates"][0]["content"]["parts"][0]["text"]
    return text


async def both() -> tuple[str | None, str]:
    return await chat(), text_of(await generate())


@pytest.mark.parametrize("name", ["", "gemini", "google"])
def test_both_apis_of_the_host_are_there_under_any_name(sim: Sim, name: str) -> None:
    if name:
        sim.provider(name, requests_per_min=2)
    sim.agent("a", reply="hello")
    assert sim.run(both).output == ("hello", "hello")


@pytest.mark.parametrize("name", ["gemini", "google"])
def test_both_apis_of_the_host_share_its_limits(sim: Sim, name: str) -> None:
    sim.provider(name, requests_per_min=1)
    sim.agent("a", reply="hello")

    async def program() -> Any:
        await chat()
        return await generate()

    assert sim.run(program).output["error"]["status"] == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_all_versions_are_served(sim: Sim, version: str) -> None:
    sim.agent("a", reply="hello")
    url = f"{HOST}/{version}/models/gemini-2.5-flash:generateContent"
    assert text_of(sim.run(generate, url).output) == "hello"


def test_path_of_no_endpoint_is_a_404_in_googles_shape(sim: Sim) -> None:
    answer = sim.run(generate, f"{HOST}/v1beta/modelz").output
    assert answer["error"]["status"] == "NOT_FOUND"


def test_another_host_may_speak_it(sim: Sim) -> None:
    sim.provider("ours", api="gemini", hosts=["llm.corp"])
    sim.agent("a", reply="hello")
    url = "https://llm.corp/gateway/v1beta/models/our-own:generateContent"
    assert text_of(sim.run(generate, url).output) == "hello"


VERTEX = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1"


@pytest.mark.parametrize("base", [VERTEX, "https://aiplatform.googleapis.com/v1beta1"])
def test_vertex_serves_gemini(sim: Sim, base: str) -> None:
    sim.provider("vertex")
    sim.agent("a", reply="hello")
    url = f"{base}/publishers/google/models/gemini-2.5-flash:generateContent"
    answer = sim.run(generate, url).output
    assert text_of(answer) == "hello"
    assert answer["usageMetadata"]["trafficType"] == "ON_DEMAND"
    assert answer["createTime"].startswith("2026-01-01T00:00:")
    with pytest.raises(NotSimulated, match="of Gemini on Vertex AI"):
        sim.run(generate, url.replace("generateContent", "predict"))


def test_vertex_serves_gemini_beside_claude(sim: Sim) -> None:
    sim.provider("vertex", requests_per_min=1)
    sim.agent("a", reply="hello")

    async def program() -> tuple[Any, Any, Any]:
        body = {
            "anthropic_version": "vertex-2023-10-16",
            "max_tokens": 9,
            "messages": [{"role": "user", "content": "hi"}],
        }
        async with httpx2.AsyncClient() as client:
            url = f"{VERTEX}/publishers/anthropic/models/claude-sonnet-4-6:rawPredict"
            claude = await client.post(url, json=body, headers={"authorization": "Bearer t"})
        url = f"{VERTEX}/publishers/google/models/gemini-2.5-flash:generateContent"
        return claude.json(), await generate(url), await generate(url)

    claude, gemini, limited = sim.run(program).output
    assert claude["content"][0]["text"] == text_of(gemini) == "hello"
    assert limited["error"]["message"].startswith("Resource exhausted. Please try again later.")


def test_scenario_may_say_which_api_of_google_it_means(tmp_path: Any) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "scenario: s\ntarget: 'json:dumps'\nworkload: {tasks: 1}\n"
        "providers:\n  google: {api: gemini, limits: {requests_per_min: 5}}\n"
    )
    google: Any = load_scenario(file).spec.providers["google"]
    assert google.api == "gemini"


def test_serve_names_it_and_knows_its_requests() -> None:
    assert "export GOOGLE_GEMINI_BASE_URL=http://x:1\n" in greeting("http://x:1", [("g", "gemini")])
    server = ProgramWorld(1, providers=default_providers(), roles=[]).server

    def host(method: str, path: str, headers: dict[str, str]) -> str:
        return server.host_for(HttpRequest(method, "", path, "", headers, b""))

    key = {"x-goog-api-key": "k"}
    own = APIS["gemini"].host
    assert host("POST", "/v1beta/models/gemini-2.5-flash:generateContent", {}) == own
    assert host("POST", "/v1/models/gemini-2.5-flash:streamGenerateContent", key) == own
    assert host("GET", "/v1/models", key) == own
    assert host("POST", "/v1beta/cachedContents", {}) == own
    assert host("POST", "/v1/chat/completions", {}) == "api.openai.com"
    assert host("GET", "/v1/models", {}) == "api.openai.com"  # Anthropic's SDKs send their version
    assert host("GET", "/v1/models", {"anthropic-version": "2023-06-01"}) == "api.anthropic.com"


def test_vendor_knows_all_that_it_speaks() -> None:
    google = VENDORS["google"]
    assert [one.api for one in (google, *google.others)] == ["openai", "gemini"]
    assert google.speaking("anthropic") is None


@pytest.mark.parametrize(
    ("name", "key"), [("gemini", "GEMINI_API_KEY"), ("google", "GOOGLE_API_KEY")]
)
def test_live_run_asks_the_endpoint_for_openais_clients(
    name: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(key, "real")
    monkeypatch.setattr("harness.models.live_openai.LiveOpenAI", lambda *given: given)
    asked = live_api(name, "gemini-2.5-flash", None)
    assert asked == ("real", f"{HOST}/v1beta/openai")  # type: ignore[comparison-overlap]  # replaced above
