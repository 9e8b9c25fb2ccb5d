"""Requests and replies as one text each, for people to read."""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.models.api import ChatMessage, Reply, Request, ToolCall


def prompt_text(request: Request) -> str:
    """The whole prompt, each part under a line with its role."""
    parts = [_part("system", request.system)] if request.system else []
    for said in request.conversation:
        parts += _parts(said)
    if not request.conversation:  # a pattern has no wire on which one could be seen
        parts.append(_part("user", request.prompt))
    return "\n\n".join(parts)


def reply_text(reply: Reply) -> str:
    """The whole reply, with its tool calls and their arguments."""
    thinking = [_part("thinking", reply.thinking)] if reply.thinking else []
    text = [reply.text] if reply.text else []
    return "\n\n".join([*thinking, *text, *map(_wish, reply.tool_calls)])


def _parts(said: ChatMessage) -> Iterator[str]:
    if said.text:
        yield _part(said.role, said.text)
    yield from map(_wish, said.tool_calls)
    for result in said.tool_results:
        yield _part(f"{'error' if result.is_error else 'result'} of {result.tool}", result.text)


def _wish(call: ToolCall) -> str:
    arguments = json.dumps(call.arguments, ensure_ascii=False, default=str)
    return _part(f"call of {call.tool}", arguments)


def _part(whose: str, text: str) -> str:
    return f"[{whose}]\n{text}"
