"""Tools that Anthropic uses itself: offered, forced, paid for, timed, cited, paused."""

# ruff: noqa: ANN401 - SDK objects are anything
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from harness import Reply, ServerTool
from harness.errors import StubError
from harness.sim import Sim
from harness.wire.anthropic.thinking import REDACT

LATENCY = {"ttft_s": 1.0, "itl_s": 0.0}
PAGE = {"title": "Weather", "url": "https://w.example/", "text": "Rain until noon."}
SEARCH = ServerTool("web_search", query="weather", results=[PAGE, "https://x.example/"])
TOOL = {"type": "web_search_20250305", "name": "web_search"}


def asking(*tools: dict[str, Any], said: Any = "hi", **more: Any) -> Callable[[], Any]:
    async def program() -> object:
        messages: Any = said if isinstance(said, list) else [{"role": "user", "content": said}]
        asked: Any = {"model": "claude-haiku-4-5", "max_tokens": 9000, "messages": messages, **more}
        if tools:
            asked["tools"] = list(tools)
        return await anthropic.AsyncAnthropic(api_key="k").messages.create(**asked)

    return program


def kinds(message: Any) -> list[str]:
    return [block.type for block in message.content]


def test_search_is_two_blocks_before_the_text_that_cites_it(sim: Sim) -> None:
    sim.agent("a", reply=SEARCH)
    message = sim.run(asking(TOOL)).output
    assert kinds(message) == ["server_tool_use", "web_search_tool_result", "text"]
    use, result, text = message.content
    assert (use.name, use.input) == ("web_search", {"query": "weather"})
    assert result.tool_use_id == use.id
    assert [one.url for one in result.content] == [PAGE["url"], "https://x.example/"]
    assert [(one.url, one.cited_text) for one in text.citations] == [(PAGE["url"], PAGE["text"])]
    assert message.usage.server_tool_use.web_search_requests == 1
    assert message.stop_reason == "end_turn"


def test_fee_time_and_results_are_those_of_the_attempt(sim: Sim) -> None:
    sim.agent("a", reply=[Reply(SEARCH.told), SEARCH], latency_s=LATENCY)
    program = asking(TOOL)

    async def twice() -> None:
        await program()
        await program()

    plain, searched = (call.attempts[0] for call in sim.run(twice).calls())
    assert [one.end_s - one.start_s for one in (plain, searched)] == [1.0, 2.5]
    assert searched.input_tokens - plain.input_tokens == 4 + 1000
    tokens = 1004 * 1e-6 + (searched.output_tokens - plain.output_tokens) * 5e-6
    assert searched.cost_usd - plain.cost_usd == pytest.approx(0.01 + tokens)


def test_failed_search_is_an_error_block_and_free(sim: Sim) -> None:
    sim.agent("a", reply=ServerTool("web_search", query="q", error="max_uses_exceeded"))
    message = sim.run(asking(TOOL)).output
    assert message.content[1].content.error_code == "max_uses_exceeded"
    assert message.usage.server_tool_use.web_search_requests == 0


@pytest.mark.parametrize("choice", [{"type": "any"}, {"type": "tool", "name": "web_search"}])
def test_forced_tool_is_used_whatever_the_reply_says(sim: Sim, choice: Any) -> None:
    sim.agent("a", reply="Hello")
    message = sim.run(asking(TOOL, tool_choice=choice)).output
    assert kinds(message) == ["server_tool_use", "web_search_tool_result", "text"]


def test_tool_that_is_not_offered_cannot_be_used(sim: Sim) -> None:
    sim.agent("a", reply=SEARCH)
    with pytest.raises(StubError, match="'web_search' is used, but the request does not offer it"):
        sim.run(asking())


@pytest.mark.parametrize(
    ("version", "name", "result"),
    [
        ("code_execution_20250522", "code_execution", "code_execution_tool_result"),
        ("code_execution_20250825", "bash_code_execution", "bash_code_execution_tool_result"),
    ],
)
def test_code_runs_as_the_offered_version_runs_it(
    sim: Sim, version: str, name: str, result: str
) -> None:
    sim.agent("a", reply=ServerTool("code_execution", code="print(1)", results="1\n"))
    message = sim.run(asking({"type": version, "name": "code_execution"})).output
    assert (message.content[0].name, kinds(message)[1]) == (name, result)
    assert message.content[1].content.stdout == "1\n"
    assert message.container.id.startswith("container_01")


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-5"])
def test_paused_turn_is_continued_by_sending_it_back(sim: Sim, model: str) -> None:
    sim.agent("a", reply=[ServerTool("web_search", query="q", pauses=True), "Done."])

    async def program() -> tuple[Any, Any]:
        client = anthropic.AsyncAnthropic(api_key="k")
        said: Any = [{"role": "user", "content": "hi"}]
        asked: Any = {"model": model, "max_tokens": 9000, "tools": [TOOL]}
        first = await client.messages.create(messages=said, **asked)
        said.append({"role": "assistant", "content": first.content})
        return first, await client.messages.create(messages=said, **asked)

    first, second = sim.run(program).output
    assert first.stop_reason == "pause_turn"
    assert kinds(first)[-1] == "web_search_tool_result"
    assert second.content[-1].text == "Done."


def test_magic_string_redacts_thoughts(sim: Sim) -> None:
    sim.agent("a", reply="Hello")
    thinking = {"type": "enabled", "budget_tokens": 1024}
    message = sim.run(asking(said=REDACT, thinking=thinking)).output
    assert kinds(message) == ["redacted_thinking", "text"]


def test_citations_point_into_the_documents(sim: Sim) -> None:
    sim.agent("a", reply=Reply("Green.", cites=("grass is green",)))
    source = {"type": "text", "media_type": "text/plain", "data": "The grass is green."}
    document = {"type": "document", "source": source, "citations": {"enabled": True}}
    said = [{"role": "user", "content": [document, {"type": "text", "text": "Which colour?"}]}]
    (cited,) = sim.run(asking(said=said)).output.content[0].citations
    assert cited.type == "char_location"
    assert source["data"][cited.start_char_index : cited.end_char_index] == "grass is green"


def test_citation_of_what_nobody_wrote_is_an_error_of_the_test(sim: Sim) -> None:
    sim.agent("a", reply=Reply("Green.", cites=("the sky",)))
    with pytest.raises(StubError, match="cites 'the sky'"):
        sim.run(asking())
