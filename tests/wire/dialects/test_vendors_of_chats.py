"""Vendors who speak OpenAI's API in a way of their own."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion

from harness.models import Reply
from harness.sim import Sim

HI: list[Any] = [{"role": "user", "content": "hi"}]


async def chat(base_url: str, model: str = "llama-4") -> ChatCompletion:
    client = openai.AsyncOpenAI(api_key="k", base_url=base_url, max_retries=0)
    return await client.chat.completions.create(model=model, messages=HI)


async def streamed(base_url: str) -> list[dict[str, Any]]:
    client = openai.AsyncOpenAI(api_key="k", base_url=base_url, max_retries=0)
    stream = await client.chat.completions.create(model="llama-4", messages=HI, stream=True)
    return [chunk.model_dump(exclude_unset=True) async for chunk in stream]


GROQ = "https://api.groq.com/openai/v1"


def test_groq_tells_the_times_of_an_answer(sim: Sim) -> None:
    sim.provider("groq", latency={"ttft_s": 0.5, "itl_s": 0.25})
    sim.agent("a", reply="one two", output_tokens=3)
    answer = sim.run(chat, GROQ).output.model_dump()
    assert answer["x_groq"]["id"].startswith("req_")
    usage = answer["usage"]
    assert (usage["queue_time"], usage["prompt_time"], usage["completion_time"]) == (0.0, 0.5, 0.75)
    assert usage["total_time"] == 1.25
    assert answer["service_tier"] == "on_demand"


def test_groq_waits_in_its_queue_are_told(sim: Sim) -> None:
    sim.provider("groq", latency={"ttft_s": 1.0, "itl_s": 0.0}, concurrency=1)
    sim.agent("a", reply="one")

    async def two() -> list[float]:

        both = await asyncio.gather(chat(GROQ), chat(GROQ))
        return [one.model_dump()["usage"]["queue_time"] for one in both]

    assert sim.run(two).output == [0.0, 1.0]


def test_groq_streams_its_usage_in_the_last_chunk(sim: Sim) -> None:
    sim.provider("groq")
    sim.agent("a", reply="one two")
    chunks = sim.run(streamed, GROQ).output
    assert [("x_groq" in chunk) for chunk in chunks] == [
        True,
        *(False for _ in chunks[2:]),
        True,
    ]
    assert chunks[-1]["x_groq"]["usage"]["completion_tokens"] > 0
    assert not any("obfuscation" in chunk for chunk in chunks)


@pytest.mark.parametrize(
    ("name", "base_url", "field"),
    [
        ("deepseek", "https://api.deepseek.com", "reasoning_content"),
        ("fireworks", "https://api.fireworks.ai/inference/v1", "reasoning_content"),
        ("openrouter", "https://openrouter.ai/api/v1", "reasoning"),
        ("groq", GROQ, "reasoning"),
    ],
)
def test_thoughts_are_in_the_field_of_the_vendor(
    name: str, base_url: str, field: str, sim: Sim
) -> None:

    sim.provider(name)
    sim.agent("a", reply=Reply("yes", thinking="first this, then that, and so on"))
    message = sim.run(chat, base_url).output.model_dump()["choices"][0]["message"]
    assert message[field] == "first this, then that, and so on"
    assert message["content"] == "yes"
    deltas = [chunk["choices"][0]["delta"] for chunk in sim.run(streamed, base_url).output]
    thought = [n for n, delta in enumerate(deltas) if delta.get(field)]
    said = [n for n, delta in enumerate(deltas) if delta.get("content")]
    assert "".join(deltas[n][field] for n in thought) == "first this, then that, and so on"
    assert max(thought) < min(said)


def test_deepseek_counts_what_its_cache_gave(sim: Sim) -> None:
    sim.provider("deepseek")
    sim.agent("a", reply="yes")
    usage = sim.run(chat, "https://api.deepseek.com").output.model_dump()["usage"]
    assert usage["prompt_cache_hit_tokens"] == 0
    assert usage["prompt_cache_miss_tokens"] == usage["prompt_tokens"]


def test_dialect_follows_the_provider_to_a_host_of_ones_own(sim: Sim) -> None:
    sim.provider("groq", hosts=["llm.corp"])
    sim.agent("a", reply="yes")
    assert "x_groq" in sim.run(chat, "https://llm.corp/v1").output.model_dump()


AZURE: dict[str, Any] = {"api_version": "2024-10-21", "max_retries": 0}


def azure(**more: Any) -> openai.AsyncAzureOpenAI:  # noqa: ANN401 - the client's settings
    endpoint = "https://team.openai.azure.com"
    return openai.AsyncAzureOpenAI(**{"azure_endpoint": endpoint, "api_key": "k", **AZURE, **more})


async def asked_azure(**more: Any) -> ChatCompletion:  # noqa: ANN401 - the client's settings
    return await azure(**more).chat.completions.create(model="my-gpt", messages=HI)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"azure_endpoint": "https://team.cognitiveservices.azure.com"},
        {"api_key": None, "azure_ad_token": "t"},
        {"azure_deployment": "my-gpt"},
    ],
)
def test_azure_is_reached_with_its_own_client(more: dict[str, Any], sim: Sim) -> None:
    sim.provider("azure")
    sim.agent("a", reply="yes")
    run = sim.run(asked_azure, **more)
    assert run.output.choices[0].message.content == "yes"
    answer = run.output.model_dump()
    assert answer["prompt_filter_results"][0]["content_filter_results"]["jailbreak"] == {
        "filtered": False,
        "detected": False,
    }
    assert answer["choices"][0]["content_filter_results"]["hate"]["severity"] == "safe"


def test_azure_streams_begin_with_what_the_filter_says_of_the_prompt(sim: Sim) -> None:
    sim.provider("azure")
    sim.agent("a", reply="one two")

    async def chunks() -> list[dict[str, Any]]:
        stream = await azure().chat.completions.create(model="m", messages=HI, stream=True)
        return [chunk.model_dump(exclude_unset=True) async for chunk in stream]

    opening, *rest = sim.run(chunks).output
    assert opening["choices"] == []
    assert "prompt_filter_results" in opening
    texts = [chunk["choices"][0]["delta"].get("content") or "" for chunk in rest]
    assert "".join(texts) == "one two"


def test_azure_deployment_is_the_model(sim: Sim) -> None:
    sim.provider("azure")
    sim.agent("a", reply="yes", model="my-gpt")
    run = sim.run(asked_azure)
    assert run.calls()[0].agent == "a"


def test_azure_responses_and_embeddings_are_reached(sim: Sim) -> None:
    sim.provider("azure")
    sim.agent("a", reply="yes")

    async def both() -> tuple[str, int]:
        answer = await azure().responses.create(model="my-gpt", input="hi")
        vectors = await azure().embeddings.create(model="text-embedding-3-small", input="hi")
        return answer.output_text, len(vectors.data)

    assert sim.run(both).output == ("yes", 1)


def test_azure_without_a_version_is_a_404(sim: Sim) -> None:
    sim.provider("azure")
    sim.agent("a", reply="yes", allow_unused=True)
    base_url = "https://team.openai.azure.com/openai/deployments/my-gpt"
    with pytest.raises(openai.NotFoundError, match="Resource not found"):
        sim.run(chat, base_url)


def test_azure_says_in_its_own_words_that_a_limit_is_met(sim: Sim) -> None:
    sim.provider("azure", requests_per_min=1)
    sim.agent("a", reply="yes")

    async def twice() -> None:
        await asked_azure()
        await asked_azure()

    with pytest.raises(openai.RateLimitError, match="S0 pricing tier"):
        sim.run(twice)
