"""The SDK `google-genai`, unchanged, in a simulated run; tests that need it are skipped where it is not installed."""

# ruff: noqa: ANN401 - the SDK is not there where types are checked
from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

genai: Any = pytest.importorskip("google.genai", reason="google-genai is not installed")
types: Any = pytest.importorskip("google.genai.types")

OLD, NEW = "gemini-2.5-flash", "gemini-3.8-flash"


@asynccontextmanager
async def client(**settings: Any) -> AsyncIterator[Any]:
    """An asynchronous client."""
    made = genai.Client(api_key="k", **settings)
    try:
        yield made.aio
    finally:
        await made.aio.aclose()
        made.close()


async def generate(contents: Any = "hi", model: str = OLD, **config: Any) -> Any:
    """Ask for a whole reply."""
    async with client() as gemini:
        return await gemini.models.generate_content(
            model=model, contents=contents, config=config or None
        )


async def stream(contents: Any = "hi", model: str = OLD, **config: Any) -> list[Any]:
    """Ask for a streamed reply, and read it to its end."""
    async with client() as gemini:
        chunks = await gemini.models.generate_content_stream(
            model=model, contents=contents, config=config or None
        )
        return [chunk async for chunk in chunks]


def blocking(contents: Any = "hi", model: str = OLD, **config: Any) -> Any:
    """Ask for a whole reply with the blocking client."""
    with genai.Client(api_key="k") as gemini:
        return gemini.models.generate_content(model=model, contents=contents, config=config or None)


def blocking_stream(contents: Any = "hi", model: str = OLD, **config: Any) -> list[Any]:
    """Ask for a streamed reply with the blocking client."""
    with genai.Client(api_key="k") as gemini:
        return [
            *gemini.models.generate_content_stream(
                model=model, contents=contents, config=config or None
            )
        ]


Program = Callable[..., Any]
