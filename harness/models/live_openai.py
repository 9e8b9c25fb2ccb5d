"""OpenAI's API, and those of others who speak it, through its SDK."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import openai

from harness.json_types import JsonObject
from harness.models.api import ChatMessage, Request
from harness.models.live import Heard, model_error
from harness.units import Usage


class LiveOpenAI:
    """OpenAI's chat completions.

    Args:
        key: The key.
        base_url: Where it is; None means where it really is, or what OPENAI_BASE_URL says.
    """

    def __init__(self, key: str, base_url: str | None) -> None:
        # Policies of the scenario retry, and each try reserves what it can cost.
        self._client = openai.AsyncOpenAI(api_key=key, base_url=base_url, max_retries=0)
        is_openai = self._client.base_url.host == "api.openai.com"
        # OpenAI's newer models refuse the old name, and others do not know the new one.
        self._max_tokens = "max_completion_tokens" if is_openai else "max_tokens"

    def asked(self, request: Request, model: str, max_tokens: int) -> JsonObject:
        """The body of a request."""
        asked: JsonObject = {
            "model": model,
            self._max_tokens: max_tokens,
            "messages": _messages(request),
            "stream_options": {"include_usage": True},
        }
        if request.tools:
            asked["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": name,
                        "description": name,
                        "parameters": {"type": "object", "properties": {}},
                    },
                }
                for name in request.tools
            ]
        return asked

    async def ask(
        self, asked: JsonObject, headers: Mapping[str, str], first: Callable[[], None]
    ) -> Heard:
        """Send it, and hear the stream to its end.

        Raises:
            ModelError: The API refused, or the connection broke.
        """
        heard = Heard()
        try:
            stream: Any = await self._client.chat.completions.create(
                **asked, stream=True, extra_headers=dict(headers)
            )
            begun = False
            async for chunk in stream:
                if not begun and any(_says(choice.delta) for choice in chunk.choices):
                    begun = True
                    first()
                _hear(heard, chunk)
        except openai.APIError as error:
            raise model_error(error) from error
        return heard

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def _says(delta: Any) -> bool:  # noqa: ANN401 - a part of the SDK's chunk
    return bool(delta.content or delta.tool_calls or delta.refusal)


def _hear(heard: Heard, chunk: Any) -> None:  # noqa: ANN401 - the SDK's
    if chunk.usage is not None:
        details = chunk.usage.prompt_tokens_details
        cached = (details.cached_tokens or 0) if details is not None else 0
        heard.usage = Usage(
            chunk.usage.prompt_tokens - cached, chunk.usage.completion_tokens, cached
        )
    for choice in chunk.choices:
        heard.text += choice.delta.content or ""
        for part in choice.delta.tool_calls or ():
            while len(heard.tools) <= part.index:
                heard.tools.append(("", ""))
            name, arguments = heard.tools[part.index]
            told = part.function
            heard.tools[part.index] = (
                name + ((told and told.name) or ""),
                arguments + ((told and told.arguments) or ""),
            )
        heard.truncated |= choice.finish_reason == "length"
        heard.refused |= choice.finish_reason == "content_filter" or bool(choice.delta.refusal)


def _messages(request: Request) -> list[JsonObject]:
    """The messages; results name the calls of the message before them, in their order."""
    messages: list[JsonObject] = []
    if request.system:
        messages.append({"role": "system", "content": request.system})
    ids: list[str] = []
    for place, said in enumerate(request.conversation):
        messages += [
            {"role": "tool", "tool_call_id": tool_id, "content": result.text}
            for tool_id, result in zip(ids, said.tool_results, strict=False)
        ]
        ids = [f"call_{place}_{number}" for number, _ in enumerate(said.tool_calls)]
        if said.text or ids:
            messages.append(_message(said, ids))
    return messages


def _message(said: ChatMessage, ids: list[str]) -> JsonObject:
    message: JsonObject = {"role": said.role, "content": said.text}
    if ids:
        message["tool_calls"] = [
            {
                "id": tool_id,
                "type": "function",
                "function": {"name": call.tool, "arguments": json.dumps(call.arguments)},
            }
            for tool_id, call in zip(ids, said.tool_calls, strict=True)
        ]
    return message
