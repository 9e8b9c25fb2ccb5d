"""Compaction: a long conversation becomes its user's messages and one item that stands for the rest.

What the item holds cannot be read by the client. Its text is what the model said, up to a share of what was read; how long a
real one is, is not published. Source: https://developers.openai.com/api/docs/guides/compaction.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.json_types import JsonObject
from harness.models import Reply
from harness.provider.tokens import CHARACTERS_PER_TOKEN, count_tokens
from harness.wire.api import Completion, Moment, Prompt
from harness.wire.openai.encoding import BASE62, compact
from harness.wire.openai.headers import begun_s
from harness.wire.openai.items import listed
from harness.wire.openai.response_object import new_id, usage_of
from harness.wire.openai.response_prompt import Held, ResponseWish

_SHARE = 0.1
_TOKENS_MIN = 32
"""How much of what is read a compaction keeps, and its least size [tokens]; guesses."""

_ENCRYPTED_CHARS = 256


@dataclass(slots=True)
class Compactions:
    """What the compactions of one run hold."""

    _held: dict[str, Held] = field(default_factory=dict)
    """By encrypted content."""

    def read(self, item: JsonObject) -> Held:
        """What a compaction holds; of one that was made elsewhere only its size is known."""
        known = self._held.get(item.get("encrypted_content", ""))
        return Held("", count_tokens(compact(item))) if known is None else known

    def body(self, prompt: Prompt, spoken: Completion, moment: Moment) -> JsonObject:
        """The answer: the messages of the user, and the compaction."""
        wish: ResponseWish = prompt.details
        ids = moment.ids
        answer_id = new_id("resp", ids)
        told = [
            listed(item, ids)
            for item in wish.items
            if item["type"] == "message" and item.get("role") == "user"
        ]
        encrypted = "gAAAAAB" + ids.next("encrypted", _ENCRYPTED_CHARS, BASE62)
        self._held[encrypted] = Held(spoken.reply.text, spoken.usage.output_tokens)
        kept = {"id": new_id("cmp", ids), "type": "compaction", "encrypted_content": encrypted}
        return {
            "id": answer_id,
            "object": "response.compaction",
            "created_at": begun_s(moment),
            "output": [*told, kept],
            "usage": usage_of(spoken),
        }


def summary_of(prompt: Prompt) -> Reply:
    """What a compaction of a prompt says."""
    tokens = max(_TOKENS_MIN, round(_SHARE * prompt.tokens))
    said = [message.text for message in prompt.conversation if message.role == "assistant"]
    text = "\n".join(filter(None, said))[: int(tokens * CHARACTERS_PER_TOKEN)]
    return Reply(text, output_tokens=tokens)
