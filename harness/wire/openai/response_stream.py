"""The Responses API: the answer as events, each with a name and a number.

    created -> in_progress -> for each item: added, its parts and their deltas, done -> completed or incomplete

Apart from `type`, which comes first, the fields of an event are in the order of the alphabet [recorded since January
2026]; padding makes each delta a multiple of 16 characters.
"""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.wire.api import Completion, Ids
from harness.wire.http import Part
from harness.wire.openai.deltas import cut, padding, spread
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
        self._tokens = spoken.usage.output_tokens
        self._ids = ids
        self._asked = asked
        self._padded = (asked.get("stream_options") or {}).get("include_obfuscation") is not False
        self._events: list[tuple[bytes, int]] = []
        self._deltas = 0

    def parts(self) -> list[Part]:
        """All of them, each with its place in time; the last is that the response has ended."""
        begun = in_progress(self._asked, self._body["id"], self._body["created_at"])
        self._send("response.created", response=begun)
        self._send("response.in_progress", response=begun)
        items = self._body["output"]
        for index, (item, pieces) in enumerate(
            zip(items, cut([_words(item) for item in items], self._tokens), strict=True)
        ):
            self._item(item, index, pieces)
        self._send(f"response.{self._body['status']}", response=self._body)
        *events, (last, _) = self._events
        return spread(events, [last])

    def _item(self, item: JsonObject, index: int, pieces: list[str]) -> None:
        """One item, from its beginning to its end."""
        self._send("response.output_item.added", item=_opened(item), output_index=index)
        place = {"item_id": item["id"], "output_index": index}
        match item["type"]:
            case "message":
                self._message(item["content"][0], place | {"content_index": 0}, pieces)
            case "function_call":
                self._arguments(item, place, pieces)
            case "reasoning" if item["summary"]:
                self._summary(item["summary"][0], place | {"summary_index": 0}, pieces)
        self._send("response.output_item.done", item=item, output_index=index)

    def _message(self, part: JsonObject, place: JsonObject, pieces: list[str]) -> None:
        kind = part["type"]
        field = "text" if kind == "output_text" else "refusal"
        probabilities: JsonObject = {"logprobs": []} if kind == "output_text" else {}
        self._send("response.content_part.added", part=part | {field: ""}, **place)
        for piece in pieces:
            self._delta(f"response.{kind}.delta", piece, **place, **probabilities)
        self._send(f"response.{kind}.done", **{field: part[field]}, **place, **probabilities)
        self._send("response.content_part.done", part=part, **place)

    def _arguments(self, item: JsonObject, place: JsonObject, pieces: list[str]) -> None:
        for piece in pieces:
            self._delta("response.function_call_arguments.delta", piece, **place)
        self._send(
            "response.function_call_arguments.done",
            arguments=item["arguments"],
            name=item["name"],
            **place,
        )

    def _summary(self, part: JsonObject, place: JsonObject, pieces: list[str]) -> None:
        self._send("response.reasoning_summary_part.added", part=part | {"text": ""}, **place)
        for piece in pieces:
            self._delta("response.reasoning_summary_text.delta", piece, **place)
        self._send("response.reasoning_summary_text.done", text=part["text"], **place)
        self._send("response.reasoning_summary_part.done", part=part, **place)

    def _delta(self, event: str, piece: str, **fields: object) -> None:
        self._deltas += 1
        if self._padded:
            fields["obfuscation"] = padding(self._ids, len(piece))
        self._send(event, delta=piece, **fields)

    def _send(self, event: str, /, **fields: object) -> None:
        fields["sequence_number"] = len(self._events)
        ordered = {field: fields[field] for field in sorted(fields)}
        self._events.append((named_event(event, {"type": event, **ordered}), self._deltas))


def _words(item: JsonObject) -> str:
    """What is generated of an item, in full."""
    match item["type"]:
        case "message":
            part = item["content"][0]
            text: str = part["text"] if part["type"] == "output_text" else part["refusal"]
        case "function_call":
            text = item["arguments"]
        case _:
            text = item["summary"][0]["text"] if item["summary"] else ""
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
