"""A reply as a stream of answers, each with what is new (https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent).

The sizes of pieces are guesses: a short one with the first token, then about a hundred to four hundred characters. A
function call comes whole. The last answer says nothing but why the reply ended, with the final usage.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.provider.tokens import CHARACTERS_PER_TOKEN, count_tokens
from harness.wire.api import Completion, Ids, Prompt
from harness.wire.gemini.headers import compact, pretty
from harness.wire.gemini.reply import candidate, chunk, is_blocked, parts_of, usage, usage_of
from harness.wire.http import Part

_FIRST_MIN, _FIRST_SPREAD = 8, 40
_PIECE_MIN, _PIECE_SPREAD = 100, 300


class _Piece(NamedTuple):
    """A part of one reply."""

    candidate: int
    part: JsonObject
    generated: int
    """What had to be generated for it [characters]."""
    said: int
    """How much of the reply it says [characters]."""


def parts(prompt: Prompt, spoken: Completion, ids: Ids) -> list[Part]:
    """A reply in parts, each of one answer; the last of them only says that it was the last."""
    bodies = [*_bodies(prompt, spoken, ids)]
    if not prompt.details.is_array:
        return [Part(b"data: " + compact(body) + b"\r\n\r\n", share) for body, share in bodies]
    last = len(bodies) - 1
    return [
        Part(
            (b"[" if n == 0 else b",\r\n") + pretty(body).rstrip() + (b"]" if n == last else b"\n"),
            share,
        )
        for n, (body, share) in enumerate(bodies)
    ]


def _bodies(prompt: Prompt, spoken: Completion, ids: Ids) -> Iterator[tuple[JsonObject, float]]:
    """Each answer, with how much of the reply has been generated when it is sent."""
    if is_blocked(spoken):
        yield chunk(prompt, ids, usage_of(prompt, spoken), []), 1.0
        return
    replies = spoken.each_of(prompt.choices)
    wholes = [parts_of(prompt, one, ids) for one in replies]
    pieces = [
        piece
        for index, (whole, one) in enumerate(zip(wholes, replies, strict=True))
        for piece in _pieces(index, whole, one, prompt, ids)
    ]
    total = sum(piece.generated for piece in pieces)
    first = pieces[0].generated if pieces and _comes_first(pieces[0]) else 0
    all_said = spoken.usage.output_tokens - spoken.thought_tokens
    done = said = 0
    for piece in pieces:
        done, said = done + piece.generated, said + piece.said
        share = (done - first) / (total - first) if done > first else 0.0
        so_far = usage(prompt, spoken, min(all_said, round(said / CHARACTERS_PER_TOKEN)))
        yield (
            chunk(prompt, ids, so_far, [candidate(piece.candidate, [piece.part], None, prompt)]),
            share,
        )
    ends = [
        candidate(index, _last_part(whole), one, prompt)
        for index, (whole, one) in enumerate(zip(wholes, replies, strict=True))
    ]
    yield chunk(prompt, ids, usage_of(prompt, spoken), ends), 1.0


def _comes_first(piece: _Piece) -> bool:
    return piece.generated <= _FIRST_MIN + _FIRST_SPREAD


def _last_part(whole: list[JsonObject]) -> list[JsonObject]:
    """What the last answer says of a reply: nothing, and the signature of a text."""
    signature = whole[-1].get("thoughtSignature") if whole and "text" in whole[-1] else None
    return [{"text": "", **({"thoughtSignature": signature} if signature else {})}]


def _pieces(
    index: int, whole: list[JsonObject], spoken: Completion, prompt: Prompt, ids: Ids
) -> Iterator[_Piece]:
    if _is_lost(spoken, prompt):
        return
    silent = round(spoken.thought_tokens * CHARACTERS_PER_TOKEN)
    for part in whole:
        if part.get("thought"):
            stretch = silent / max(1, len(part["text"]))
            for text in _cut(part["text"], ids):
                yield _Piece(index, {"text": text, "thought": True}, round(len(text) * stretch), 0)
            silent = 0
        elif "text" in part:
            for text in _cut(part["text"], ids):
                yield _Piece(index, {"text": text}, silent + len(text), len(text))
                silent = 0
        else:
            size = round(count_tokens(str(part["functionCall"])) * CHARACTERS_PER_TOKEN)
            yield _Piece(index, part, silent + size, size)
            silent = 0


def _is_lost(spoken: Completion, prompt: Prompt) -> bool:
    """Whether the reply ends in a way that leaves nothing of it."""
    return "finishMessage" in candidate(0, [], spoken, prompt)


def _cut(text: str, ids: Ids) -> Iterator[str]:
    place, size = 0, _FIRST_MIN + ids.number("first piece", _FIRST_SPREAD)
    while place < len(text):
        yield text[place : place + size]
        place, size = place + size, _PIECE_MIN + ids.number("piece", _PIECE_SPREAD)
