"""A program of one call, as short as can be."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Coroutine, Iterator
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


@pytest.fixture(autouse=True, scope="session")
def one_tls_context() -> Iterator[None]:
    """Let all clients share a TLS context, which nobody uses: making one takes longer than a simulated call."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture
def ask() -> Callable[..., Coroutine[Any, Any, str]]:
    """`await ask("question", system="You are ...")` gives the text of the answer; nothing is retried."""
    return ask_claude
