"""How the programs of the zoo call models, and how they end when a provider fails for good."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx2
import openai

from harness.agents import ToolError


class Unusable(Exception):  # noqa: N818 - as users name them
    """A reply that is cut off or empty."""


CALL_ERRORS = (
    anthropic.APIError,
    openai.APIError,
    httpx2.HTTPError,  # the SDKs let those through that come in the middle of a stream
    json.JSONDecodeError,
    Unusable,
    TimeoutError,
)
"""What a call may fail with, in a program that catches all of it."""

CLEAN = (*CALL_ERRORS, ToolError)
"""What a program may end with when something outside of it fails for good."""


@dataclass(frozen=True)
class Failed:
    """The output of a program that could not do its work, and says so."""

    error: str


def async_client(**settings: Any) -> anthropic.AsyncAnthropic:  # noqa: ANN401 - the SDK's
    """A client that does not retry by itself."""
    return anthropic.AsyncAnthropic(api_key="test", **{"max_retries": 0, **settings})


def blocking_client(**settings: Any) -> anthropic.Anthropic:  # noqa: ANN401 - the SDK's
    """The same for threads."""
    return anthropic.Anthropic(api_key="test", **{"max_retries": 0, **settings})


def openai_client(**settings: Any) -> openai.AsyncOpenAI:  # noqa: ANN401 - the SDK's
    """The same of another provider."""
    return openai.AsyncOpenAI(api_key="test", **{"max_retries": 0, **settings})


async def ask(client: anthropic.AsyncAnthropic | openai.AsyncOpenAI, who: str, text: str) -> str:
    """One call of an agent.

    Raises:
        Unusable: The reply is cut off or empty.
    """
    if isinstance(client, openai.AsyncOpenAI):
        completion = await client.chat.completions.create(
            model="gpt-4o-mini",
            max_completion_tokens=500,
            messages=[
                {"role": "system", "content": f"You are the {who}."},
                {"role": "user", "content": text},
            ],
        )
        choices = getattr(completion, "choices", None)
        if not choices or choices[0].finish_reason != "stop" or not choices[0].message.content:
            raise Unusable(who)
        return str(choices[0].message.content)
    return _text_of(await client.messages.create(**_request(who, text)), who)


def ask_blocking(client: anthropic.Anthropic, who: str, text: str) -> str:
    """One call of an agent, in a thread."""
    return _text_of(client.messages.create(**_request(who, text)), who)


def _request(who: str, text: str) -> dict[str, Any]:
    return {
        "model": "claude-haiku-4-5",
        "max_tokens": 500,
        "system": f"You are the {who}.",
        "messages": [{"role": "user", "content": text}],
    }


def _text_of(message: Any, who: str) -> str:  # noqa: ANN401 - a damaged one is no message
    content = getattr(message, "content", None)
    if not content or message.stop_reason != "end_turn":
        raise Unusable(who)
    return str(content[0].text)


def cleanly(program: Callable[[], Any]) -> Callable[[], Any]:
    """The program, which returns `Failed` where a provider's or a tool's error reaches its top."""
    if inspect.iscoroutinefunction(program):

        @functools.wraps(program)
        async def whole_async() -> Any:  # noqa: ANN401 - the program's
            try:
                return await program()
            except (*CLEAN, ExceptionGroup) as error:
                return _failed(error)

        return whole_async

    @functools.wraps(program)
    def whole() -> Any:  # noqa: ANN401 - the program's
        try:
            return program()
        except (*CLEAN, ExceptionGroup) as error:
            return _failed(error)

    return whole


def _failed(error: Exception) -> Failed:
    if isinstance(error, ExceptionGroup):
        _, others = error.split(CLEAN)
        if others is not None:
            raise others
    return Failed(type(error).__name__)
