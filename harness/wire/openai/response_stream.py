"""The Responses API: the answer as events, each with a name and a number.

    created -> in_progress -> for each item: added, its parts and their deltas, done -> completed or incomplete

Apart from `type`, which comes first, the fields of an event are in the order of the alphabet [recorded since January
2026]; padding makes each delta a multiple of 16 characters.
"""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.wire.api import Completion, Ids
from harness.wire.http import Part
from harness.wire.openai.deltas import cut, padding, pieces, spread
from harness.wire.openai.encoding import named_event
from harness.wire.openai.response_object import in_progress


class Events:
    """The events of one response.

    Args:
        body: The response as it will be at its end.
        spoken: The reply.
        ids: Where padding comes from.
        asked: The request.
    """

    def __init__(self, body: JsonObject, spoken: Completion, ids: Ids, asked: JsonObject) -> None:
        self._body = body
        self._spoken = spoken
        self._ids = ids
        self._asked = asked
        self._padded = (asked.get("stream_options") or {}).get("include_obfuscation") is not False
        self._events: list[tuple[bytes, float]] = []
        self._generated = 0.0
        """What has been generated so far [tokens]; each delta of what is said is one."""

    def parts(self) -> list[Part]:
        """All of them, each with its place in time; the last is that the response has ended."""
        begun = in_progress(self._asked, self._body["id"], self._body["created_at"])
        self._send("response.created", response=begun)
        self._send("response.in_progress", response=begun)
        items = self._body["output"]
        texts = cut([_words(item) for item in items], self._spoken.said_tokens)
        for index, (item, said) in enumerate(zip(items, texts, strict=True)):
            self._item(item, index, said)
        self._send(f"response.{self._body['status']}", response=self._body)
        *events, (last, _) = self._events
        return spread(events, [last])

    def _item(self, item: JsonObject, index: int, said: list[str]) -> None:
        """One item, from its beginning to its end."""
        self._send("response.output_item.added", item=_opened(item), output_index=index)
        place = {"item_id": item["id"], "output_index": index}
        match item["type"]:
            case "message":
                self._message(item["content"][0], place | {"content_index": 0}, said)
            case "function_call":
                self._arguments(item, place, said)
            case "reasoning":
                self._thoughts(item["summary"], place | {"summary_index": 0})
        self._send("response.output_item.done", item=item, output_index=index)

    def _message(self, part: JsonObject, place: JsonObject, said: list[str]) -> None:
        kind = part["type"]
        field = "text" if kind == "output_text" else "refusal"
        probabilities: JsonObject = {"logprobs": []} if kind == "output_text" else {}
        self._send("response.content_part.added", part=part | {field: ""}, **place)
        for piece in said:
            self._delta(f"response.{kind}.delta", piece, **place, **probabilities)
        self._send(f"response.{kind}.done", **{field: part[field]}, **place, **probabilities)
        self._send("response.content_part.done", part=part, **place)

    def _arguments(self, item: JsonObject, place: JsonObject, said: list[str]) -> None:
        for piece in said:
            self._delta("response.function_call_arguments.delta", piece, **place)
        self._send(
            "response.function_call_arguments.done",
            arguments=item["arguments"],
            **place,
        )

    def _thoughts(self, summary: list[JsonObject], place: JsonObject) -> None:
        """Thoughts take the time of all their tokens, whether or not a summary of them is sent."""
        tokens = self._spoken.thought_tokens
        if not summary:
            self._generated += tokens
            return
        (part,) = summary
        self._send("response.reasoning_summary_part.added", part=part | {"text": ""}, **place)
        shown = pieces(part["text"], tokens)
        for piece in shown:
            self._delta(
                "response.reasoning_summary_text.delta", piece, tokens / len(shown), **place
            )
        self._send("response.reasoning_summary_text.done", text=part["text"], **place)
        self._send("response.reasoning_summary_part.done", part=part, **place)

    def _delta(self, event: str, piece: str, tokens: float = 1.0, **fields: object) -> None:
        self._generated += tokens
        if self._padded:
            fields["obfuscation"] = padding(self._ids, len(piece))
        self._send(event, delta=piece, **fields)

    def _send(self, event: str, /, **fields: object) -> None:
        fields["sequence_number"] = len(self._events)
        ordered = {field: fields[field] for field in sorted(fields)}
        self._events.append((named_event(event, {"type": event, **ordered}), self._generated))


def _words(item: JsonObject) -> str:
    """What is said in an item, in full."""
    match item["type"]:
        case "message":
            part = item["content"][0]
            text: str = part["text"] if part["type"] == "output_text" else part["refusal"]
        case "function_call":
            text = item["arguments"]
        case _:
            text = ""
    return text


def _opened(item: JsonObject) -> JsonObject:
    """An item before anything of it has been generated."""
    match item["type"]:
        case "message":
            return item | {"status": "in_progress", "content": []}
        case "function_call":
            return item | {"status": "in_progress", "arguments": ""}
        case _:
            return item | {"summary": []}
