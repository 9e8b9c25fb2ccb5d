"""The program of a reader of the documentation: what its examples import from `my_app`."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

from anthropic import Anthropic, AsyncAnthropic

SEARCH: Any = {
    "name": "search",
    "input_schema": {
        "type": "object",
        "properties": {"query": {"type": "string"}},
        "required": ["query"],
    },
}


async def ask(system: str, text: str, **client: Any) -> str:  # noqa: ANN401 - what the client takes
    """One question to one agent, by a client with these settings, such as `timeout=30`."""
    message = await AsyncAnthropic(**client).messages.create(
        model="claude-sonnet-4-6",
        max_tokens=500,
        system=system,
        messages=[{"role": "user", "content": text}],
    )
    return message.content[0].text  # type: ignore[union-attr]


async def research_assistant(topic: str) -> str:
    """A planner, a worker for each line of its plan, and a synthesizer."""
    plan = await ask("You are a research planner.", topic)
    findings = await asyncio.gather(
        *(ask("Summarize what is known.", line) for line in plan.splitlines())
    )
    return await ask("You are a synthesizer.", "\n".join(findings))


def stock_of(item: str) -> int:
    """What a database says."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("create table stock (item text, number integer)")
        database.execute("insert into stock values ('lamps', 7)")
        row = database.execute("select number from stock where item = ?", (item,)).fetchone()
    return row[0] if row else 0


def clerk(item: str) -> str:
    """An agent that is told what a database says, by a program that blocks."""
    message = Anthropic().messages.create(
        model="claude-sonnet-4-6",
        max_tokens=500,
        system="You are a clerk.",
        messages=[{"role": "user", "content": f"{item}: {stock_of(item)} left"}],
    )
    return message.content[0].text  # type: ignore[union-attr]


async def plan_a_trip(city: str) -> str:
    """A planner."""
    return await ask("You plan trips.", city)


async def answer(question: str) -> str:
    """An agent with a tool, which tells the model when it was called wrongly."""
    client = AsyncAnthropic()
    messages: list[Any] = [{"role": "user", "content": question}]
    while True:
        said = await client.messages.create(
            model="claude-sonnet-4-6", max_tokens=500, messages=messages, tools=[SEARCH]
        )
        calls = [block for block in said.content if block.type == "tool_use"]
        if not calls:
            return said.content[0].text  # type: ignore[union-attr]
        messages += [
            {"role": "assistant", "content": said.content},
            {"role": "user", "content": [_result(call) for call in calls]},
        ]


def _result(call: Any) -> dict[str, Any]:  # noqa: ANN401 - the SDK's block
    wrong = not isinstance(call.input.get("query"), str)
    text = "query must be a text" if wrong else "12 documents"
    return {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": text,
        "is_error": wrong,
    }
