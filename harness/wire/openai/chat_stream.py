"""Chat Completions: the answer as a stream of chunks.

    role -> a piece of text, or of a tool's arguments, at a time -> why it ended -> [usage] -> [DONE]

As recorded: a lone tool call comes with the role; several come after it, each with a chunk of its own for its name.
"""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.models import Reply
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
from harness.wire.openai.logprobs import logprobs_of
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
            "service_tier": self._wish.tier,
            "system_fingerprint": fingerprint(prompt.model),
        }

    def parts(self) -> list[Part]:
        """All of them, each with its place in time."""
        openings: list[bytes] = []
        deltas: list[bytes] = []
        last: list[bytes] = []
        for index, spoken in enumerate(self._spoken.each_of(self._prompt.choices)):
            opening, *said = self._deltas(spoken)
            openings.append(self._chunk(index, opening, probable=()))
            deltas += (self._chunk(index, piece, probable=self._tokens(piece)) for piece in said)
            last.append(self._chunk(index, {}, finish_reason(self._prompt, spoken)))
        if self._wish.include_usage:
            last.append(self._encoded({"choices": [], "usage": usage_of(self._spoken)}))
        thought = self._spoken.thought_tokens  # it comes before all chunks
        opened = [(chunk, thought) for chunk in openings]
        numbered = [(chunk, thought + number) for number, chunk in enumerate(deltas, 1)]
        return spread(opened + numbered, [*last, _DONE])

    def _deltas(self, spoken: Completion) -> list[JsonObject]:
        """What one choice says, piece by piece, from its opening."""
        reply = spoken.reply
        written = [compact(call.arguments) for call in reply.tool_calls]
        text, *arguments = cut([reply.text, *written], spoken.said_tokens)
        name = "refusal" if spoken.stop == "refusal" else "content"
        deltas: list[JsonObject] = [_opening(name, reply)]
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

    def _tokens(self, delta: JsonObject) -> tuple[str, ...] | None:
        """The token that a delta brings; None if it brings none of the text."""
        return (delta["content"],) if delta.get("content") else None

    def _chunk(
        self,
        index: int,
        delta: JsonObject,
        end: str | None = None,
        probable: tuple[str, ...] | None = None,
    ) -> bytes:
        """One chunk.

        Args:
            index: The number of its choice.
            delta: What it says.
            end: Why the choice ended; None while it goes on.
            probable: The tokens whose log probabilities it tells; None for a chunk without any.
        """
        told = None
        if self._wish.logprobs is not None and probable is not None:
            told = logprobs_of(probable, self._wish.logprobs, self._ids)
        choice = choice_of(index, "delta", delta, self._prompt, end, told)
        body: JsonObject = {"choices": [choice]}
        if self._wish.include_usage:
            body["usage"] = None
        return self._encoded(body)

    def _encoded(self, body: JsonObject) -> bytes:
        chunk = self._head | body
        return data_line(padded(chunk, self._ids) if self._wish.obfuscated else compact(chunk))


def _opening(name: str, reply: Reply) -> JsonObject:
    if name == "refusal":
        return {"role": "assistant", "content": None, "refusal": ""}
    if reply.tool_calls and not reply.text:
        return {"role": "assistant", "content": None}
    return {"role": "assistant", "content": "", "refusal": None}
