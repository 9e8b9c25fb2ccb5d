"""A team on a clock of its own, whose models take a stated time, say a stated thing, or fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from harness.agents import Agent, Message, Task, Tool, ToolError
from harness.chance import Draws
from harness.kernel import Kernel, run
from harness.models import ModelError, Reply, Request, ToolCall
from harness.patterns import Pattern
from harness.resilience import Policies
from harness.spans import AGENT, MESSAGE, TOOL, SpanLog

Answer = str | Reply | Exception | Callable[[str], str | Reply]
"""What a speaker says: a text, a reply, a failure, or what follows from the prompt."""
FAILURE = ModelError("api_error", 500, "no")


class Speaker:
    """A model that answers from a list, the last for ever, each answer after its time."""

    def __init__(self, takes_s: float, *answers: Answer) -> None:
        self.prompts: list[str] = []
        self.input_tokens: list[int] = []
        self._takes_s = takes_s
        self._answers = list(answers)

    async def reply(self, request: Request) -> Reply:
        self.prompts.append(request.prompt)
        self.input_tokens.append(request.input_tokens)
        await asyncio.sleep(self._takes_s)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = answer(request.prompt)
        return Reply(answer, output_tokens=len(answer)) if isinstance(answer, str) else answer


class Kitchen:
    """A tool for each test: takes a second, and answers or fails."""

    def __init__(self, takes_s: float, answer: str | None) -> None:
        self.uses: list[tuple[ToolCall, str]] = []
        self._takes_s = takes_s
        self._answer = answer

    async def use(self, call: ToolCall, key: str) -> str:
        self.uses.append((call, key))
        await asyncio.sleep(self._takes_s)
        if self._answer is None:
            raise ToolError("out of order")
        return self._answer


class Stage:
    """A team on a clock of its own."""

    def __init__(self, tools: dict[str, Tool] | None = None, /, **speakers: Speaker) -> None:
        self.kernel = Kernel()
        self.log = SpanLog(self.kernel.now_s)
        self.speakers = speakers
        self.team = {
            name: Agent(name, speaker, "m", self.log, Draws(1), Policies(), tools=tools)
            for name, speaker in speakers.items()
        }
        self.task = Task(1, "task", self.log.open_task("task", 1), log=self.log)

    def play(self, pattern: Pattern) -> Message:
        message = Message(self.task, "user", "the task", 100)
        return run(self.kernel, self._play(pattern, message))

    async def _play(self, pattern: Pattern, message: Message) -> Message:
        return await pattern.run(message, self.team)

    def turns(self) -> list[tuple[str, float, float, str]]:
        """Agent, beginning, end and status of each turn, in the order in which they began."""
        rows = self.log.spans.rows("span_id", "kind", "agent", "arrival_s", "end_s", "status")
        return [row[2:] for row in sorted(rows) if row[1] == AGENT]

    def messages(self) -> list[tuple[str, str, str]]:
        """Sender, recipient and type of each message that somebody has got."""
        rows = self.log.events.rows("name", "agent", "recipient", "detail")
        return [row[1:] for row in rows if row[0] == MESSAGE]

    def tools(self) -> list[tuple[Any, ...]]:
        rows = self.log.spans.rows(
            "kind", "name", "ordinal", "arrival_s", "end_s", "status", "error"
        )
        return [row[1:] for row in rows if row[0] == TOOL]
