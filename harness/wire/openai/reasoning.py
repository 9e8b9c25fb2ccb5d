"""What models think before they answer: how much, and the item that shows it."""

from __future__ import annotations

from harness.json_types import JsonObject
from harness.wire.api import Completion, Ids
from harness.wire.openai.encoding import BASE62
from harness.wire.openai.families import default_effort, family_of, has
from harness.wire.thinking import Thinking

_STEP_TOKENS = 64
"""Reasoning tokens are counted in multiples of this [recorded]."""

_ENCRYPTED_CHARS = 64


def thinking_of(model: str, effort: str | None) -> Thinking | None:
    """How a model thinks.

    Args:
        model: Its name.
        effort: What the request asks for; None means the model's default.
    """
    family = family_of(model)
    if family is not None and not family.efforts:
        return None
    effort = effort or (family.default if family is not None else "none")
    return None if effort == "none" else Thinking(effort, step=_STEP_TOKENS)


def settings_of(asked: JsonObject) -> JsonObject:
    """The field `reasoning` of a response."""
    reasoning = asked.get("reasoning") or {}
    settings: JsonObject = {
        "effort": reasoning.get("effort") or default_effort(asked["model"]),
        "summary": reasoning.get("summary") or reasoning.get("generate_summary"),
    }
    context = reasoning.get("context")
    if context in (None, "auto"):
        context = "all_turns" if has(asked["model"], "reasoning.context") else None
    if context is not None:
        settings["context"] = context
    if reasoning.get("mode"):
        settings["mode"] = reasoning["mode"]
    return settings


def item_of(asked: JsonObject, spoken: Completion, item_id: str, ids: Ids) -> JsonObject:
    """The item of what was thought; its words are shown to those who ask for a summary."""
    item: JsonObject = {"id": item_id, "type": "reasoning"}
    if "reasoning.encrypted_content" in (asked.get("include") or ()):
        item["encrypted_content"] = "gAAAAAB" + ids.next("encrypted", _ENCRYPTED_CHARS, BASE62)
    shown = settings_of(asked)["summary"] is not None and spoken.thoughts
    item["summary"] = [{"type": "summary_text", "text": spoken.thoughts}] if shown else []
    return item
