"""What an agent remembers of its earlier turns in a task, and what it is given again."""

from __future__ import annotations

import pytest

from harness.agents import Agent, Message, Task
from harness.agents.context import Context, Full, Inputs, LastK, Summary
from harness.chance import Draws
from harness.kernel import Kernel, run
from harness.models import Reply, Request
from harness.resilience import Policies
from harness.spans import AGENT, SpanLog


class Model:
    """Answers each call with its number, ten tokens long."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def reply(self, request: Request) -> Reply:
        self.requests.append(request)
        return Reply(f"answer {len(self.requests)}", output_tokens=10)


class Desk:
    """An agent with a context, and one that sums up."""

    def __init__(self, context: Context) -> None:
        self.kernel = Kernel()
        self.log = SpanLog(self.kernel.now_s)
        self.model, self.scribe = Model(), Model()
        self.agent = self._agent("a", self.model, context)
        self.agent.summarizer = self._agent("scribe", self.scribe, Inputs())
        self.task = self.new_task(1)

    def _agent(self, name: str, model: Model, context: Context) -> Agent:
        return Agent(name, model, "m", self.log, Draws(1), Policies(), context=context)

    def new_task(self, number: int) -> Task:
        return Task(number, "task", self.log.open_task("task", number))

    def ask(self, text: str, task: Task | None = None, tokens: int = 5) -> Message:
        message = Message.of_text(task or self.task, "user", text, tokens=tokens)
        return run(self.kernel, self.agent.handle(message))

    def given(self) -> list[list[str]]:
        """What each call was given, from the first word on."""
        return [[said.text for said in request.conversation] for request in self.model.requests]


def test_turn_is_a_conversation_of_its_own_unless_a_context_is_stated() -> None:
    desk = Desk(Inputs())
    for text in ("one", "two"):
        desk.ask(text)
    assert desk.given() == [["one"], ["two"]]
    assert [request.input_tokens for request in desk.model.requests] == [5, 5]


def test_full_context_is_all_that_was_said_in_the_task() -> None:
    desk = Desk(Full())
    for text in ("one", "two", "three"):
        desk.ask(text)
    assert desk.given()[2] == ["one", "answer 1", "two", "answer 2", "three"]
    assert [request.input_tokens for request in desk.model.requests] == [5, 20, 35]
    assert [said.role for said in desk.model.requests[2].said] == ["user", "assistant"] * 2 + ["user"]  # fmt: skip


def test_agent_remembers_nothing_of_another_task() -> None:
    desk = Desk(Full())
    desk.ask("one")
    desk.ask("two", desk.new_task(2))
    assert desk.given() == [["one"], ["two"]]


def test_last_messages_are_kept_and_earlier_ones_forgotten() -> None:
    desk = Desk(LastK(k=3))
    for text in ("one", "two", "three"):
        desk.ask(text)
    assert desk.given()[2] == ["answer 1", "two", "answer 2", "three"]
    assert desk.model.requests[2].input_tokens == 10 + 5 + 10 + 5


def test_summary_is_written_by_another_agent_once_the_whole_is_too_long() -> None:
    desk = Desk(Summary(by="scribe", above_tokens=20, keep=1))
    for text in ("one", "two", "three", "four"):
        desk.ask(text)
    assert desk.given()[1] == ["one", "answer 1", "two"]  # 15 tokens
    assert desk.given()[2] == [
        "answer 1",
        "answer 2",
        "three",
    ]  # the scribe's, then the last as it is
    assert desk.scribe.requests[0].prompt == (
        "Sum up this conversation.\n\nuser: one\n\nassistant: answer 1\n\nuser: two"
    )
    assert desk.scribe.requests[0].input_tokens == 20
    assert len(desk.scribe.requests) == 2


def test_turn_of_the_summarizer_is_a_part_of_the_turn_that_needs_it() -> None:
    desk = Desk(Summary(by="scribe", above_tokens=0, keep=1))
    desk.ask("one")
    desk.ask("two")
    rows = {row[0]: row for row in desk.log.spans.rows("span_id", "parent_id", "kind", "agent")}
    (scribe,) = (row for row in rows.values() if row[2:] == (AGENT, "scribe"))
    assert rows[scribe[1]][2:] == (AGENT, "a")


@pytest.mark.parametrize("context", [Full(), LastK(k=2), Summary(by="scribe", above_tokens=9)])
def test_same_tokens_are_paid_in_every_run(context: Context) -> None:
    def sizes() -> list[int]:
        desk = Desk(context)
        for text in ("one", "two", "three"):
            desk.ask(text)
        return [request.input_tokens for request in desk.model.requests]

    assert sizes() == sizes()
