"""Chat Completions: the answer as a stream of chunks.

    role -> a piece of text, or of a tool's arguments, at a time -> why it ended -> [usage] -> [DONE]

As recorded: a lone tool call comes with the role; several come after it, each with a chunk of its own for its name.
"""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.wire.api import Completion, Moment, Prompt
from harness.wire.http import HttpResponse, Part
from harness.wire.openai.chat import (
    ChatWish,
    choice_of,
    fingerprint,
    finish_reason,
    new_id,
    tool_call,
    usage_of,
)
from harness.wire.openai.deltas import cut, padded, spread
from harness.wire.openai.encoding import compact, data_line
from harness.wire.openai.headers import EVENTS, begun_s, headers
from harness.wire.openai.models import snapshot

_DONE = b"data: [DONE]\n\n"


def stream_chat(prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
    """The answer in parts."""
    return HttpResponse(200, headers(moment, EVENTS), _Chunks(prompt, spoken, moment).parts())


class _Chunks:
    """The chunks of one completion."""

    def __init__(self, prompt: Prompt, spoken: Completion, moment: Moment) -> None:
        self._prompt = prompt
        self._spoken = spoken
        self._ids = moment.ids
        self._wish: ChatWish = prompt.details
        self._head: JsonObject = {
            "id": new_id(moment.ids),
            "object": "chat.completion.chunk",
            "created": begun_s(moment),
            "model": snapshot(prompt.model),
            "service_tier": "default",
            "system_fingerprint": fingerprint(prompt.model),
        }

    def parts(self) -> list[Part]:
        """All of them, each with its place in time."""
        openings: list[bytes] = []
        deltas: list[bytes] = []
        last: list[bytes] = []
        for index in range(self._wish.choices):
            opening, *pieces = self._deltas()
            openings.append(self._chunk(index, opening))
            deltas += (self._chunk(index, piece) for piece in pieces)
            last.append(self._chunk(index, {}, finish_reason(self._prompt, self._spoken)))
        if self._wish.include_usage:
            last.append(self._encoded({"choices": [], "usage": usage_of(self._spoken)}))
        thought = self._spoken.thought_tokens  # it comes before all chunks
        opened = [(chunk, thought) for chunk in openings]
        numbered = [(chunk, thought + number) for number, chunk in enumerate(deltas, 1)]
        return spread(opened + numbered, [*last, _DONE])

    def _deltas(self) -> list[JsonObject]:
        """What one choice says, piece by piece, from its opening."""
        reply = self._spoken.reply
        written = [compact(call.arguments) for call in reply.tool_calls]
        text, *arguments = cut([reply.text, *written], self._spoken.said_tokens)
        name = "refusal" if self._spoken.stop == "refusal" else "content"
        deltas: list[JsonObject] = [self._opening(name)]
        deltas += ({name: piece} for piece in text)
        for number, (call, pieces) in enumerate(zip(reply.tool_calls, arguments, strict=True)):
            opened = {"index": number, **tool_call(call, self._ids, "")}
            if len(deltas) == 1 and len(reply.tool_calls) == 1:
                deltas[0] = {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [opened],
                    "refusal": None,
                }
            else:
                deltas.append({"tool_calls": [opened]})
            deltas += (
                {"tool_calls": [{"index": number, "function": {"arguments": piece}}]}
                for piece in pieces
            )
        return deltas

    def _opening(self, name: str) -> JsonObject:
        if name == "refusal":
            return {"role": "assistant", "content": None, "refusal": ""}
        if self._spoken.reply.tool_calls and not self._spoken.reply.text:
            return {"role": "assistant", "content": None}
        return {"role": "assistant", "content": "", "refusal": None}

    def _chunk(self, index: int, delta: JsonObject, end: str | None = None) -> bytes:
        body: JsonObject = {"choices": [choice_of(index, "delta", delta, self._prompt, end)]}
        if self._wish.include_usage:
            body["usage"] = None
        return self._encoded(body)

    def _encoded(self, body: JsonObject) -> bytes:
        chunk = self._head | body
        return data_line(padded(chunk, self._ids) if self._wish.obfuscated else compact(chunk))
