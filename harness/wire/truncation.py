"""Truncate a reply at `max_tokens` or a stop sequence, as the request demands."""

from __future__ import annotations

import json

from harness.models import Reply
from harness.models.verdict import Alter
from harness.provider.tokens import CHARACTERS_PER_TOKEN, count_call_tokens, count_tokens
from harness.spans import Span, SpanLog
from harness.units import Usage
from harness.wire.api import Completion, Prompt, Stop
from harness.wire.call import Call
from harness.wire.hosted import as_permitted, tokens_written, usage_with, with_wanted
from harness.wire.obedience import AS_IS, disobeys
from harness.wire.prediction import compared
from harness.wire.thinking import tokens_of


def speak(call: Call, span: Span, reply: Reply, usage: Usage, log: SpanLog) -> Completion:
    """Make what the agent of a call says one that its request allows.

    Args:
        call: The call.
        span: Of the attempt.
        reply: What the agent says.
        usage: What was read.
        log: Where it is noted that the reply breaks its request on purpose.

    Raises:
        StubError: The reply violates its request and is not marked `as_is`.
    """
    request = call.request
    reply = with_wanted(reply, call.prompt.wanted_hosted)
    reply = as_permitted(reply, call.prompt.hosted)
    if disobeys(reply, call.prompt, request, as_is=call.role.as_is) and not span.fault:
        span.fault = AS_IS
        log.event("fault", span, AS_IS)
    return fit(reply, call.prompt, call.backend.size(request), usage, _drawn(call))


def alter(spoken: Completion, verdict: Alter, prompt: Prompt, usage: Usage) -> Completion:
    """The reply as a fault changes it.

    Raises:
        ModelError: The rest of it cannot be parsed.
    """
    tokens = spoken.each_of(1)[0].usage.output_tokens - spoken.predicted.rejected
    said = spoken.reply._replace(output_tokens=tokens, thinking_tokens=spoken.thinking_tokens)
    return fit(verdict.change(said), prompt, None, usage)


def _drawn(call: Call) -> int:
    """Size of the thoughts of a model that thinks by itself [tokens]."""
    thinking = call.prompt.thinking
    return 0 if thinking is None else thinking.drawn(call.backend.draws, call.request.key)


def fit(
    reply: Reply,
    prompt: Prompt,
    stated_tokens: int | None,
    usage: Usage,
    drawn_thoughts: int = 0,
) -> Completion:
    """Make a reply one that the request allows, with its alternatives where several are wanted.

    Args:
        reply: What the agent says.
        prompt: The request.
        stated_tokens: The size of the reply if it is stated [tokens]; None means what it says of itself, or
            its length.
        usage: What was read.
        drawn_thoughts: How much the model thinks where neither the reply nor its size says so [tokens].
    """
    first = _fit_one(reply, prompt, stated_tokens, usage, drawn_thoughts)
    if prompt.choices == 1:
        return first
    texts = [*reply.alternatives[: prompt.choices - 1]]
    texts += [reply.text] * (prompt.choices - 1 - len(texts))
    others = [
        _fit_one(reply._replace(text=text), prompt, stated_tokens, usage, drawn_thoughts)
        for text in texts
    ]
    choices = (first, *others)
    sizes = [one.usage.output_tokens for one in choices]
    all_of_them = first.usage._replace(
        output_tokens=sum(sizes), at_once_tokens=sum(sizes) - max(sizes)
    )
    return first._replace(usage=all_of_them, choices=choices)


def _fit_one(
    reply: Reply, prompt: Prompt, stated_tokens: int | None, usage: Usage, drawn_thoughts: int
) -> Completion:
    reply, met = _until_stop_sequence(reply, prompt)
    if stated_tokens is None:
        stated_tokens = reply.output_tokens
    usage = usage_with(usage, reply.server_tools, prompt.hosted)
    said = _length(reply, prompt.frame_tokens)
    thought = tokens_of(reply)
    if thought is None and prompt.thinking is not None and prompt.thinking.thinks:
        thought = drawn_thoughts if stated_tokens is None else max(0, stated_tokens - said)
    tokens = max(1, said + (thought or 0)) if stated_tokens is None else stated_tokens
    stop: Stop = "tool_use" if reply.tool_calls else "end"
    if any(use.pauses for use in reply.server_tools):
        stop = "pause"
    if reply.truncated:
        stop = "max_tokens"
    if met is not None:
        stop = "stop_sequence"
    if reply.refused:
        stop = "refusal"
    if prompt.max_tokens is not None and tokens > prompt.max_tokens:
        left = max(0, prompt.max_tokens - (thought or 0))
        reply = _cut(reply, left, prompt.frame_tokens)
        tokens, stop, met = prompt.max_tokens, "max_tokens", None
    predicted = compared(prompt.prediction, reply.text)
    usage = usage._replace(
        output_tokens=tokens + predicted.rejected,
        at_once_tokens=min(tokens, predicted.accepted) + predicted.rejected,
    )
    return Completion(reply, usage, stop, met, thought, predicted=predicted)


def _until_stop_sequence(reply: Reply, prompt: Prompt) -> tuple[Reply, str | None]:
    places = [(reply.text.find(word), word) for word in prompt.stop_sequences if word in reply.text]
    if not places:
        return reply, None
    place, met = min(places)
    return reply._replace(text=reply.text[:place], tool_calls=()), met


def _cut(reply: Reply, max_tokens: int, frame_tokens: int) -> Reply:
    """The beginning of a reply; a tool call that is not complete is left out."""
    said = reply._replace(text=reply.text[: int(max_tokens * CHARACTERS_PER_TOKEN)], truncated=True)
    kept = 0
    while kept < len(reply.tool_calls):
        longer = said._replace(tool_calls=reply.tool_calls[: kept + 1])
        if _length(longer, frame_tokens) > max_tokens:
            break
        kept += 1
    return said._replace(tool_calls=reply.tool_calls[:kept])


def _length(reply: Reply, frame_tokens: int) -> int:
    """Size of what is said [tokens]."""
    calls = sum(
        count_call_tokens(
            call.tool,
            json.dumps(call.arguments, ensure_ascii=False, separators=(",", ":")),
            frame_tokens,
        )
        for call in reply.tool_calls
    )
    return count_tokens(reply.text) + calls + tokens_written(reply.server_tools)
