"""Teams of AutoGen, with its client for OpenAI."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.models import ToolCall
from harness.sim import ProgramRun, Sim

pytest.importorskip("autogen_agentchat", reason="needs autogen-agentchat")
pytest.importorskip("autogen_ext.models.openai", reason="needs autogen-ext[openai]")

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.base import TaskResult
from autogen_agentchat.conditions import MaxMessageTermination, TextMentionTermination
from autogen_agentchat.messages import ModelClientStreamingChunkEvent
from autogen_agentchat.teams import RoundRobinGroupChat, SelectorGroupChat
from autogen_ext.models.openai import OpenAIChatCompletionClient

RunAlike = Callable[..., ProgramRun]


async def word_count(text: str) -> int:
    """Count the words of a text."""
    return len(text.split())


def newsroom(*, stream: bool = False) -> Any:  # noqa: ANN401 - autogen's
    """A writer who counts words, and an editor who approves."""
    client = OpenAIChatCompletionClient(model="gpt-4o")
    writer = AssistantAgent(
        "writer",
        model_client=client,
        tools=[word_count],
        reflect_on_tool_use=True,
        system_message="You write headlines.",
        model_client_stream=stream,
    )
    editor = AssistantAgent(
        "editor",
        model_client=client,
        system_message="You approve headlines.",
        model_client_stream=stream,
    )
    end = TextMentionTermination("APPROVE") | MaxMessageTermination(12)
    return RoundRobinGroupChat([writer, editor], termination_condition=end)


async def find_headline(story: str) -> list[tuple[str, str]]:
    """What is said in the newsroom, and by whom."""
    result = await newsroom().run(task=story)
    return [(said.source, said.to_text()) for said in result.messages if said.type == "TextMessage"]


HEADLINES = ["Fog lifts over the old town at noon", "Old town sees the sun again"]


@pytest.fixture
def desk(sim: Sim) -> None:
    count = ToolCall("word_count", {"text": HEADLINES[0]})
    sim.agent("writer", system="You write*", reply=[count, *HEADLINES])
    sim.agent("editor", system="You approve*", reply=["Too long by two words.", "APPROVE"])


@pytest.mark.usefixtures("desk")
def test_a_round_robin_goes_on_until_the_editor_approves(run_alike: RunAlike) -> None:
    run = run_alike(find_headline, "The fog lifted.")

    assert run.output == [
        ("user", "The fog lifted."),
        ("writer", HEADLINES[0]),
        ("editor", "Too long by two words."),
        ("writer", HEADLINES[1]),
        ("editor", "APPROVE"),
    ]
    assert [call.agent for call in run.all_calls] == [
        "writer",
        "writer",
        "editor",
        "writer",
        "editor",
    ]
    assert run.calls("writer")[1].messages[-1].tool_results[0].text == "8"
    run.assert_called_with_output_of("editor", "writer")
    run.assert_called_with_output_of("writer", "editor")
    assert run.latency_s > 0
    assert run.unsimulated == {}


@pytest.mark.usefixtures("desk")
def test_a_team_streams_what_is_said_as_it_is_said(sim: Sim) -> None:
    async def listen() -> tuple[dict[str, str], int]:
        heard: dict[str, str] = {}
        parts = 0
        async for event in newsroom(stream=True).run_stream(task="The fog lifted."):
            if isinstance(event, ModelClientStreamingChunkEvent):
                heard[event.source] = heard.get(event.source, "") + event.content
                parts += 1
        return heard, parts

    run = sim.run(listen)
    heard, parts = run.output

    assert heard == {"writer": "".join(HEADLINES), "editor": "Too long by two words.APPROVE"}
    assert parts > 4
    assert run.unsimulated == {}


@pytest.mark.usefixtures("desk")
def test_the_sdk_underneath_waits_as_long_as_a_rate_limit_tells_it(sim: Sim) -> None:
    sim.provider("openai", latency=2)
    sim.fault("status", status=429, agent="editor", call=1, attempt=1, retry_after_s=7)

    run = sim.run(find_headline, "The fog lifted.")

    assert (run.rate_limited, run.retries) == (1, 1)
    assert run.latency_s == pytest.approx(7 + 5 * 2, abs=0.1)


def test_an_overloaded_editor_ends_the_run_of_the_whole_team(sim: Sim) -> None:
    sim.agent("writer", system="You write*", reply=HEADLINES[0])
    sim.agent("editor", system="You approve*")
    sim.fault("overloaded", agent="editor")

    with pytest.raises(RuntimeError, match="InternalServerError: Error code: 503"):
        sim.run(find_headline, "The fog lifted.")

    assert sim.last_run is not None
    assert [len(call.attempts) for call in sim.last_run.all_calls] == [1, 3]
    assert sim.last_run.agents == ["writer", "editor"]


async def select(story: str) -> list[str]:
    """A model decides who speaks next."""
    client = OpenAIChatCompletionClient(model="gpt-4o")
    team = SelectorGroupChat(
        [
            AssistantAgent(
                "reporter", client, description="Finds facts.", system_message="You find facts."
            ),
            AssistantAgent("cook", client, description="Cooks.", system_message="You cook."),
        ],
        model_client=OpenAIChatCompletionClient(model="gpt-4o-mini"),
        termination_condition=MaxMessageTermination(3),
        allow_repeated_speaker=True,
    )
    result = await team.run(task=story)
    assert isinstance(result, TaskResult)
    return [said.source for said in result.messages]


def test_a_selector_is_an_agent_that_its_model_tells_apart(sim: Sim) -> None:
    sim.agent("selector", model="gpt-4o-mini", reply=["reporter", "cook"])
    sim.agent("reporter", system="You find facts.", reply="Leeks are cheap at the harbour market.")
    sim.agent("cook", system="You cook.", reply="Then leeks it is.")

    run = sim.run(select, "What is for dinner?")

    assert run.output == ["user", "reporter", "cook"]
    assert [call.agent for call in run.all_calls] == ["selector", "reporter", "selector", "cook"]
    run.assert_called_with_output_of("cook", "reporter")
