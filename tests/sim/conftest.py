"""A program of one call, as short as can be."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

anthropic = pytest.importorskip("anthropic")


async def ask_claude(text: str = "hi", system: str = "", **settings: object) -> str:
    client = anthropic.AsyncAnthropic(max_retries=0, **settings)
    more = {"system": system} if system else {}
    message = await client.messages.create(
        model="claude-sonnet-5",
        max_tokens=1000,
        messages=[{"role": "user", "content": text}],
        **more,
    )
    said: str = message.content[0].text
    return said


@pytest.fixture
def ask() -> Callable[..., Coroutine[Any, Any, str]]:
    """`await ask("question", system="You are ...")` gives the text of the answer; nothing is retried."""
    return ask_claude
