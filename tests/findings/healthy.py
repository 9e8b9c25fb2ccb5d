"""Programs that do everything well, put together by chance; no rule may find anything in them."""

# ruff: noqa: TID251 - clients of SDKs; programs as users write them
from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import anthropic

from harness.metrics.stood_out import stood_out
from harness.models import ToolCall
from harness.sim import Sim

RULES = "You know all the rules of the city, and you apply them with good sense. " * 200
WORDS = [
    "harbour",
    "castle",
    "river",
    "market",
    "tower",
    "bridge",
    "garden",
    "museum",
    "station",
    "library",
]


class Program:
    """Some healthy steps one after the other, each told what the last one said.

    Args:
        seed: What they follow from.
    """

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.sim = Sim(seed=seed)
        self.client: Any = None
        self.steps = self.rng.choices(STEPS, k=self.rng.randint(1, 4))
        self.describe()

    def describe(self) -> None:
        rng, sim = self.rng, self.sim
        replies = iter(range(10**6))
        for agent in ("planner", "worker", "critic", "writer", "clerk"):
            sim.agent(
                agent,
                system=f"*{agent}*",
                reply=lambda call: (
                    f"{call.agent} thought {next(replies)} about {rng.choice(WORDS)} {rng.random():.9f}"
                ),
                latency_s={"uniform": {"low": 0.5, "high": 6.0}},
                allow_unused=True,
            )
        sim.agent("labeller", system="*labeller*", reply="sight", latency_s=2.0, allow_unused=True)
        sim.agent(
            "scout",
            system="*scout*",
            reply=lambda call: (
                ToolCall("look_up", {"place": WORDS[len(call.conversation) % 10]})
                if len(call.conversation) < 7
                else f"the scout saw {rng.choice(WORDS)} {next(replies)}"
            ),
            allow_unused=True,
        )
        sim.agent(
            "registrar",
            system="*registrar*",
            reply=lambda _: ToolCall("record", {"number": next(replies)}),
            allow_unused=True,
        )
        self.book = sim.tool("book_room", result="booked", latency_s=0.5)
        self.status = sim.tool("job_state", result=lambda: "running", latency_s=0.2)
        if race in self.steps:
            return  # a loser that is cancelled while its SDK backs off looks as if it had given up
        if rng.random() < 0.4:
            kind, more = rng.choice(FAULTS)
            sim.fault(kind, call=rng.randint(1, 3), attempt=1, allow_unmet=True, **more)
        if rng.random() < 0.2 and not {with_tools, form} & set(self.steps):
            sim.provider("anthropic", requests_per_min=rng.choice([30, 60, 200]))

    def run(self) -> list[Any]:
        """What is found, and what stood out."""
        run = self.sim.run(self.main)
        return [*run.findings, *stood_out(run.events_table)]

    async def main(self) -> str:
        self.client = anthropic.AsyncAnthropic(timeout=40, max_retries=6)
        told = self.rng.choice(WORDS)
        for step in self.steps:
            told = await step(self, told)
        return told

    async def ask(self, agent: str, text: str) -> str:
        message = await self.client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=500,
            system=f"You are the {agent}.",
            messages=[{"role": "user", "content": text}],
        )
        return str(message.content[0].text)


Step = Callable[[Program, str], Awaitable[str]]


async def chain(it: Program, told: str) -> str:
    for agent in ("planner", "writer", "critic")[: it.rng.randint(1, 3)]:
        told = await it.ask(agent, f"go on from this: {told}")
    return told


async def fan_out(it: Program, told: str) -> str:
    plan = await it.ask("planner", told)
    asked = [it.ask("worker", f"part {n} of {plan}") for n in range(it.rng.randint(2, 8))]
    return await it.ask("writer", "\n".join(await asyncio.gather(*asked)))


async def group(it: Program, told: str) -> str:
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(it.ask("worker", f"{n}: {told}")) for n in range(3)]
    return await it.ask("writer", "\n".join(task.result() for task in asked))


async def bounded(it: Program, told: str) -> str:
    """Many texts, a few at once."""
    gate = asyncio.Semaphore(4)

    async def one(number: int) -> str:
        async with gate:
            return await it.ask("worker", f"text {number}: {told}")

    return " ".join(await asyncio.gather(*(one(number) for number in range(30))))


async def plain_loop(it: Program, told: str) -> str:
    """Quick calls, as they come; of equal and of growing length."""
    texts = [f"{told} {WORDS[n % 10] * (n if it.rng.random() < 0.5 else 1)} {n}" for n in range(40)]
    return " ".join([await it.ask("labeller", text) for text in texts])


async def review(it: Program, told: str) -> str:
    draft = await it.ask("writer", told)
    for _ in range(it.rng.randint(1, 5)):
        verdict = await it.ask("critic", draft)
        draft = await it.ask("writer", f"{draft}\n{verdict}")
    return draft


async def conversation(it: Program, told: str) -> str:
    messages: list[Any] = [{"role": "user", "content": told}]
    for number in range(it.rng.randint(2, 6)):
        message = await it.client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=500,
            system="You are the clerk.",
            messages=messages,
        )
        told = message.content[0].text
        messages += [
            {"role": "assistant", "content": told},
            {"role": "user", "content": f"and then, {number}?"},
        ]
    return told


async def cached(it: Program, told: str) -> str:
    mark = {"type": "ephemeral", "ttl": it.rng.choice(["5m", "1h"])}
    for number in range(it.rng.randint(1, 5)):
        message = await it.client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=500,
            system=[{"type": "text", "text": f"You are the clerk. {RULES}", "cache_control": mark}],
            messages=[{"role": "user", "content": f"{number}: {told}"}],
        )
        told = message.content[0].text
    return told


async def race(it: Program, told: str) -> str:
    tasks = [asyncio.create_task(it.ask("worker", f"{n}: {told}")) for n in range(2)]
    done, losers = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for loser in losers:
        loser.cancel()
    await asyncio.gather(*losers, return_exceptions=True)
    return next(iter(done)).result()


async def background(it: Program, told: str) -> str:
    noted = asyncio.create_task(it.ask("clerk", told))
    said = await it.ask("writer", told)
    return f"{said} {await noted}"


async def poll(it: Program, told: str) -> str:
    for _ in range(it.rng.randint(2, 9)):
        await it.status()
        await asyncio.sleep(2)
    return told


async def book_once(it: Program, told: str) -> str:
    await it.book(told[:20], number=it.rng.random())
    return await it.ask("writer", f"confirm {told}")


async def in_time(it: Program, told: str) -> str:
    return await asyncio.wait_for(it.ask("writer", told), 300)


async def beside_a_thread(it: Program, told: str) -> str:
    said, size = await asyncio.gather(it.ask("writer", told), asyncio.to_thread(len, told))
    return f"{said} {size}"


async def streamed(it: Program, told: str) -> str:
    async with it.client.messages.stream(
        model="claude-sonnet-4-6",
        max_tokens=500,
        system="You are the writer.",
        messages=[{"role": "user", "content": told}],
    ) as stream:
        return str((await stream.get_final_message()).content[0].text)


async def with_tools(it: Program, told: str) -> str:
    """An agent that uses a tool until it knows enough, for something else each time."""
    messages: list[Any] = [{"role": "user", "content": told}]
    while True:
        message = await it.client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=500,
            system="You are the scout.",
            tools=[{"name": "look_up", "input_schema": {"type": "object"}}],
            messages=messages,
        )
        uses = [part for part in message.content if part.type == "tool_use"]
        if not uses:
            return str(message.content[0].text)
        found = [
            {"type": "tool_result", "tool_use_id": use.id, "content": f"{use.input} is there"}
            for use in uses
        ]
        messages += [
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": found},
        ]


async def form(it: Program, told: str) -> str:
    """A tool that is a form to be filled in has no result."""
    message = await it.client.messages.create(
        model="claude-sonnet-4-6",
        max_tokens=500,
        system="You are the registrar.",
        tools=[{"name": "record", "input_schema": {"type": "object"}}],
        tool_choice={"type": "tool", "name": "record"},
        messages=[{"role": "user", "content": told}],
    )
    return f"{told} {message.content[0].input}"


STEPS: list[Step] = [
    chain, fan_out, group, bounded, plain_loop, review, conversation, cached, race, background, poll, book_once, in_time,
    beside_a_thread, streamed, with_tools, form,
]  # fmt: skip

FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("overloaded", {}),
    ("status", {"status": 429, "retry_after_s": 7}),
    ("status", {"status": 500}),
    ("hang", {}),
    ("latency", {"factor": 3}),
    ("reset", {}),
]
