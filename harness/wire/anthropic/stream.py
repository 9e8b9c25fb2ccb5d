"""A reply as a stream of events (https://docs.claude.com/en/api/messages-streaming), as recorded streams are built.

Sizes of pieces and blanks are those of 1,569 text deltas and 719 events in public recordings: text comes in pieces of 15
characters in the median and 20 in the mean, JSON in fragments of 2 to 15 that are cut anywhere, and every event but
`ping` has 0 to 15 blanks before its last brace, which hide its length.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from harness.json_types import JsonObject
from harness.provider.tokens import CHARACTERS_PER_TOKEN
from harness.wire.anthropic.headers import encode
from harness.wire.anthropic.reply import content, ending, managed, opening, usage, usage_so_far
from harness.wire.anthropic.tool_blocks import container_of
from harness.wire.api import Completion, Ids, Moment, Prompt
from harness.wire.hosted import waits_of
from harness.wire.http import Part

_PING = b'event: ping\ndata: {"type": "ping"}\n\n'
_MAX_BLANKS = 15
_MAX_FIRST_TOKENS = 6
"""What `message_start` says of the tokens generated so far."""
_MAX_FIRST = 15
"""How much is there with the first token at most [characters]; hidden thoughts are longer, and take their time."""
_MAX_FIRST_PIECE = 6
"""The first piece of a text is about one token."""


class _Event(NamedTuple):
    """One event of a stream."""

    data: JsonObject
    generated: int = 0
    """What had to be generated for it alone [characters]."""


def parts_of(
    prompt: Prompt, spoken: Completion, moment: Moment
) -> tuple[list[Part], str, list[JsonObject]]:
    """A reply in parts, each of one event; the last of them only says that it was the last.

    Returns:
        The parts, the id of the message, and its content as it would be in one piece.
    """
    ids = moment.ids
    head = opening(prompt, ids)
    blocks = content(prompt, spoken, moment)
    start = _message_start(head, prompt, spoken, ids)
    reply, writing_s = spoken.reply, moment.times.writing_s
    waits = waits_of(reply.server_tools, prompt.hosted, spoken.usage, writing_s)
    events = [
        event for n, block in enumerate(blocks) for event in _block(n, block, spoken, waits, ids)
    ]
    parts = [Part(_event(start, ids), 0.0), *_timed(events, ids)]
    container = container_of(spoken.reply.server_tools, ids, moment.at_s)
    end = {
        "type": "message_delta",
        "delta": ending(prompt, spoken) | ({"container": container} if container else {}),
        "usage": usage_so_far(prompt, spoken),
        **managed(prompt),
    }
    parts.append(Part(_event(end, ids), 1.0))
    parts.append(Part(_event({"type": "message_stop"}, ids), 1.0))
    return parts, head["id"], blocks


def _message_start(head: JsonObject, prompt: Prompt, spoken: Completion, ids: Ids) -> JsonObject:
    numbers = usage(prompt, spoken)
    numbers.pop("output_tokens_details", None)
    numbers.pop("server_tool_use", None)
    first = 1 + ids.number("first tokens", _MAX_FIRST_TOKENS)
    numbers["output_tokens"] = min(spoken.usage.output_tokens, first)
    nothing = {"stop_reason": None, "stop_sequence": None, "stop_details": None}
    return {"type": "message_start", "message": {**head, **nothing, "usage": numbers}}


def _timed(events: list[_Event], ids: Ids) -> Iterator[Part]:
    """The events, each with its share of the reply: the first thing generated is there with the first token."""
    total = sum(event.generated for event in events)
    first = min(_MAX_FIRST, next((event.generated for event in events if event.generated), 0))
    done = 0
    for number, event in enumerate(events):
        done += event.generated
        share = (done - first) / (total - first) if done > first else 0.0
        yield Part(_event(event.data, ids), share)
        if number == 0:
            yield Part(_PING, share)


def _block(
    number: int, block: JsonObject, spoken: Completion, waits: Iterator[float], ids: Ids
) -> Iterator[_Event]:
    """The events of one content block; what the server found comes in one piece, when it is found."""
    if block["type"].endswith("_result") or block["type"] == "redacted_thinking":
        is_thought = block["type"] == "redacted_thinking"
        tokens = spoken.thought_tokens if is_thought else next(waits, 0.0)
        took = round(tokens * CHARACTERS_PER_TOKEN)
        yield _Event({"type": "content_block_start", "index": number, "content_block": block}, took)
        yield _Event({"type": "content_block_stop", "index": number})
        return
    match block["type"]:
        case "thinking":
            empty, pieces = (
                {**block, "thinking": "", "signature": ""},
                _thoughts(block, spoken, ids),
            )
        case "text":
            empty, pieces = {**block, "text": ""}, _cited(block, ids)
            if "citations" in block:
                empty["citations"] = []
        case _:
            empty, pieces = {**block, "input": {}}, _fragments(block["input"], ids)
    yield _Event({"type": "content_block_start", "index": number, "content_block": empty})
    for delta, generated in pieces:
        yield _Event({"type": "content_block_delta", "index": number, "delta": delta}, generated)
    yield _Event({"type": "content_block_stop", "index": number})


_Pieces = Iterator[tuple[JsonObject, int]]
"""Deltas, each with what had to be generated for it [characters]."""


def _cited(block: JsonObject, ids: Ids) -> _Pieces:
    """A text behind what it cites [recorded]."""
    for citation in block.get("citations") or ():
        yield {"type": "citations_delta", "citation": citation}, 0
    yield from _texts("text", block["text"], ids)


def _texts(kind: str, text: str, ids: Ids) -> _Pieces:
    place, size = 0, 1 + ids.number("first piece", _MAX_FIRST_PIECE)
    while place < len(text):
        piece = text[place : place + size]
        yield {"type": f"{kind}_delta", kind: piece}, len(piece)
        place, size = place + size, _size(ids)


def _size(ids: Ids) -> int:
    """How long the next piece of a text is [characters]: 3 to 27, and one in twenty 40 to 130."""
    drawn = ids.number("piece", 2000)
    return 3 + drawn * 25 // 1900 if drawn < 1900 else 40 + (drawn - 1900) * 91 // 100


def _thoughts(block: JsonObject, spoken: Completion, ids: Ids) -> _Pieces:
    """Thoughts and their signature; what is not shown takes its time in silence, before the signature."""
    shown = block["thinking"]
    yield from _texts("thinking", shown, ids)
    hidden = round(spoken.thought_tokens * CHARACTERS_PER_TOKEN) - len(shown)
    yield {"type": "signature_delta", "signature": block["signature"]}, max(0, hidden)


def _fragments(arguments: JsonObject, ids: Ids) -> _Pieces:
    """The arguments of a tool; without any there is only the empty fragment that all begin with."""
    yield {"type": "input_json_delta", "partial_json": ""}, 0
    text = json.dumps(arguments, ensure_ascii=False) if arguments else ""
    place = 0
    while place < len(text):
        size = 2 + ids.number("fragment", 14)
        piece = text[place : place + size]
        yield {"type": "input_json_delta", "partial_json": piece}, len(piece)
        place += size


def _event(data: JsonObject, ids: Ids) -> bytes:
    blanks = b" " * ids.number("blanks", _MAX_BLANKS + 1)
    name = data["type"].encode()
    return b"event: %s\ndata: %s%s}\n\n" % (name, encode(data)[:-1], blanks)
