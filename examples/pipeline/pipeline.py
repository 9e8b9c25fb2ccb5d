"""A pipeline that turns a long text into a newsletter item: extract, draft, edit; all stages share one state."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from openai import APIError, AsyncOpenAI

MODEL = "gpt-4o-mini"
EXTRACTOR = (
    "You are a fact extractor. List the facts of the passage, one a line, each after a dash."
)
WRITER = "You are a newsletter writer. Write one paragraph from the facts, and from nothing else."
EDITOR = "You are an editor. Tighten the paragraph without changing what it says."

STAGE_TRIES = 2


@dataclass(slots=True)
class Item:
    """What the stages work on."""

    source: str
    facts: list[str] = field(default_factory=list)
    draft: str = ""
    final: str = ""
    done: list[str] = field(default_factory=list)
    """The stages that are behind it."""


Stage = Callable[[AsyncOpenAI, Item], Awaitable[None]]


async def publish(source: str) -> Item:
    """Take a text through all stages; a stage is what is tried again, so the SDK need not."""
    item = Item(source)
    async with AsyncOpenAI(timeout=30, max_retries=0) as client:
        for stage in (extract, write, edit):
            await _with_retry(stage, client, item)
            item.done.append(stage.__name__)
    return item


async def extract(client: AsyncOpenAI, item: Item) -> None:
    """Collect the facts of every passage, in the order of the text."""
    for passage in item.source.split("\n\n"):
        listed = await _ask(client, EXTRACTOR, passage)
        item.facts += [
            line.removeprefix("-").strip() for line in listed.splitlines() if line.strip()
        ]


async def write(client: AsyncOpenAI, item: Item) -> None:
    """Make a paragraph of the facts."""
    item.draft = await _ask(client, WRITER, "\n".join(f"- {fact}" for fact in item.facts))


async def edit(client: AsyncOpenAI, item: Item) -> None:
    """Polish the paragraph."""
    item.final = await _ask(client, EDITOR, item.draft)


async def _with_retry(stage: Stage, client: AsyncOpenAI, item: Item) -> None:
    for left in reversed(range(STAGE_TRIES)):
        try:
            await stage(client, item)
        except APIError:
            if not left:
                raise
        else:
            return


async def _ask(client: AsyncOpenAI, system: str, prompt: str) -> str:
    completion = await client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "system", "content": system}, {"role": "user", "content": prompt}],
    )
    return completion.choices[0].message.content or ""


if __name__ == "__main__":
    print(asyncio.run(publish(sys.stdin.read())).final)
