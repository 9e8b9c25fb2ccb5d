"""A conversation of six turns over a long document, with a prompt cache. The user thinks for seven minutes between two turns.

It is the program of prompt_cache_expires.yaml. The cache keeps the document for five minutes, so each turn writes it anew, at a
price above that of reading it; with a lifetime of an hour only the first one does.
"""

from __future__ import annotations

import asyncio
from typing import Literal

import anthropic

DOCUMENT = "Clause: the tenant keeps the stairs clean, and the landlord the roof. " * 400
TURNS = 6
THINKING_S = 420.0


async def chat(text: str) -> str:
    """Ask about the document, with the cache's usual lifetime of five minutes."""
    return await _chat(text, "5m")


async def chat_with_an_hour(text: str) -> str:
    """The same with a lifetime of an hour."""
    return await _chat(text, "1h")


async def _chat(text: str, lifetime: Literal["5m", "1h"]) -> str:
    client = anthropic.AsyncAnthropic()
    said: list[anthropic.types.MessageParam] = []
    answer = ""
    for turn in range(1, TURNS + 1):
        if turn > 1:
            await asyncio.sleep(THINKING_S)
        said.append({"role": "user", "content": f"{text}, question {turn}?"})
        message = await client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=500,
            system=[
                {
                    "type": "text",
                    "text": DOCUMENT,
                    "cache_control": {"type": "ephemeral", "ttl": lifetime},
                }
            ],
            messages=said,
        )
        answer = "".join(part.text for part in message.content if part.type == "text")
        said.append({"role": "assistant", "content": answer})
    return answer
