"""The Responses API: the answer as events, each with a name and a number.

    created -> in_progress -> for each item: added, its parts and their deltas, done -> completed or incomplete

Apart from `type`, which comes first, the fields of an event are in the order of the alphabet [recorded since January
2026]; padding makes each delta a multiple of 16 characters.
"""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.wire.api import Completion, Moment, Prompt
from harness.wire.hosted import waits_of
from harness.wire.http import Part
from harness.wire.openai.deltas import cut, padding, pieces, spread
from harness.wire.openai.encoding import named_event
from harness.wire.openai.logprobs import plain
from harness.wire.openai.response_object import in_progress
from harness.wire.openai.tool_items import COURSES, opened, phases_after


class Events:
    """The events of one response.

    Args:
        body: The response as it will be at its end.
        prompt: The request, as it was read.
        spoken: The reply.
        moment: When it begins, and where padding comes from.
        asked: The request.
        sent: How many events went before, of a response that has been queued.
    """

    def __init__(
        self,
        body: JsonObject,
        prompt: Prompt,
        spoken: Completion,
        moment: Moment,
        asked: JsonObject,
        sent: int = 0,
    ) -> None:
        self._body = body
        self._spoken = spoken
        self._ids = moment.ids
        self._waits = waits_of(
            spoken.reply.server_tools, prompt.hosted, spoken.usage, moment.times.writing_s
        )
        self._asked = asked
        self._padded = (asked.get("stream_options") or {}).get("include_obfuscation") is not False
        self._sent = sent
        self._events: list[tuple[bytes, float]] = []
        self._generated = 0.0
        """What has been generated so far [tokens]; each delta of what is said is one."""

    def parts(self) -> list[Part]:
        """All of them, each with its place in time; the last is that the response has ended."""
        begun = in_progress(self._asked, self._body["id"], self._body["created_at"])
        if not self._sent:
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
            case kind if kind in COURSES:
                self._tool(item, place, said)
            case "reasoning":
                self._thoughts(item["summary"], place | {"summary_index": 0})
        self._send("response.output_item.done", item=item, output_index=index)

    def _message(self, part: JsonObject, place: JsonObject, said: list[str]) -> None:
        kind = part["type"]
        field = "text" if kind == "output_text" else "refusal"
        told = plain(part.get("logprobs") or ())
        probabilities: JsonObject = {"logprobs": told} if kind == "output_text" else {}
        nothing: JsonObject = {"annotations": [], "logprobs": []} if kind == "output_text" else {}
        empty = part | nothing | {field: ""}
        self._send("response.content_part.added", part=empty, **place)
        for number, piece in enumerate(said):
            one: JsonObject = {"logprobs": told[number : number + 1]} if probabilities else {}
            self._delta(f"response.{kind}.delta", piece, **place, **one)
        for number, cited in enumerate(part.get("annotations") or ()):
            name = "response.output_text.annotation.added"
            self._send(name, annotation=cited, annotation_index=number, **place)
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

    def _tool(self, item: JsonObject, place: JsonObject, said: list[str]) -> None:
        """The use of a tool of OpenAI's own, phase by phase; the last one comes when the tool is done."""
        kind, course = item["type"], COURSES[item["type"]]
        for phase in course.before:
            self._send(f"response.{kind}.{phase}", **place)
        if course.written is not None:
            field, name = course.written
            for piece in said:
                self._delta(f"response.{name}.delta", piece, **place)
            self._send(f"response.{name}.done", **{field: item[field]}, **place)
        *middle, last = phases_after(item) or ("",)
        for phase in middle:
            self._send(f"response.{kind}.{phase}", **place)
        if "status" in item and kind != "tool_search_output":
            self._generated += next(self._waits, 0.0)
        if last:
            self._send(f"response.{kind}.{last}", **place)

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
        fields["sequence_number"] = self._sent + len(self._events)
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
        case kind:
            written = COURSES[kind].written if kind in COURSES else None
            text = item[written[0]] if written else ""
    return text


def _opened(item: JsonObject) -> JsonObject:
    """An item before anything of it has been generated."""
    match item["type"]:
        case "message":
            return item | {"status": "in_progress", "content": []}
        case "function_call":
            return item | {"status": "in_progress", "arguments": ""}
        case kind if kind in COURSES:
            return opened(item)
        case _:
            return item | {"summary": []}
