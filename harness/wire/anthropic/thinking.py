"""Whether a model thinks before it speaks, how much, and whether its thoughts are shown."""

from __future__ import annotations

from typing import NamedTuple

from harness.json_types import JsonObject
from harness.wire.anthropic.catalogue import Facts
from harness.wire.thinking import Thinking

_USUAL_EFFORT = "high"
"""The effort where a request names none (https://platform.claude.com/docs/en/build-with-claude/effort)."""

_SCALE = {"low": 0.0, "medium": 0.4, "high": 0.4, "xhigh": 0.6, "max": 1.0}
"""How much an adaptive model thinks, beside one that always does: it skips what is simple at low effort, and nearly always
thinks from `high` on (https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking); the numbers are guesses."""


_LINES_THAT_THINK = frozenset({"opus", "fable", "mythos"})
"""Lines whose fifth generation thinks before nearly every reply without being asked. The smaller ones may as well, but what they
are asked in a test is simple: they think unasked only where their reply has thoughts (a guess)."""


REDACT = "ANTHROPIC_MAGIC_STRING_TRIGGER_REDACTED_THINKING_46C9A13E193C177646C7398A98432ECCCE4C1253D5E2D82641AC0E52CC2876CB"
"""In a prompt, it makes thoughts come redacted, for tests
(https://docs.claude.com/en/docs/build-with-claude/extended-thinking#thinking-redaction)."""


class Thoughts(NamedTuple):
    """What a request means for the model's thoughts."""

    is_on: bool
    """Whether the model may think."""
    is_shown: bool
    """Whether thoughts are sent; otherwise only their signature is."""
    amount: Thinking | None
    """How much it thinks by itself; None for not at all."""


def thinking_of(body: JsonObject, facts: Facts) -> Thoughts:
    """Read what a request says of thinking; the defaults depend on the model.

    Args:
        body: The request.
        facts: Those of the model.
    """
    thinking = body.get("thinking") or {}
    kind = thinking.get("type")
    is_on = facts.thinks_unasked if kind is None else kind in ("enabled", "adaptive")
    display = thinking.get("display")
    is_shown = facts.shows_thinking if display is None else display == "summarized"
    unasked = kind is None and facts.line not in _LINES_THAT_THINK
    return Thoughts(is_on, is_shown, _amount(body, kind) if is_on and not unasked else None)


def _amount(body: JsonObject, kind: str | None) -> Thinking | None:
    """How much it thinks: up to its budget, or by its effort; not before a tool that it must use."""
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        return None
    effort = (body.get("output_config") or {}).get("effort") or _USUAL_EFFORT
    if kind == "enabled":
        return Thinking(effort, most=body["thinking"]["budget_tokens"])
    scale = _SCALE[effort]
    return Thinking(effort, scale=scale) if scale else None
