"""A ReAct agent: it reasons, asks for tools, reads their results, and answers; within a cap on its steps."""

from __future__ import annotations

import asyncio
import operator
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from anthropic import AsyncAnthropic
from anthropic.types import MessageParam, ToolParam, ToolResultBlockParam, ToolUseBlock

MODEL = "claude-sonnet-4-6"
SYSTEM = "You are a careful analyst. Look facts up, compute with the calculator, then answer in one sentence."
MAX_STEPS = 6
TIMEOUT_S = 20.0

TOOLS: list[ToolParam] = [
    {
        "name": "search",
        "description": "Look a fact up.",
        "input_schema": {
            "type": "object",
            "properties": {"query": {"type": "string"}},
            "required": ["query"],
        },
    },
    {
        "name": "calculate",
        "description": "Apply +, -, * or / to two numbers.",
        "input_schema": {
            "type": "object",
            "properties": {
                "left": {"type": "number"},
                "sign": {"enum": list("+-*/")},
                "right": {"type": "number"},
            },
            "required": ["left", "sign", "right"],
        },
    },
]
SIGNS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}


class StepLimitError(Exception):
    """The agent asked for tools until its steps were used up."""


async def answer(question: str) -> str:
    """Answer a question; `StepLimitError` if that takes more than `MAX_STEPS` calls of the model."""
    messages: list[MessageParam] = [{"role": "user", "content": question}]
    async with AsyncAnthropic(timeout=TIMEOUT_S) as client:
        for _ in range(MAX_STEPS):
            reply = await client.messages.create(
                model=MODEL, max_tokens=1024, system=SYSTEM, tools=TOOLS, messages=messages
            )
            if reply.stop_reason != "tool_use":
                return "".join(block.text for block in reply.content if block.type == "text")
            wishes = [block for block in reply.content if block.type == "tool_use"]
            results = await asyncio.gather(*map(_use, wishes))
            messages += [
                {"role": "assistant", "content": reply.content},
                {"role": "user", "content": results},
            ]
    raise StepLimitError(f"no answer after {MAX_STEPS} steps: {question}")


async def search(query: str) -> str:
    """Ask the search service."""
    async with httpx.AsyncClient() as client:
        response = await client.get("https://search.example.com/v1", params={"q": query})
        return response.raise_for_status().text


async def calculate(left: float, sign: str, right: float) -> str:
    """Compute."""
    return f"{SIGNS[sign](left, right):g}"


async def _use(wish: ToolUseBlock) -> ToolResultBlockParam:
    tools: dict[str, Callable[..., Awaitable[str]]] = {"search": search, "calculate": calculate}
    arguments: dict[str, Any] = wish.input
    try:
        content, is_error = await tools[wish.name](**arguments), False
    except Exception as error:
        content, is_error = f"{type(error).__name__}: {error}", True
    return {"type": "tool_result", "tool_use_id": wish.id, "content": content, "is_error": is_error}


if __name__ == "__main__":
    print(asyncio.run(answer(" ".join(sys.argv[1:]))))
