"""The Responses API: read a request, remember stored responses, write the whole answer.

A response that is stored can be continued by `previous_response_id`, referred to item by item, read and deleted; all are,
unless the request says `store: false`. What is known of the object and its order is from recorded replies of 2026.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from harness.json_types import JsonObject
from harness.virtual.clocks import EPOCH_S
from harness.wire.api import Completion, Feed, Ids, Job, Moment, Prompt
from harness.wire.http import HttpResponse
from harness.wire.openai.background import Background
from harness.wire.openai.compaction import Compactions, summary_of
from harness.wire.openai.conversations import Conversations, Turn, check_unlocked
from harness.wire.openai.encoding import pretty
from harness.wire.openai.errors import Rejected
from harness.wire.openai.families import has
from harness.wire.openai.headers import EVENTS, JSON, begun_s, headers
from harness.wire.openai.items import Items, items_of, listed
from harness.wire.openai.lists import page_of_items, wishes_of
from harness.wire.openai.response_object import (
    completed,
    conversation_id,
    in_progress,
    new_id,
    output_items,
)
from harness.wire.openai.response_prompt import ResponseWish, prompt_of
from harness.wire.openai.response_rules import check_response, check_results
from harness.wire.openai.response_stream import Events
from harness.wire.openai.shapes import RESPONSE, check_shape
from harness.wire.openai.tool_items import usage_of


@dataclass(slots=True)
class _Kept:
    """A response that can be read and continued."""

    heard: Items
    """The conversation before it."""
    _body: JsonObject
    in_background: Background | None = None
    streams: bool = False
    """Whether its events can be read."""

    @property
    def body(self) -> JsonObject:
        """The response as it stands."""
        return self._body if self.in_background is None else self.in_background.body

    @property
    def items(self) -> Items:
        """The conversation up to its end."""
        return (*self.heard, *self.body["output"])


class Responses:
    """The responses of one run.

    Args:
        conversations: What they can be made on.
    """

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._compactions = Compactions()
        self._kept: dict[str, _Kept] = {}

    # -- requests ---------------------------------------------------------------------------------------------------

    def read(self, asked: JsonObject) -> Prompt:
        """Understand a request.

        Raises:
            Rejected: The real API would not take it.
            NotSimulated: It asks for what only the real API has.
        """
        check_shape("", asked, RESPONSE)
        check_response(asked)
        named, turn = conversation_id(asked), None
        new = self._resolved(items_of(asked.get("input")))
        earlier = self._earlier(asked.get("previous_response_id"))
        if named is not None:
            turn = self._conversations.turn(named, keeps=asked.get("store") is not False)
            earlier = tuple(turn.conversation.items)
            turn.conversation.check_new(new, "input")
        items = (*earlier, *new)
        check_results(items)
        prompt = prompt_of(asked, items, self._compactions.read)
        wish = ResponseWish(asked, items, len(earlier))
        later = self._begin if asked.get("background") else None
        return prompt._replace(details=wish, turn=turn, later=later)

    def check_unlocked(self, prompt: Prompt) -> None:
        """Check that the conversation of a prompt has no other response in its making.

        Raises:
            Rejected: It has.
        """
        if isinstance(prompt.turn, Turn):
            check_unlocked(prompt.turn)

    def read_compaction(self, asked: JsonObject) -> Prompt:
        """Understand a request for a compaction; it is of the agent whose conversation it is.

        Raises:
            Rejected: The real API would not take it.
        """
        check_shape("", asked, RESPONSE)
        check_response(asked)
        items = (
            *self._earlier(asked.get("previous_response_id")),
            *self._resolved(items_of(asked.get("input"))),
        )
        prompt = prompt_of(asked, items, self._compactions.read)
        inherited = "" if asked.get("instructions") else self._instructions(asked, items)
        return prompt._replace(
            system="\n\n".join(filter(None, (inherited, prompt.system))),
            thinking=None,
            said=summary_of(prompt),
            details=ResponseWish(asked, items, compacts=True),
        )

    # -- answers ----------------------------------------------------------------------------------------------------

    def whole(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The whole answer."""
        wish: ResponseWish = prompt.details
        if wish.compacts:
            body = self._compactions.body(prompt, spoken, moment)
        else:
            body = self._body(prompt, spoken, moment)
        return HttpResponse(200, headers(moment, JSON), pretty(body))

    def stream(self, prompt: Prompt, spoken: Completion, moment: Moment) -> HttpResponse:
        """The answer in parts."""
        head = headers(moment, EVENTS)
        body = self._body(prompt, spoken, moment)
        parts = Events(body, prompt, spoken, moment, prompt.details.asked).parts()
        return HttpResponse(200, head, parts)

    # -- what is kept -----------------------------------------------------------------------------------------------

    def get(self, response_id: str, query: str, moment: Moment) -> JsonObject | Feed:
        """A response that was given before, or that is being made; as it stands, or its events.

        Raises:
            Rejected: There is none, or its events cannot be read.
        """
        kept = self._find(response_id)
        if kept.in_background is not None:
            kept.in_background.is_asked_for()
        wishes = wishes_of(query)
        if wishes.get("stream") != "true":
            return kept.body
        if kept.in_background is None or not kept.streams:
            raise Rejected(
                "This response cannot be streamed because it was not created with stream=true.",
                "stream",
            )
        after = wishes.get("starting_after", "-1")
        if not after.removeprefix("-").isdecimal():
            raise Rejected(
                "Invalid type for 'starting_after': expected an integer, but got a string instead.",
                "starting_after",
                "invalid_type",
            )
        return _feed(kept.in_background, max(-1, int(after[:9])), moment)

    def cancel(self, response_id: str, now_s: float) -> JsonObject:
        """End a response in the background; one that has ended stays as it is.

        Raises:
            Rejected: There is none, or its client waits for it.
        """
        kept = self._find(response_id)
        if kept.in_background is None:
            raise Rejected("Cannot cancel a synchronous response.")
        kept.in_background.cancel(now_s)
        return kept.body

    def delete(self, response_id: str) -> JsonObject:
        """Forget a response.

        Raises:
            Rejected: There is none.
        """
        self._find(response_id)
        del self._kept[response_id]
        return {"id": response_id, "object": "response", "deleted": True}

    def input_items(self, response_id: str, query: str) -> JsonObject:
        """What a response was an answer to.

        Raises:
            Rejected: There is none.
        """
        return page_of_items(self._heard(response_id), query)

    def _heard(self, response_id: str) -> Items:
        ids = Ids(response_id)
        return tuple(listed(item, ids) for item in self._find(response_id).heard)

    def _begin(self, job: Job, moment: Moment) -> HttpResponse | Feed:
        """Begin a response in the background; returns what its client is told at once."""
        wish: ResponseWish = job.prompt.details
        created_s = begun_s(moment)
        queued = in_progress(wish.asked, new_id("resp", moment.ids), created_s)
        queued["status"] = "queued"

        def write(spoken: Completion, ids: Ids, ended_s: int) -> JsonObject:
            return _ended(job.prompt, spoken, ids, queued["id"], created_s, ended_s)

        made = Background(job, queued, write, moment)
        self._kept[queued["id"]] = _Kept(wish.items, queued, made, job.prompt.stream)
        if job.prompt.stream:
            return _feed(made, -1, moment)
        return HttpResponse(200, headers(moment, JSON), pretty(queued))

    def _body(self, prompt: Prompt, spoken: Completion, moment: Moment) -> JsonObject:
        """The response as it is at its end; it is kept."""
        ids, ended_s = moment.ids, int(EPOCH_S + moment.at_s)
        body = _ended(prompt, spoken, ids, new_id("resp", ids), begun_s(moment), ended_s)
        if body["store"]:
            self._kept[body["id"]] = _Kept(prompt.details.items, body)
        return body

    def _earlier(self, response_id: str | None) -> Items:
        if response_id is None:
            return ()
        kept = self._kept.get(response_id)
        if kept is None:
            raise Rejected(
                f"Previous response with id '{response_id}' not found.",
                "previous_response_id",
                "previous_response_not_found",
            )
        if kept.body["status"] in _UNFINISHED:  # the words are a guess
            raise Rejected(
                f"Previous response with id '{response_id}' has status '{kept.body['status']}' and cannot be continued.",
                "previous_response_id",
            )
        return kept.items

    def _resolved(self, items: Items) -> Items:
        """Items with those in the place of references that these name."""
        return tuple(
            self._item(item.get("id")) if item["type"] == "item_reference" else item
            for item in items
        )

    def _item(self, item_id: object) -> JsonObject:
        kept = (
            item
            for response_id, kept in self._kept.items()
            for item in (*kept.items, *self._heard(response_id))
        )
        for item in (*kept, *self._conversations.all_items()):
            if item.get("id") == item_id:
                return item
        raise Rejected(
            f"Item with id '{item_id}' not found. Items are not persisted when `store` is set to false. "
            "Try again with `store` set to true, or remove this item from your input.",
            "input",
            status=404,
        )

    def _instructions(self, asked: JsonObject, items: Items) -> str:
        """The instructions of the latest response to which a conversation belongs, if it is known."""
        before = asked.get("previous_response_id")
        known = {item.get("id") for item in items if item.get("id")}
        for response_id, kept in reversed(self._kept.items()):
            output = kept.body["output"]
            if before == response_id or any(item["id"] in known for item in output):
                return kept.body["instructions"] or ""
        return ""

    def _find(self, response_id: str) -> _Kept:
        if response_id not in self._kept:
            raise Rejected(f"Response with id '{response_id}' not found.", status=404)
        return self._kept[response_id]


_UNFINISHED = ("queued", "in_progress", "cancelled", "failed")


def _ended(
    prompt: Prompt, spoken: Completion, ids: Ids, response_id: str, created_s: int, ended_s: int
) -> JsonObject:
    """A response as it is at its end; its turn in a conversation is told what was asked and said."""
    wish: ResponseWish = prompt.details
    output = output_items(prompt, spoken, ids, wish.asked, wish.items)
    body = completed(wish.asked, spoken, response_id, output, created_s, ended_s)
    counted = usage_of(spoken.reply, prompt.hosted)
    if counted is not None and has(prompt.model, "tool_usage"):
        body["tool_usage"] = counted
    if isinstance(prompt.turn, Turn):
        own = Ids(response_id)
        asked = [listed(item, own) for item in wish.items[wish.before :]]
        prompt.turn.items = (*asked, *output)
    return body


def _feed(made: Background, after: int, moment: Moment) -> Feed:
    return Feed(HttpResponse(200, headers(moment, EVENTS), []), partial(made.feed, after=after))
