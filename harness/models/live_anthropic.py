"""Anthropic's API, through its SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anthropic

from harness.json_types import JsonObject
from harness.models.api import ChatMessage, Request
from harness.models.live import Heard, model_error
from harness.units import Usage


class LiveAnthropic:
    """Anthropic's API.

    Args:
        key: The key.
        base_url: Where it is; None means where it really is, or what ANTHROPIC_BASE_URL says.
    """

    def __init__(self, key: str, base_url: str | None) -> None:
        # Policies of the scenario retry, and each try reserves what it can cost.
        self._client = anthropic.AsyncAnthropic(api_key=key, base_url=base_url, max_retries=0)

    def asked(self, request: Request, model: str, max_tokens: int) -> JsonObject:
        """The body of a request."""
        asked: JsonObject = {
            "model": model,
            "max_tokens": max_tokens,
            "messages": _messages(request.conversation),
        }
        if request.system:
            asked["system"] = request.system
        if request.tools:
            asked["tools"] = [
                {"name": name, "description": name, "input_schema": {"type": "object"}}
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
            stream: Any = await self._client.messages.create(
                **asked, stream=True, extra_headers=dict(headers)
            )
            begun = False
            async for event in stream:
                if event.type == "content_block_delta" and not begun:
                    begun = True
                    first()
                _hear(heard, event)
        except anthropic.APIError as error:
            raise model_error(error) from error
        return heard

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close()


def _hear(heard: Heard, event: Any) -> None:  # noqa: ANN401 - one of the SDK's events
    match event.type:
        case "message_start":
            told = event.message.usage
            heard.usage = Usage(
                told.input_tokens,
                told.output_tokens,
                told.cache_read_input_tokens or 0,
                told.cache_creation_input_tokens or 0,
            )
        case "content_block_start" if event.content_block.type == "tool_use":
            heard.tools.append((event.content_block.name, ""))
        case "content_block_delta" if event.delta.type == "text_delta":
            heard.text += event.delta.text
        case "content_block_delta" if event.delta.type == "input_json_delta" and heard.tools:
            name, arguments = heard.tools[-1]
            heard.tools[-1] = (name, arguments + event.delta.partial_json)
        case "message_delta":
            if heard.usage is not None and event.usage.output_tokens is not None:
                heard.usage = heard.usage._replace(output_tokens=event.usage.output_tokens)
            heard.truncated = event.delta.stop_reason == "max_tokens"
            heard.refused = event.delta.stop_reason == "refusal"


def _messages(conversation: tuple[ChatMessage, ...]) -> list[JsonObject]:
    """The messages; results name the calls of the message before them, in their order."""
    messages: list[JsonObject] = []
    ids: list[str] = []
    for place, said in enumerate(conversation):
        content: list[JsonObject] = [
            {
                "type": "tool_result",
                "tool_use_id": tool_id,
                "content": result.text,
                "is_error": result.is_error,
            }
            for tool_id, result in zip(ids, said.tool_results, strict=False)
        ]
        if said.text:
            content.append({"type": "text", "text": said.text})
        ids = [f"toolu_{place}_{number}" for number, _ in enumerate(said.tool_calls)]
        content += [
            {"type": "tool_use", "id": tool_id, "name": call.tool, "input": call.arguments}
            for tool_id, call in zip(ids, said.tool_calls, strict=True)
        ]
        if content:
            messages.append({"role": said.role, "content": content})
    return messages
