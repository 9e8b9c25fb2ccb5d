"""The SDK's own features, unmodified: tools, structured output, thoughts, caches, counting, embeddings, models."""

# ruff: noqa: ANN401 - the SDK is not there where types are checked
from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from harness import Reply, ToolCall
from harness.errors import StubError
from harness.sim import Sim
from tests.wire.gemini.sdk import NEW, OLD, client, genai, generate, stream, types


class City(BaseModel):
    name: str
    rivers: list[str]


def look(at: str) -> str:
    """Look at something."""
    return f"{at} is green"


@pytest.mark.parametrize("model", [OLD, NEW])
def test_chat_calls_functions_by_itself(sim: Sim, model: str) -> None:
    sim.agent("a", reply=[ToolCall("look", {"at": "grass"}), "It is green."])

    async def program() -> tuple[str, list[Any]]:
        async with client() as gemini:
            chat = gemini.chats.create(model=model, config={"tools": [look]})
            answer = await chat.send_message("what colour is grass?")
            return answer.text, chat.get_history()

    run = sim.run(program)
    text, history = run.output
    assert text == "It is green."
    _, called, returned, _ = history
    assert called.parts[0].function_call.args == {"at": "grass"}
    assert bool(called.parts[0].function_call.id) == (model == NEW)
    assert called.parts[0].thought_signature
    assert returned.parts[0].function_response.response == {"result": "grass is green"}
    assert [call.prompt for call in run.calls()] == ["what colour is grass?", "grass is green"]
    assert [*run.spans().query("kind == 'tool'").name] == ["look"]


def test_function_that_must_be_called_is_called(sim: Sim) -> None:
    sim.agent("a", reply="no tool")
    mode = {"function_calling_config": {"mode": "ANY"}}
    with pytest.raises(StubError, match="requires a call of the tool 'look'"):
        sim.run(
            generate,
            "hi",
            tools=[look],
            tool_config=mode,
            automatic_function_calling={"disable": True},
        )


def test_structured_reply_is_parsed(sim: Sim) -> None:
    said = '{"name": "Basel", "rivers": ["Rhine"]}'
    sim.agent("a", reply=said)
    wishes: dict[str, Any] = {"response_mime_type": "application/json"}
    answer = sim.run(generate, "hi", response_schema=City, **wishes).output
    assert answer.parsed == City(name="Basel", rivers=["Rhine"])
    schema = City.model_json_schema()
    answer = sim.run(generate, "hi", response_json_schema=schema, **wishes).output
    assert answer.parsed == {"name": "Basel", "rivers": ["Rhine"]}


def test_reply_that_breaks_its_schema_is_an_error_of_the_test(sim: Sim) -> None:
    sim.agent("a", reply="Basel")
    wishes: dict[str, Any] = {"response_mime_type": "application/json", "response_schema": City}
    with pytest.raises(StubError, match="not JSON"):
        sim.run(generate, "hi", **wishes)


@pytest.mark.parametrize("program", [generate, stream])
def test_thoughts_are_shown_to_those_who_ask(sim: Sim, program: Any) -> None:
    sim.agent("a", reply=Reply("Hello", thinking="Let me see.", thinking_tokens=40))

    def told(answer: Any) -> tuple[str, str, int]:
        answers = answer if isinstance(answer, list) else [answer]
        parts = [part for one in answers for part in one.candidates[0].content.parts]
        thought = "".join(part.text for part in parts if part.thought)
        said = "".join(part.text for part in parts if not part.thought)
        return thought, said, answers[-1].usage_metadata.thoughts_token_count

    shown = sim.run(program, "hi", NEW, thinking_config={"include_thoughts": True}).output
    assert told(shown) == ("Let me see.", "Hello", 40)
    assert told(sim.run(program, "hi", NEW).output) == ("", "Hello", 40)


def test_thoughts_take_their_time_and_their_share_of_the_limit(sim: Sim) -> None:
    sim.provider("gemini", latency={"ttft_s": 1.0, "itl_s": 0.1})
    sim.agent("a", reply=Reply("Hello", thinking_tokens=40))
    assert sim.run(generate, "hi", NEW).latency_s == 5.2
    answer = sim.run(generate, "hi", NEW, max_output_tokens=30).output
    assert answer.candidates[0].finish_reason == "MAX_TOKENS"
    assert (answer.text, answer.usage_metadata.thoughts_token_count) == (None, 30)


def test_cached_content_is_read_at_its_price(sim: Sim) -> None:
    sim.agent("a", reply="hello")

    async def program() -> Any:
        async with client() as gemini:
            config = {"contents": "word " * 4000, "system_instruction": "Be brief.", "ttl": "60s"}
            cached = await gemini.caches.create(model="gemini-2.0-flash", config=config)
            await gemini.caches.update(name=cached.name, config={"ttl": "600s"})
            assert [one.name async for one in await gemini.caches.list()] == [cached.name]
            answer = await gemini.models.generate_content(
                model="gemini-2.0-flash", contents="hi", config={"cached_content": cached.name}
            )
            await gemini.caches.delete(name=cached.name)
            with pytest.raises(genai.errors.ClientError, match="PERMISSION_DENIED"):
                await gemini.caches.get(name=cached.name)
            return answer.usage_metadata

    run = sim.run(program)
    usage = run.output
    assert (usage.prompt_token_count, usage.cached_content_token_count) == (5004, 5003)
    assert [*run.spans().query("kind == 'attempt'").cache_read_tokens] == [5003]
    assert run.cost_usd == pytest.approx((1 * 0.1 + 5003 * 0.025 + 2 * 0.4) / 1e6)


def test_prompt_that_begins_as_one_before_is_read_from_the_cache(sim: Sim) -> None:
    sim.agent("a", reply="hello")

    async def program() -> list[int | None]:
        found = []
        async with client() as gemini:
            chat = gemini.chats.create(model=OLD)
            for text in ("word " * 1000, "and then?"):
                answer = await chat.send_message(text)
                found.append(answer.usage_metadata.cached_content_token_count)
        return found

    assert sim.run(program).output == [None, 1250]


def test_tokens_are_counted_embeddings_made_and_models_listed(sim: Sim) -> None:
    async def program() -> tuple[int, list[int], bool]:
        async with client() as gemini:
            counted = await gemini.models.count_tokens(model=OLD, contents="word " * 4)
            embedded = await gemini.models.embed_content(
                model="gemini-embedding-001",
                contents=["a", "b"],
                config={"output_dimensionality": 8},
            )
            names = [one.name async for one in await gemini.models.list()]
            sizes = [len(one.values) for one in embedded.embeddings]
            return counted.total_tokens, sizes, f"models/{OLD}" in names

    assert sim.run(program).output == (5, [8, 8], True)


def test_image_in_a_prompt_is_counted(sim: Sim) -> None:
    sim.agent("a", reply="a cat")
    image = types.Part.from_bytes(data=b"png", mime_type="image/png")
    usage = sim.run(generate, ["what is this?", image]).output.usage_metadata
    assert usage.prompt_token_count == 4 + 258


def test_vertex_is_reached_with_a_token_and_with_a_key(sim: Sim) -> None:
    sim.provider("vertex")
    sim.agent("a", reply="hello")
    token = pytest.importorskip("google.oauth2.credentials").Credentials(token="t")

    async def program() -> tuple[str, str, str]:
        made = genai.Client(vertexai=True, project="p", location="us-central1", credentials=token)
        express = genai.Client(vertexai=True, api_key="k")
        try:
            answer = await made.aio.models.generate_content(model=OLD, contents="hi")
            chunks = await express.aio.models.generate_content_stream(model=NEW, contents="hi")
            streamed = "".join([chunk.text async for chunk in chunks])
            return answer.text, answer.usage_metadata.traffic_type, streamed
        finally:
            for one in (made, express):
                await one.aio.aclose()
                one.close()

    assert sim.run(program).output == ("hello", "ON_DEMAND", "hello")
