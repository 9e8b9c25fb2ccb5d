"""A program that does a bit of everything, and prints the hash of its run; for runs in other processes."""

from __future__ import annotations

import asyncio
import hashlib
import uuid  # noqa: TID251 - a program of a user

import anthropic
import openai

from harness.sim import ProgramRun, Sim
from harness.spans import as_json_lines


async def ask_twice(client: anthropic.AsyncAnthropic, number: int) -> str:
    async with asyncio.timeout(20):
        message = await client.messages.create(
            model="claude-sonnet-4-6", max_tokens=100, system="You are a worker.",
            messages=[{"role": "user", "content": f"question {number % 3} {uuid.uuid4()}"}],
        )  # fmt: skip
        (block,) = message.content
        assert block.type == "text"
        async with client.messages.stream(
            model="claude-haiku-4-5", max_tokens=100, system="You are a writer.",
            messages=[{"role": "user", "content": block.text}],
        ) as stream:  # fmt: skip
            return await stream.get_final_text()


async def program() -> list[str]:
    said = []
    client, other = anthropic.AsyncAnthropic(), openai.AsyncOpenAI()
    for writing in asyncio.as_completed([ask_twice(client, number) for number in range(12)]):
        try:
            said.append(await writing)
        except (TimeoutError, anthropic.APIError) as error:
            said.append(type(error).__name__)
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(5):
                group.create_task(other.responses.create(model="gpt-5", input=str(number)))
            late = other.responses.create(model="gpt-5", input="and now?")
            group.create_task(asyncio.wait_for(late, 0.5))
    except* TimeoutError as errors:
        said.append(f"{len(errors.exceptions)} too late")
    return said


def run() -> ProgramRun:
    sim = Sim(3)
    sim.provider("anthropic", requests_per_min=20, concurrency=3)
    sim.agent("worker", system="*worker*", reply=lambda call: f"I think that {call.prompt} is fine")
    sim.agent("writer", system="*writer*")
    sim.agent("clerk", model="gpt-5")
    sim.fault("overloaded", probability=0.2)
    sim.fault("stall", agent="writer", call=2)
    return sim.run(program)


def digest(found: ProgramRun) -> str:
    whole = as_json_lines(found.spans_table) + repr(found.output)
    return hashlib.sha256(whole.encode()).hexdigest()


if __name__ == "__main__":
    print(digest(run()))  # noqa: T201 - it is run as a program
