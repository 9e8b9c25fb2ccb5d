"""Every field of every answer is one that the installed SDKs know, and none that they require is missing; whole and streamed."""

# ruff: noqa: ANN401 - JSON and SDK objects are anything
from __future__ import annotations

import asyncio
import typing
from collections.abc import Callable
from typing import Any

import anthropic
import anthropic.types.beta as anthropic_types
import openai
import openai.types.responses as openai_types
import pytest
from pydantic import BaseModel

from harness import Reply, ServerTool, ToolCall
from harness.sim import Sim
from harness.wire.anthropic import operations as anthropic_operations
from harness.wire.openai import operations as openai_operations
from harness.wire.operations import Operations
from tests.wire.sdk_answers import Seen, watched
from tests.wire.strict_types import members, problems, tags

# -- what agents say ---------------------------------------------------------------------------------------------

PAGE = {"title": "Weather", "url": "https://w.example/", "text": "Rain until noon."}

BOTH: dict[str, Any] = {
    "text": "Hello there",
    "thoughts": Reply("Hello there", thinking="Let me see.", thinking_tokens=40),
    "tool calls": Reply("I look.", (ToolCall("look", {"at": 1}), ToolCall("look", {}))),
    "refusal": Reply("I will not.", refused=True),
    "truncated": Reply("Hello", truncated=True),
    "search": ServerTool("web_search", query="weather", results=[PAGE, "https://x.example/"]),
    "fetch": ServerTool("web_fetch", url="https://w.example/", results="A page."),
    "code": ServerTool("code_execution", code="print(1)", results="1\n"),
    "tool search": ServerTool("tool_search", query="look", results=["look"]),
    "mcp": ServerTool("mcp", server="box", name="ask", arguments={"a": 1}, results="yes"),
    "failed mcp": ServerTool("mcp", server="box", name="ask", error="is down"),
    "several": Reply(
        "All done.",
        (ToolCall("look", {"at": 1}),),
        thinking="Hm.",
        server_tools=(
            ServerTool("web_search", query="a", results=[PAGE]),
            ServerTool("code_execution", code="1", results="1"),
        ),
    ),
}

ANTHROPIC: dict[str, Any] = {
    **BOTH,
    "failed search": ServerTool("web_search", query="a", error="max_uses_exceeded"),
    "failed fetch": ServerTool("web_fetch", url="a", error="url_not_accessible"),
    "failed code": ServerTool("code_execution", code="a", error="unavailable"),
    "edit": ServerTool("text_editor_code_execution", command="create", path="a", file_text="b"),
    "view": ServerTool("text_editor_code_execution", command="view", path="a", results="b\nc"),
    "replace": ServerTool("text_editor_code_execution", command="str_replace", path="a"),
    "pause": ServerTool("web_search", query="a", pauses=True),
    "redacted": Reply("Hello", thinking="Hm.", thinking_is_redacted=True),
    "citations": Reply("Green.", cites=("grass is green", "sky is blue", "Roses", "page one")),
}

OPENAI: dict[str, Any] = {
    **BOTH,
    "failed search": ServerTool("web_search", query="a", error="unavailable"),
    "files": ServerTool("file_search", query="a", results=[{"filename": "a.md", "text": "b"}]),
    "image": ServerTool("image_generation", prompt="a cat"),
}

# -- what is asked -----------------------------------------------------------------------------------------------

SCHEMA = {"type": "object", "properties": {"at": {"type": "integer"}}}


def document(source: dict[str, Any]) -> dict[str, Any]:
    return {"type": "document", "source": source, "citations": {"enabled": True}, "title": "t"}


MESSAGE: dict[str, Any] = {
    "model": "claude-opus-5",
    "max_tokens": 20_000,
    "messages": [
        {
            "role": "user",
            "content": [
                document(
                    {"type": "text", "media_type": "text/plain", "data": "The grass is green."}
                ),
                document(
                    {"type": "content", "content": [{"type": "text", "text": "The sky is blue."}]}
                ),
                {
                    "type": "search_result",
                    "source": "https://s.example",
                    "title": "s",
                    "content": [{"type": "text", "text": "Roses are red."}],
                    "citations": {"enabled": True},
                },
                document({"type": "url", "url": "https://pdf.example/a.pdf"}),
                {"type": "text", "text": "hi"},
            ],
        }
    ],
    "tools": [
        {"name": "look", "input_schema": SCHEMA},
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "web_fetch_20250910", "name": "web_fetch"},
        {"type": "code_execution_20250825", "name": "code_execution"},
        {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
        {"type": "mcp_toolset", "mcp_server_name": "box"},
    ],
    "mcp_servers": [{"type": "url", "url": "https://box.example", "name": "box"}],
    "thinking": {"type": "adaptive", "display": "summarized"},
    "betas": ["mcp-client-2025-11-20"],
}

RESPONSE: dict[str, Any] = {
    "input": "hi",
    "tools": [
        {"type": "function", "name": "look", "parameters": SCHEMA, "strict": False},
        {"type": "web_search"},
        {"type": "file_search", "vector_store_ids": ["vs_1"]},
        {"type": "code_interpreter", "container": {"type": "auto"}},
        {"type": "image_generation"},
        {
            "type": "mcp",
            "server_label": "box",
            "server_url": "https://box.example",
            "require_approval": "never",
        },
        {"type": "tool_search"},
    ],
    "include": [
        "file_search_call.results",
        "web_search_call.action.sources",
        "code_interpreter_call.outputs",
        "reasoning.encrypted_content",
    ],
    "reasoning": {"summary": "auto"},
}

FUNCTION = {"type": "function", "function": {"name": "look", "parameters": SCHEMA}}
CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "tools": [FUNCTION]}
OPENAI_MODELS = ["gpt-4o", "gpt-5.6-sol"]


async def finish(answer: Any) -> None:
    """Read a stream to its end."""
    if hasattr(answer, "__aiter__"):
        async for _ in answer:
            pass


async def messages(stream: bool) -> None:
    client = anthropic.AsyncAnthropic(api_key="k")
    await finish(await client.beta.messages.create(**MESSAGE, stream=stream))


async def probable_chats(stream: bool) -> None:
    client, said = openai.AsyncOpenAI(api_key="k"), CHAT["messages"]
    answer = await client.chat.completions.create(
        model="gpt-4o",
        messages=said,
        n=2,
        logprobs=True,
        top_logprobs=3,
        service_tier="flex",
        stream=stream,
    )
    await finish(answer)


async def predicted_chats(stream: bool) -> None:
    client, said = openai.AsyncOpenAI(api_key="k"), CHAT["messages"]
    predicted: Any = {"type": "content", "content": "Hello"}
    answer = await client.chat.completions.create(
        model="gpt-4o", messages=said, prediction=predicted, stream=stream
    )
    await finish(answer)


async def probable_responses(stream: bool) -> None:
    answer = await openai.AsyncOpenAI(api_key="k").responses.create(
        model="gpt-4o",
        input="hi",
        include=["message.output_text.logprobs"],
        top_logprobs=3,
        stream=stream,
    )
    await finish(answer)


async def searching_chat(stream: bool) -> None:
    answer = await openai.AsyncOpenAI(api_key="k").chat.completions.create(
        model="gpt-4o-search-preview", messages=CHAT["messages"], stream=stream
    )
    await finish(answer)


STABLE = {name: MESSAGE[name] for name in MESSAGE if name not in ("mcp_servers", "betas")}
STABLE["tools"] = [tool for tool in MESSAGE["tools"] if tool.get("type") != "mcp_toolset"]


async def gathered_message() -> Any:
    """What the SDK makes of a stream."""
    async with anthropic.AsyncAnthropic(api_key="k").messages.stream(**STABLE) as stream:
        return await stream.get_final_message()


async def gathered_response() -> Any:
    """What the SDK makes of a stream."""
    asked = {**RESPONSE, "model": "gpt-5"}
    async with openai.AsyncOpenAI(api_key="k").responses.stream(**asked) as stream:
        async for _ in stream:
            pass
        return await stream.get_final_response()


async def responses(model: str, stream: bool) -> None:
    answer = await openai.AsyncOpenAI(api_key="k").responses.create(
        model=model, **RESPONSE, stream=stream
    )
    await finish(answer)


async def background_responses(stream: bool) -> str:
    client = openai.AsyncOpenAI(api_key="k")
    response: Any = await client.responses.create(
        model="gpt-5.6-sol", **RESPONSE, background=True, stream=stream
    )
    if stream:
        events = [event async for event in response]
        response = events[0].response
    while response.status in ("queued", "in_progress"):
        await asyncio.sleep(1)
        response = await client.responses.retrieve(response.id)
    return str(response.status)


async def chats(model: str, stream: bool) -> None:
    more: dict[str, Any] = {"stream_options": {"include_usage": True}} if stream else {}
    answer = await openai.AsyncOpenAI(api_key="k").chat.completions.create(
        model=model, **CHAT, **more, stream=stream
    )
    await finish(answer)


def seen_of(sim: Sim, sdk: Any, reply: Any, program: Callable[..., Any], *args: Any) -> Seen:
    sim.agent("agent", model="*", reply=reply)
    with watched(sdk) as seen:
        sim.run(program, *args)
    assert seen.paths
    return seen


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("said", ANTHROPIC)
def test_messages_keep_the_types(sim: Sim, said: str, stream: bool) -> None:
    assert seen_of(sim, anthropic, ANTHROPIC[said], messages, stream).problems == []


@pytest.mark.parametrize("said", [name for name in ANTHROPIC if "mcp" not in name])
def test_a_stream_of_a_message_is_gathered_to_what_the_types_have(sim: Sim, said: str) -> None:
    sim.agent("agent", model="*", reply=ANTHROPIC[said])
    gathered = sim.run(gathered_message).output
    for block in gathered.to_dict(use_api_names=True, exclude_unset=True)["content"]:
        block.pop("parsed_output", None)  # the SDK's own
        assert problems(block, anthropic.types.ContentBlock) == []
        assert "" not in (block.get("text"), block.get("signature"))


@pytest.mark.parametrize("said", [name for name in OPENAI if name != "truncated"])
def test_a_stream_of_a_response_is_gathered_to_the_whole(sim: Sim, said: str) -> None:
    sim.agent("agent", model="*", reply=OPENAI[said])
    gathered = sim.run(gathered_response).output
    assert gathered.status == "completed"
    items = gathered.to_dict(use_api_names=True, exclude_unset=True)["output"]
    assert [item["type"] for item in items if item["type"] == "reasoning"] == ["reasoning"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model", OPENAI_MODELS)
@pytest.mark.parametrize("said", OPENAI)
def test_responses_keep_the_types(sim: Sim, said: str, model: str, stream: bool) -> None:
    assert seen_of(sim, openai, OPENAI[said], responses, model, stream).problems == []


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("said", ["text", "refusal", "truncated", "several", "none"])
def test_responses_in_the_background_keep_the_types(sim: Sim, said: str, stream: bool) -> None:
    if said == "none":
        sim.fault("overloaded", agent="agent")
    reply = OPENAI.get(said, "never said")
    assert seen_of(sim, openai, reply, background_responses, stream).problems == []
    ends = {"truncated": "incomplete", "none": "failed"}
    assert sim.last_run is not None
    assert sim.last_run.output == ends.get(said, "completed")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model", OPENAI_MODELS)
@pytest.mark.parametrize("said", ["text", "thoughts", "tool calls", "refusal", "truncated"])
def test_chats_keep_the_types(sim: Sim, said: str, model: str, stream: bool) -> None:
    assert seen_of(sim, openai, OPENAI[said], chats, model, stream).problems == []


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("program", "reply"),
    [
        (probable_chats, Reply("Hello", alternatives=("Good day",))),
        (predicted_chats, "Hello there"),
        (probable_responses, "Hello there"),
        (searching_chat, BOTH["search"]),
    ],
)
def test_rarer_fields_keep_the_types(sim: Sim, program: Any, reply: Any, stream: bool) -> None:
    assert seen_of(sim, openai, reply, program, stream).problems == []


# -- all that there is is written, or is known not to be ------------------------------------------------------------

OTHER_ANTHROPIC = {
    "container_upload": "files of containers are not simulated",
    "advisor_tool_result": "advisors are not simulated",
    "compaction": "compaction is not simulated",
    "fallback": "fallbacks are not simulated",
    "mcp_tool_listing": "listings are for clients that ask for them",
    "code_execution_tool_result": "of an older version of the tool; tests/wire/anthropic/test_server_tools.py",
}
OTHER_OPENAI = {
    "function_call_output": "what a client sends",
    "computer_call": "run by the client",
    "computer_call_output": "what a client sends",
    "program": "programmatic tool calling is not simulated",
    "program_output": "programmatic tool calling is not simulated",
    "additional_tools": "not simulated",
    "compaction": "of an operation of its own; within a response it is not simulated",
    "local_shell_call": "run by the client",
    "local_shell_call_output": "what a client sends",
    "shell_call": "shells are not simulated",
    "shell_call_output": "shells are not simulated",
    "apply_patch_call": "run by the client",
    "apply_patch_call_output": "what a client sends",
    "mcp_approval_request": "tests/wire/openai/test_server_tools.py",
    "mcp_approval_response": "what a client sends",
    "custom_tool_call": "custom tools are not simulated",
    "custom_tool_call_output": "what a client sends",
}


def test_every_content_block_is_written_or_known_not_to_be(sim: Sim) -> None:
    sim.agent("agent", model="*", reply=list(ANTHROPIC.values()))

    async def all_of_them() -> None:
        for _ in ANTHROPIC:
            await messages(stream=False)

    with watched(anthropic) as seen:
        sim.run(all_of_them)
    there = set(tags(anthropic_types.BetaContentBlock))
    assert there - seen.types == set(OTHER_ANTHROPIC)


def test_every_output_item_is_written_or_known_not_to_be(sim: Sim) -> None:
    sim.agent("agent", model="*", reply=list(OPENAI.values()))

    async def all_of_them() -> None:
        for _ in OPENAI:
            await responses("gpt-5", stream=False)

    with watched(openai) as seen:
        sim.run(all_of_them)
    there = set(tags(openai_types.ResponseOutputItem))
    assert there - seen.types == set(OTHER_OPENAI)


# -- the other operations -----------------------------------------------------------------------------------------


ITEMS: Any = [
    {"role": "user", "content": "hi"},
    {"role": "assistant", "content": "ho"},
    {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": "seen"},
]


async def conversations_of_openai(client: openai.AsyncOpenAI) -> None:
    kept = client.conversations
    name = (await kept.create(items=ITEMS)).id
    await kept.retrieve(name)
    await kept.update(name, metadata={"of": "me"})
    await client.responses.create(model="gpt-5", input="hi", conversation=name)
    await kept.items.create(name, items=ITEMS)
    item = (await kept.items.list(name)).data[0].id or ""
    await kept.items.retrieve(item, conversation_id=name)
    await kept.items.delete(item, conversation_id=name)
    await kept.delete(name)


async def rest_of_openai() -> None:
    client = openai.AsyncOpenAI(api_key="k")
    response = await client.responses.create(model="gpt-5", input="hi")
    await client.responses.retrieve(response.id)
    await client.responses.input_items.list(response.id)
    await client.responses.input_tokens.count(model="gpt-5", input="hi")
    await client.responses.delete(response.id)
    await client.responses.compact(model="gpt-5", input=ITEMS)
    later = await client.responses.create(model="gpt-5", input="hi", background=True)
    await asyncio.sleep(0.01)
    await client.responses.retrieve(later.id)
    await client.responses.cancel(later.id)
    await client.responses.retrieve(later.id)
    await conversations_of_openai(client)
    await client.chat.completions.create(model="gpt-4o", messages=CHAT["messages"])
    await client.embeddings.create(
        model="text-embedding-3-small", input="hi", encoding_format="float"
    )
    await client.moderations.create(input=["hi", "ho"])
    await client.models.list()
    await client.models.retrieve("gpt-4o")
    line = b'{"custom_id":"1","method":"POST","url":"/v1/responses","body":{"model":"gpt-4o","input":"hi"}}'
    file = await client.files.create(file=("a.jsonl", line), purpose="batch")
    await client.files.list()
    await client.files.retrieve(file.id)
    await client.files.content(file.id)
    batch = await client.batches.create(
        input_file_id=file.id, endpoint="/v1/responses", completion_window="24h"
    )
    await client.batches.list()
    await client.batches.retrieve(batch.id)
    await client.batches.cancel(batch.id)
    await client.files.delete(file.id)


def unseen(operations: Operations, seen: Seen, base: str = "") -> list[str]:
    """The operations from whose answers an SDK made no object."""
    asked = [told.split() for told in seen.paths]
    return [
        str(one)
        for one in operations
        if not any(one.is_at(method, path.removeprefix(base).split("/")) for method, path in asked)
    ]


def test_every_other_answer_of_openai_keeps_the_types(sim: Sim) -> None:
    seen = seen_of(sim, openai, "hello", rest_of_openai)
    assert seen.problems == []
    # The SDK reads no object from these.
    assert unseen(openai_operations.SIMULATED, seen, "/v1") == [
        "POST /traces/ingest",
        "DELETE /responses/{}",
        "GET /files/{}/content",
    ]


async def rest_of_anthropic() -> None:
    client = anthropic.AsyncAnthropic(api_key="k")
    said: Any = [{"role": "user", "content": "hi"}]
    asked: Any = {"model": "claude-opus-5", "max_tokens": 5000, "messages": said}
    await client.messages.create(**asked)
    await client.messages.count_tokens(model="claude-opus-5", messages=said)
    await client.models.list()
    await client.models.retrieve("claude-opus-5")
    batch = await client.messages.batches.create(requests=[{"custom_id": "1", "params": asked}])
    await client.messages.batches.list()
    while (await client.messages.batches.retrieve(batch.id)).processing_status != "ended":  # noqa: ASYNC110 - a batch tells nobody
        await asyncio.sleep(60)
    async for result in await client.messages.batches.results(batch.id):
        told = result.to_dict(exclude_unset=True, use_api_names=True)
        assert problems(told, type(result)) == []
    await client.messages.batches.delete(batch.id)
    other = await client.messages.batches.create(requests=[{"custom_id": "1", "params": asked}])
    await client.messages.batches.cancel(other.id)
    for files in (client.files, client.beta.files):
        file = await files.upload(file=("a.txt", b"hi", "text/plain"), expires_in_seconds=3600)
        await files.list()
        await files.retrieve_metadata(file.id)
        await files.delete(file.id)


def test_every_other_answer_of_anthropic_keeps_the_types(sim: Sim) -> None:
    seen = seen_of(sim, anthropic, "hello", rest_of_anthropic)
    assert seen.problems == []
    # The SDK reads lines from the one, and bytes from the other.
    assert unseen(anthropic_operations.SIMULATED, seen) == [
        "GET /v1/files/{}/content",
        "GET /v1/messages/batches/{}/results",
    ]


# -- the yardstick --------------------------------------------------------------------------------------------------


class _Small(BaseModel):
    type: typing.Literal["small"]
    number: int
    note: str | None = None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"type": "small", "number": 1}, []),
        ({"type": "small", "number": 1, "note": None}, []),
        ({"type": "small"}, ["$.number: _Small requires it"]),
        ({"type": "small", "number": 1, "x": 2}, ["$.x: _Small does not know it"]),
        ({"type": "small", "number": "1"}, [f"$.number: '1' is no {int}"]),
    ],
)
def test_strict_types_find_what_is_unknown_missing_or_of_another_type(
    value: Any, found: list[str]
) -> None:
    assert problems(value, _Small) == found
    assert members(_Small | None) == [_Small]
