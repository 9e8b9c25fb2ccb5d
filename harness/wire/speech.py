"""From what an agent says to what leaves the provider: cut where the request says that it must end."""

from __future__ import annotations

from harness.models import Reply
from harness.provider.tokens import CHARACTERS_PER_TOKEN, count_tokens
from harness.units import Usage
from harness.wire.api import Prompt, Spoken, Stop


def fit(reply: Reply, prompt: Prompt, stated_tokens: int | None, usage: Usage) -> Spoken:
    """Make a reply one that the request allows.

    Args:
        reply: What the agent says.
        prompt: The request.
        stated_tokens: The size of the reply if somebody has stated it [tokens]; None means what it says of itself, or
            its length.
        usage: What was read.
    """
    reply, met = _until_stop_sequence(reply, prompt)
    if stated_tokens is None:
        stated_tokens = reply.output_tokens
    tokens = _length(reply) if stated_tokens is None else stated_tokens
    stop: Stop = "tool_use" if reply.tool_calls else "end"
    if met is not None:
        stop = "stop_sequence"
    if reply.refused:
        stop = "refusal"
    if prompt.max_tokens is not None and tokens > prompt.max_tokens:
        kept = int(prompt.max_tokens * CHARACTERS_PER_TOKEN)
        reply = reply._replace(text=reply.text[:kept], tool_calls=(), truncated=True)
        tokens, stop, met = prompt.max_tokens, "max_tokens", None
    return Spoken(reply, usage._replace(output_tokens=tokens), stop, met)


def _until_stop_sequence(reply: Reply, prompt: Prompt) -> tuple[Reply, str | None]:
    places = [(reply.text.find(word), word) for word in prompt.stop_sequences if word in reply.text]
    if not places:
        return reply, None
    place, met = min(places)
    return reply._replace(text=reply.text[:place], tool_calls=()), met


def _length(reply: Reply) -> int:
    wishes = sum(count_tokens(f"{call.tool}{call.arguments}") for call in reply.tool_calls)
    return max(1, count_tokens(reply.text) + count_tokens(reply.thinking) + wishes)
