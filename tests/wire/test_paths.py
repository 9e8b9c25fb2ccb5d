"""A provider's URLs have a base path, which is found by itself or stated."""

from __future__ import annotations

from typing import Any

import anthropic
import openai
import pytest

from harness import HarnessError
from harness.apis import VENDORS
from harness.sim import Sim


async def chat(base_url: str, **more: Any) -> str | None:  # noqa: ANN401 - the client's settings
    client = openai.AsyncOpenAI(api_key="k", base_url=base_url, max_retries=0, **more)
    answer = await client.chat.completions.create(
        model="llama-4", messages=[{"role": "user", "content": "hi"}]
    )
    return answer.choices[0].message.content


async def message(base_url: str) -> str:
    client = anthropic.AsyncAnthropic(api_key="k", base_url=base_url, max_retries=0)
    answer = await client.messages.create(
        model="claude-sonnet-4-6", max_tokens=50, messages=[{"role": "user", "content": "hi"}]
    )
    return answer.content[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "base_url",
    [
        "https://llm.example.com/openai/v1",
        "https://llm.example.com/openai/v1/",
        "https://llm.example.com/v1",
        "https://llm.example.com",
        "https://LLM.example.com/v1/account/gateway/openai",
    ],
)
def test_any_base_path_will_do_at_an_unknown_host(base_url: str, sim: Sim) -> None:
    sim.provider("example", api="openai", hosts=["llm.example.com"])
    sim.agent("a", reply="hello")
    assert sim.run(chat, base_url).output == "hello"


DOCUMENTED = {
    "groq": "https://api.groq.com/openai/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "deepseek": "https://api.deepseek.com",
    "google": "https://generativelanguage.googleapis.com/v1beta/openai/",
    "fireworks": "https://api.fireworks.ai/inference/v1",
    "azure": "https://team.openai.azure.com/openai/v1/",
    "databricks": "https://dbc-1.cloud.databricks.com/serving-endpoints",
    "github": "https://models.github.ai/inference",
    "mistral": "https://api.mistral.ai/v1",
    "together": "https://api.together.xyz/v1",
}


def test_each_known_vendor_of_chats_has_a_documented_base_url_here() -> None:
    assert DOCUMENTED.keys() == {name for name, one in VENDORS.items() if one.api == "openai"}


@pytest.mark.parametrize(
    ("name", "base_url"),
    [
        *DOCUMENTED.items(),
        ("deepseek", "https://api.deepseek.com/v1"),
        ("deepseek", "https://api.deepseek.com/beta"),
        ("together", "https://api.together.ai/v1"),
        ("github", "https://models.inference.ai.azure.com"),
        ("databricks", "https://adb-1.11.azuredatabricks.net/serving-endpoints"),
    ],
)
def test_known_vendor_is_reached_by_its_name_at_its_documented_base_url(
    name: str, base_url: str, sim: Sim
) -> None:
    sim.provider(name, requests_per_min=60)
    sim.agent("a", reply="hello")
    assert sim.run(chat, base_url).output == "hello"


@pytest.mark.parametrize(("name", "base_url"), DOCUMENTED.items())
def test_known_vendor_is_reached_by_its_api_and_host(name: str, base_url: str, sim: Sim) -> None:
    sim.provider("mine", api="openai", hosts=[base_url.split("/")[2]])
    sim.agent("a", reply="hello")
    assert sim.run(chat, base_url).output == "hello"


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.groq.com/v1",
        "https://openrouter.ai/v1",
        "https://api.deepseek.com/v2",
        "https://api.fireworks.ai",
        "https://dbc-1.cloud.databricks.com/v1",
        "https://api.mistral.ai",
    ],
)
def test_known_vendor_answers_404_behind_another_base_path(base_url: str, sim: Sim) -> None:
    for name in VENDORS:
        sim.provider(name)
    sim.agent("a", reply="hello", allow_unused=True)
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        sim.run(chat, base_url)


def test_host_with_an_api_of_its_own_answers_in_its_own_words(sim: Sim) -> None:
    sim.provider("google")
    with pytest.raises(openai.NotFoundError, match="Requested entity was not found"):
        sim.run(chat, "https://generativelanguage.googleapis.com/v1beta")


def test_stated_base_path_is_there_beside_the_known_one(sim: Sim) -> None:
    sim.provider("groq", hosts=["proxy.local"], paths=["/llm"])
    sim.agent("a", reply="hello")
    for base_url in ("https://proxy.local/llm", "https://api.groq.com/openai/v1"):
        assert sim.run(chat, base_url).output == "hello"
    with pytest.raises(openai.NotFoundError):
        sim.run(chat, "https://proxy.local/v1")


def test_misspelt_vendor_is_told_with_the_known_one() -> None:
    with pytest.raises(HarnessError, match="did you mean 'openrouter'"):
        Sim().provider("openruter")


def test_vendor_of_another_api_needs_hosts() -> None:
    with pytest.raises(HarnessError, match="hosts="):
        Sim().provider("groq", api="anthropic")


@pytest.mark.parametrize(
    "base_url", ["https://api.deepseek.com/anthropic", "https://api.deepseek.com"]
)
def test_anthropic_api_is_found_behind_a_base_path(base_url: str, sim: Sim) -> None:
    sim.provider("deepseek", api="anthropic", hosts=["api.deepseek.com"])
    sim.agent("a", reply="hello")
    assert sim.run(message, base_url).output == "hello"


@pytest.mark.parametrize("paths", [["/openai/v1"], ["openai/v1/"], ["/other", "/openai/v1"]])
def test_stated_base_path_is_the_only_one(paths: list[str], sim: Sim) -> None:
    sim.provider("example", api="openai", hosts=["llm.example.com"], paths=paths)
    sim.agent("a", reply="hello")
    assert sim.run(chat, "https://llm.example.com/openai/v1").output == "hello"
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        sim.run(chat, "https://llm.example.com/v1")


def test_own_host_has_its_own_base_path_alone(sim: Sim) -> None:
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        sim.run(chat, "https://api.openai.com/openai/v1")


def test_own_host_keeps_its_base_path_beside_those_of_a_proxy(sim: Sim) -> None:
    sim.provider("openai", hosts=["proxy.local"], paths=["/llm"])
    sim.agent("a", reply="hello")
    assert sim.run(chat, "https://proxy.local/llm").output == "hello"


@pytest.mark.parametrize("host", ["https://api.groq.com", "api.groq.com/openai/v1", "a:8080", ""])
def test_host_that_is_a_url_is_told(host: str) -> None:
    with pytest.raises(HarnessError, match="the name of a host alone"):
        Sim().provider("groq", api="openai", hosts=[host])


def test_other_endpoints_are_found_behind_a_base_path(sim: Sim) -> None:
    sim.provider("groq", api="openai", hosts=["api.groq.com"])

    async def names() -> list[str]:
        client = openai.AsyncOpenAI(api_key="k", base_url="https://api.groq.com/openai/v1")
        return [model.id async for model in client.models.list()]

    assert "gpt-4o" in sim.run(names).output


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("port", ["", ":80", ":11434"])
def test_server_of_this_machine_is_reached_at_any_port_and_by_any_name(
    name: str, port: str, sim: Sim
) -> None:
    sim.provider("ollama", api="openai", hosts=["localhost"])
    sim.agent("a", reply="hello")
    assert sim.run(chat, f"http://{name}{port}/v1").output == "hello"


@pytest.mark.parametrize(
    ("program", "base_url", "meant"),
    [
        (chat, "https://api.openai.com", "/v1/chat/completions at api.openai.com"),
        (
            chat,
            "https://api.openai.com/v1/chat/completions",
            "/v1/chat/completions at api.openai.com",
        ),
        (chat, "https://api.groq.com/v1", "/openai/v1/chat/completions at api.groq.com"),
        (message, "https://api.anthropic.com/v1", "/v1/messages at api.anthropic.com"),
    ],
)
def test_wrong_base_url_is_told_beside_the_404(
    program: Any,  # noqa: ANN401 - of the two above
    base_url: str,
    meant: str,
    sim: Sim,
) -> None:
    sim.provider("groq")
    with pytest.raises(Exception, match="404"):
        sim.run(program, base_url)
    assert sim.last_run is not None
    assert f"(that is {meant}; see the base URL" in sim.last_run.explain()


def test_path_that_is_no_endpoint_anywhere_gets_no_advice(sim: Sim) -> None:
    async def main() -> object:
        return await openai.AsyncOpenAI(max_retries=0).get("/nothing", cast_to=object)

    with pytest.raises(openai.NotFoundError):
        sim.run(main)
    assert sim.last_run is not None
    assert "that is" not in sim.last_run.explain()


def test_vendor_has_the_model_that_a_client_asks_for(sim: Sim) -> None:
    sim.provider("groq")

    async def main() -> list[str]:
        client = openai.AsyncOpenAI(api_key="k", base_url=DOCUMENTED["groq"])
        names = ["llama-3.3-70b-versatile", "openai/gpt-oss-20b"]
        return [(await client.models.retrieve(name)).id for name in names]

    assert sim.run(main).output == ["llama-3.3-70b-versatile", "openai/gpt-oss-20b"]
