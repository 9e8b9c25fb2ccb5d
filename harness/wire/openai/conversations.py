"""Conversations: items that are kept until they are deleted, read by responses and added to by them.

Fields and limits are those of the documentation
(https://developers.openai.com/api/reference/resources/conversations). While a response is made on a conversation there can be
no other: the 400 with the code `conversation_locked`, as users have reported it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.json_types import JsonObject
from harness.virtual.clocks import EPOCH_S
from harness.wire.api import Ids, Moment
from harness.wire.openai.errors import Rejected
from harness.wire.openai.items import Items, items_of, listed
from harness.wire.openai.limits import check_metadata
from harness.wire.openai.lists import page_of_items
from harness.wire.openai.response_limits import check_item_limits
from harness.wire.openai.response_object import new_id
from harness.wire.openai.response_rules import check_items
from harness.wire.openai.shapes import CONVERSATION, check_shape
from harness.wire.openai.validate import MISSING

_ITEMS_MAX = 20
"""How many items may be added at a time."""


@dataclass(slots=True, eq=False)
class Conversation:
    """One conversation."""

    id: str
    created_s: float
    metadata: JsonObject
    items: list[JsonObject] = field(default_factory=list)
    """The oldest first."""
    in_turn: Turn | None = None
    """The response that is made on it now."""

    @property
    def body(self) -> JsonObject:
        """What the API says of it."""
        return {
            "id": self.id,
            "object": "conversation",
            "created_at": int(EPOCH_S + self.created_s),
            "metadata": self.metadata,
        }

    def add(self, items: Sequence[JsonObject], place: str) -> None:
        """Append items.

        Raises:
            Rejected: One of them is there already.
        """
        self.check_new(items, place)
        self.items += items

    def check_new(self, items: Sequence[JsonObject], place: str) -> None:
        """Check that items have ids that none has yet.

        Args:
            items: The items.
            place: Where they stand in the request.
        """
        there = {item["id"] for item in self.items}
        for item_id in filter(None, (item.get("id") for item in items)):
            if item_id in there:
                raise Rejected(
                    f"Duplicate item found with id {item_id}. Remove duplicate items from your input and try again.",
                    place,
                )
            there.add(item_id)

    def place_of(self, item_id: str) -> int:
        """Where an item stands.

        Raises:
            Rejected: It is not in this conversation.
        """
        for place, item in enumerate(self.items):
            if item["id"] == item_id:
                return place
        raise Rejected(f"Item with id '{item_id}' not found.", status=404)


@dataclass(slots=True, eq=False)
class Turn:
    """One response on a conversation."""

    conversation: Conversation
    keeps: bool
    """Whether its items are added to the conversation."""
    items: Sequence[JsonObject] = ()
    """What was asked and said, once it is known."""

    def begin(self) -> None:
        """Lock the conversation."""
        self.conversation.in_turn = self

    def end(self, *, answered: bool) -> None:
        """Unlock the conversation, and add what was asked and said."""
        if self.conversation.in_turn is self:
            self.conversation.in_turn = None
        if answered and self.keeps:
            self.conversation.items += self.items


class Conversations:
    """The conversations of one run."""

    def __init__(self) -> None:
        self._by_id: dict[str, Conversation] = {}
        self._left: list[JsonObject] = []
        """The items of those that were deleted."""

    def create(self, asked: JsonObject, moment: Moment) -> JsonObject:
        """Begin a conversation, with or without items.

        Raises:
            Rejected: The request is wrong.
        """
        check_metadata(asked.get("metadata") or {})
        items = _items(asked, moment.ids)
        conversation_id = new_id("conv", moment.ids)
        made = Conversation(conversation_id, moment.at_s, asked.get("metadata") or {})
        made.add(items, "items")
        self._by_id[conversation_id] = made
        return made.body

    def find(self, conversation_id: str) -> Conversation:
        """A conversation.

        Raises:
            Rejected: There is none of this id.
        """
        if conversation_id not in self._by_id:
            raise Rejected(f"Conversation with id '{conversation_id}' not found.", status=404)
        return self._by_id[conversation_id]

    def turn(self, conversation_id: str, *, keeps: bool) -> Turn:
        """A turn of a response in a conversation.

        Args:
            conversation_id: The conversation.
            keeps: Whether the items of the response are added to it.

        Raises:
            Rejected: There is no such conversation.
        """
        if not conversation_id.startswith("conv"):
            raise Rejected(
                f"Invalid 'conversation': '{conversation_id}'. Expected an ID that begins with 'conv'.",
                "conversation",
                "invalid_value",
            )
        return Turn(self.find(conversation_id), keeps)

    def update(self, conversation_id: str, asked: JsonObject) -> JsonObject:
        """Replace the metadata of a conversation."""
        found = self.find(conversation_id)
        if "metadata" not in asked:
            raise Rejected("Missing required parameter: 'metadata'.", "metadata", MISSING)
        check_metadata(asked["metadata"] or {})
        found.metadata = asked["metadata"] or {}
        return found.body

    def delete(self, conversation_id: str) -> JsonObject:
        """Delete a conversation; its items can still be referred to, as documented."""
        self._left += self.find(conversation_id).items
        del self._by_id[conversation_id]
        return {"id": conversation_id, "object": "conversation.deleted", "deleted": True}

    def add(self, conversation_id: str, asked: JsonObject, ids: Ids) -> JsonObject:
        """Add items to a conversation; returns them as a list."""
        found = self.find(conversation_id)
        if asked.get("items") is None:
            raise Rejected("Missing required parameter: 'items'.", "items", MISSING)
        items = _items(asked, ids)
        found.add(items, "items")
        return {
            "object": "list",
            "data": items,
            "first_id": items[0]["id"] if items else None,
            "last_id": items[-1]["id"] if items else None,
            "has_more": False,
        }

    def items(self, conversation_id: str, query: str) -> JsonObject:
        """One page of the items of a conversation."""
        return page_of_items(self.find(conversation_id).items, query)

    def all_items(self) -> Iterator[JsonObject]:
        """The items of all conversations, those that were deleted included."""
        for conversation in self._by_id.values():
            yield from conversation.items
        yield from self._left

    def item(self, conversation_id: str, item_id: str) -> JsonObject:
        """An item of a conversation."""
        found = self.find(conversation_id)
        return found.items[found.place_of(item_id)]

    def remove(self, conversation_id: str, item_id: str) -> JsonObject:
        """Delete an item of a conversation; returns the conversation."""
        found = self.find(conversation_id)
        del found.items[found.place_of(item_id)]
        return found.body


def check_unlocked(turn: Turn) -> None:
    """Check that no other response is made on a conversation.

    Raises:
        Rejected: One is.
    """
    if turn.conversation.in_turn is not None:
        raise Rejected(
            "Another process is currently operating on this conversation. Please retry in a few seconds.",
            "conversation",
            "conversation_locked",
        )


def _items(asked: JsonObject, ids: Ids) -> Items:
    """The items that a request gives, with ids of their own where they have none."""
    check_shape("", asked, CONVERSATION)
    said = asked.get("items") or []
    if len(said) > _ITEMS_MAX:
        raise Rejected(
            f"Invalid 'items': array too long. Expected an array with maximum length {_ITEMS_MAX}, but got an array "
            f"with length {len(said)} instead.",
            "items",
            "array_above_max_length",
        )
    check_items("items", said, "")
    check_item_limits("items", said)
    return tuple(listed(item, ids) for item in items_of(said))
