"""Check that a reply obeys its request, as replies of real APIs do.

The tools that may and must be called, the schemas of their arguments, and the schema of a structured reply are checked
here. Stop sequences and `max_tokens` are applied in `truncation.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from harness.errors import StubError, did_you_mean
from harness.models import Reply, Request, ToolCall
from harness.models.schemas import violation
from harness.wire.api import Prompt
from harness.wire.hosted import problems_of

AS_IS = "as_is"
"""How a reply that is sent although it does not obey its request is named among the faults."""

_SHOWN_CHARACTERS = 300


def disobeys(reply: Reply, prompt: Prompt, request: Request, *, as_is: bool) -> bool:
    """Whether a reply that is meant to break its request does so.

    Args:
        reply: What the agent says.
        prompt: The request, as the API reads it.
        request: The call that the reply answers.
        as_is: Whether all replies of this agent may.

    Raises:
        StubError: It violates the request and is not marked `as_is`.
    """
    problem = next(problems(reply, prompt), None)
    if problem is None:
        return False
    if as_is or reply.as_is:
        return True
    raise StubError(
        f"a reply of agent {request.agent!r} is one that the real API cannot return "
        f"(call {request.call_in_task} of the agent in task {request.span.task})\n"
        f"  {problem}\n"
        f"  the reply: {_shorten(_told(reply))}\n"
        f"  the request: {_wishes(prompt)}\n"
        "  How to fix: give a reply that obeys the request; or send this one as a deliberate fault, with "
        "`Reply(..., as_is=True)` or `as_is=True` of the agent"
    )


def problems(reply: Reply, prompt: Prompt) -> Iterator[str]:
    """The violations of a request by its reply, each starting with the field."""
    if reply.refused:
        return
    if not (reply.server_tools and prompt.tool_choice == "any" and not prompt.wanted_tool):
        yield from _choice_problems(reply.tool_calls, prompt)
    if reply.server_tools and prompt.tool_choice == "none":
        yield "server_tools: the request forbids the use of tools"
    yield from problems_of(reply.server_tools, prompt.hosted)
    for number, call in enumerate(reply.tool_calls):
        yield from _call_problems(call, f"tool_calls[{number}]", prompt)
    if prompt.wanted is not None and not (
        prompt.wanted_tool or reply.tool_calls or reply.truncated
    ):
        yield from _text_problems(reply.text, prompt.wanted)


def _choice_problems(calls: tuple[ToolCall, ...], prompt: Prompt) -> Iterator[str]:
    if not calls and prompt.wanted_tool:
        yield f"tool_calls: there is none, but the request requires a call of the tool {prompt.wanted_tool!r}"
    elif not calls and prompt.tool_choice == "any":
        yield f"tool_calls: there is none, but the request requires a call of one of {_names(prompt)}"
    elif calls and prompt.tool_choice == "none":
        yield "tool_calls: the request forbids tool calls"
    elif len(calls) > 1 and not prompt.parallel_tool_calls:
        yield f"tool_calls: there are {len(calls)}, but the request forbids parallel tool calls"


def _call_problems(call: ToolCall, place: str, prompt: Prompt) -> Iterator[str]:
    if call.tool not in prompt.tool_schemas:
        if not prompt.tool_schemas:
            yield f"{place}.tool: {call.tool!r} is called, but the request offers no tools"
        else:
            hint = _nearest(call.tool, prompt)
            yield f"{place}.tool: {call.tool!r} is not offered; offered: {_names(prompt)}{hint}"
        return
    if prompt.wanted_tool not in ("", call.tool):
        yield f"{place}.tool: {call.tool!r} is called, but the request requires {prompt.wanted_tool!r}"
    if not isinstance(call.arguments, dict):
        yield f"{place}.arguments: {call.arguments!r} is not a dict"
        return
    try:
        arguments = json.loads(json.dumps(call.arguments))
    except (TypeError, ValueError, RecursionError) as error:
        yield f"{place}.arguments: not JSON: {error}"
        return
    broken = violation(arguments, prompt.tool_schemas[call.tool])
    if broken is not None:
        yield f"{place}.arguments{broken}"


def _text_problems(text: str, schema: dict[str, object]) -> Iterator[str]:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield f"text: the request requires JSON, and this is not JSON: {error}"
        return
    broken = violation(said, schema)
    if broken is not None:
        yield f"text{broken}"


def _nearest(tool: str, prompt: Prompt) -> str:
    return did_you_mean(tool, prompt.tool_schemas)


def _names(prompt: Prompt) -> str:
    return ", ".join(prompt.tool_schemas)


def _told(reply: Reply) -> str:
    calls = ", ".join(f"ToolCall({call.tool!r}, {call.arguments!r})" for call in reply.tool_calls)
    return ", ".join(filter(None, (repr(reply.text) if reply.text or not calls else "", calls)))


def _wishes(prompt: Prompt) -> str:
    choice = f"the tool {prompt.wanted_tool!r}" if prompt.wanted_tool else prompt.tool_choice
    said = [f"model {prompt.model}", f"tools: {_names(prompt) or 'none'}", f"tool choice: {choice}"]
    if prompt.wanted is not None and not prompt.wanted_tool:
        said.append(f"schema: {_shorten(json.dumps(prompt.wanted))}")
    return "; ".join(said)


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
