"""The Responses API: read a request, remember stored responses, write the whole answer.

A response that is stored can be continued by `previous_response_id`, referred to item by item, read and deleted; all are,
unless the request says `store: false`. What is known of the object and its order is from recorded replies of 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from harness.json_types import JsonObject
from harness.provider.tokens import count_tokens
from harness.virtual.clocks import EPOCH_S
from harness.wire.api import Completion, Ids, Moment, Prompt
from harness.wire.http import HttpResponse
from harness.wire.openai.conversation import Conversation, call_of, text_of
from harness.wire.openai.encoding import compact, pretty
from harness.wire.openai.errors import Rejected
from harness.wire.openai.families import has
from harness.wire.openai.headers import EVENTS, JSON, begun_s, headers
from harness.wire.openai.models import context_tokens
from harness.wire.openai.reasoning import thinking_of
from harness.wire.openai.response_object import completed, new_id, output_items
from harness.wire.openai.response_rules import check_response, check_results, check_window
from harness.wire.openai.response_stream import Events
from harness.wire.openai.server_tools import offered_in, wanted_hosted
from harness.wire.openai.shapes import RESPONSE, check_shape
from harness.wire.openai.tool_items import usage_of
from harness.wire.openai.tools import FRAME_TOKENS, offer
from harness.wire.openai.validate import tokens_of

Items = tuple[JsonObject, ...]


@dataclass(frozen=True, slots=True)
class ResponseWish:
    """What a request says of its answer, and what it was about."""

    asked: JsonObject
    """The request."""
    items: Items
    """All of the conversation, with what went before."""


class _Kept(NamedTuple):
    """A response that can be continued."""

    body: JsonObject
    items: Items
    """The conversation up to its end."""


class Responses:
    """The responses of one run."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def read(self, asked: JsonObject) -> Prompt:
        """Understand a request.

        Raises:
            Rejected: The real API would not take it.
            NotSimulated: It asks for what only the real API has.
        """
        check_shape("", asked, RESPONSE)
        check_response(asked)
        items = (
            *self._earlier(asked.get("previous_response_id")),
            *self._resolved(_items(asked.get("input"))),
        )
        check_results(items)
        return _prompt(asked, items)

    def whole(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The whole answer."""
        body = self._body(prompt, spoken, moment)
        return HttpResponse(200, headers(moment, JSON), pretty(body))

    def stream(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The answer in parts."""
        head = headers(moment, EVENTS)
        body = self._body(prompt, spoken, moment)
        parts = Events(body, prompt, spoken, moment, prompt.details.asked).parts()
        return HttpResponse(200, head, parts)

    def get(self, response_id: str) -> JsonObject:
        """A response that was given before.

        Raises:
            Rejected: There is none.
        """
        return self._find(response_id).body

    def delete(self, response_id: str) -> JsonObject:
        """Forget a response.

        Raises:
            Rejected: There is none.
        """
        self._find(response_id)
        del self._kept[response_id]
        return {"id": response_id, "object": "response", "deleted": True}

    def input_items(self, response_id: str) -> JsonObject:
        """What a response was an answer to.

        Raises:
            Rejected: There is none.
        """
        kept = self._find(response_id)
        ids = Ids(response_id)
        heard = kept.items[: len(kept.items) - len(kept.body["output"])]
        items = [_listed(item, ids) for item in heard][::-1]
        ends = {name: items[at].get("id") if items else None for name, at in _ENDS}
        return {"object": "list", "data": items, **ends, "has_more": False}

    def _body(self, prompt: Prompt, spoken: Completion, moment: Moment) -> JsonObject:
        wish: ResponseWish = prompt.details
        response_id = new_id("resp", moment.ids)
        output = output_items(prompt, spoken, moment.ids, wish.asked, wish.items)
        ended_s = int(EPOCH_S + moment.at_s)
        body = completed(wish.asked, spoken, response_id, output, begun_s(moment), ended_s)
        counted = usage_of(spoken.reply, prompt.hosted)
        if counted is not None and has(prompt.model, "tool_usage"):
            body["tool_usage"] = counted
        if body["store"]:
            self._kept[response_id] = _Kept(body, (*wish.items, *output))
        return body

    def _earlier(self, response_id: str | None) -> Items:
        if response_id is None:
            return ()
        if response_id not in self._kept:
            raise Rejected(
                f"Previous response with id '{response_id}' not found.",
                "previous_response_id",
                "previous_response_not_found",
            )
        return self._kept[response_id].items

    def _resolved(self, items: Items) -> Items:
        """Items with those in the place of references that these name."""
        return tuple(
            self._item(item.get("id")) if item["type"] == "item_reference" else item
            for item in items
        )

    def _item(self, item_id: object) -> JsonObject:
        for response_id, kept in self._kept.items():
            listed: list[JsonObject] = self.input_items(response_id)["data"]
            for item in (*kept.items, *listed):
                if item.get("id") == item_id:
                    return item
        raise Rejected(
            f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false. "
            "Try again with `store` set to true, or remove this item from your input.",
            "input",
            status=404,
        )

    def _find(self, response_id: str) -> _Kept:
        if response_id not in self._kept:
            raise Rejected(f"Response with id '{response_id}' not found.", status=404)
        return self._kept[response_id]


def _listed(item: JsonObject, ids: Ids) -> JsonObject:
    """An item of a request as a list shows it: with an id, and a text as a part."""
    item = {"id": new_id(_PREFIXES.get(item["type"], "item"), ids), **item}
    if item["type"] != "message":
        return item
    content = item.get("content")
    if isinstance(content, str):
        is_own = item.get("role") == "assistant"
        kind = {"type": "output_text", "annotations": []} if is_own else {"type": "input_text"}
        content = [{**kind, "text": content}]
    return {"status": "completed", **item, "content": content}


_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco"}
_ENDS = (("first_id", 0), ("last_id", -1))


def _items(asked: Any) -> Items:  # noqa: ANN401 - a text or a list of items
    """What a request says, item by item."""
    if isinstance(asked, str):
        return ({"type": "message", "role": "user", "content": asked},)
    return tuple({"type": "message", **item} for item in asked or ())


def _prompt(asked: JsonObject, items: Items) -> Prompt:
    talk = Conversation()
    tools = asked.get("tools") or ()
    format_ = (asked.get("text") or {}).get("format") or {}
    for part in (*tools, *([format_] if "schema" in format_ else ())):
        talk.count(part, count_tokens(compact(part)))
    instructions = asked.get("instructions")
    if instructions:
        talk.instruct(instructions)
        talk.count(instructions, count_tokens(instructions))
    for item in _in_window(asked, items, tokens_of(talk.sections)):
        _hear(talk, item)
    check_window(asked["model"], talk.sections)
    functions = [tool for tool in tools if tool.get("type") == "function"]
    offered = offer(functions, asked.get("tool_choice"))
    hosted = offered_in(asked, items)
    schema = {"type": "object"} if format_.get("type") == "json_object" else format_.get("schema")
    return Prompt(
        model=asked["model"],
        system=talk.system,
        conversation=tuple(talk.said),
        sections=tuple(talk.sections),
        max_tokens=asked.get("max_output_tokens"),
        stream=bool(asked.get("stream")),
        tools=tuple(offered.schemas),
        tool_choice=offered.choice,
        tool_schemas=offered.schemas,
        parallel_tool_calls=asked.get("parallel_tool_calls") is not False,
        thinking=thinking_of(asked["model"], (asked.get("reasoning") or {}).get("effort")),
        hosted=hosted,
        wanted_hosted=wanted_hosted(asked, hosted, len(offered.schemas)),
        frame_tokens=FRAME_TOKENS,
        wanted=schema if offered.wanted is None else offered.wanted,
        wanted_tool=offered.wanted_tool,
        result_ids=talk.result_ids,
        details=ResponseWish(asked, items),
    )


def _in_window(asked: JsonObject, items: Items, other_tokens: int) -> Items:
    """The items that a request lets the model read: with `truncation` the last ones that fit into its context.

    Args:
        asked: The request.
        items: All items.
        other_tokens: What instructions and tools take of the context.
    """
    longest = context_tokens(asked["model"])
    if asked.get("truncation") != "auto" or longest is None:
        return items
    sizes = [_size(item) for item in items]
    beyond, first = sum(sizes) + other_tokens - longest, 0
    while beyond > 0 and first < len(items) - 1:
        beyond -= sizes[first]
        first += 1
    dropped = {item.get("call_id") for item in items[:first] if item["type"] == "function_call"}
    return tuple(
        item
        for item in items[first:]
        if item["type"] != "function_call_output" or item.get("call_id") not in dropped
    )


def _size(item: JsonObject) -> int:
    alone = Conversation()
    _hear(alone, item)
    return tokens_of(alone.sections)


def _hear(talk: Conversation, item: JsonObject) -> None:
    """Take in one item."""
    match item["type"]:
        case "message":
            _hear_message(talk, item)
        case "function_call":
            talk.speak_on("", ((item.get("call_id", ""), call_of(item)),))
            talk.count_message(item, "", [item])
        case "function_call_output":
            talk.bring(item.get("call_id", ""), text_of(item.get("output")))
            talk.count_message(item, item.get("output"))
        case "reasoning":
            talk.count_message(item, item.get("summary"))
        case _:
            talk.count(item, count_tokens(compact(item)))


def _hear_message(talk: Conversation, item: JsonObject) -> None:
    text = text_of(item.get("content"))
    match item.get("role"):
        case "system" | "developer":
            talk.instruct(text)
        case "assistant":
            talk.speak_on(text)
        case _:
            talk.hear(text)
    talk.count_message(item, item.get("content"))
