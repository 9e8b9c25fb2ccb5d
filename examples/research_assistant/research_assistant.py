"""A research assistant: a planner splits a topic, workers answer side by side, a synthesizer writes the report."""

from __future__ import annotations

import asyncio
import re
import sys

from anthropic import APIError, AsyncAnthropic

PLANNER = "You are a research planner. Split the topic into numbered questions, one a line."
WORKER = "You are a research worker. Answer the question in a few sentences."
SYNTHESIZER = (
    "You are a synthesizer. Write a short report from the findings, and from nothing else."
)

STRONG_MODEL = "claude-sonnet-4-6"
FAST_MODEL = "claude-haiku-4-5"

MAX_QUESTIONS = 8
TIMEOUT_S = 30.0


async def research(topic: str) -> str:
    """Research a topic and write a report; a question that cannot be answered is left open and named as such."""
    async with AsyncAnthropic(timeout=TIMEOUT_S, max_retries=2) as client:
        plan = await _ask(client, STRONG_MODEL, PLANNER, f"Topic: {topic}")
        questions = questions_of(plan)
        findings = await asyncio.gather(*(_find_out(client, question) for question in questions))
        sections = [
            f"Question: {q}\nFinding: {f}" for q, f in zip(questions, findings, strict=True)
        ]
        return await _ask(
            client, STRONG_MODEL, SYNTHESIZER, "\n\n".join([f"Topic: {topic}", *sections])
        )


def questions_of(plan: str) -> list[str]:
    """The questions of a plan: its numbered lines."""
    numbered = re.findall(r"^\s*\d+[.)]\s*(.+)$", plan, flags=re.MULTILINE)
    return numbered[:MAX_QUESTIONS]


async def _find_out(client: AsyncAnthropic, question: str) -> str:
    try:
        return await _ask(client, FAST_MODEL, WORKER, question)
    except APIError as error:
        return f"(left open: {type(error).__name__})"


async def _ask(client: AsyncAnthropic, model: str, system: str, prompt: str) -> str:
    message = await client.messages.create(
        model=model,
        max_tokens=1024,
        system=system,
        messages=[{"role": "user", "content": prompt}],
    )
    return "".join(block.text for block in message.content if block.type == "text")


if __name__ == "__main__":
    print(asyncio.run(research(" ".join(sys.argv[1:]))))
