"""Steps of an agent that works with tools in one conversation: repeated ones, and one that is left undone."""

from __future__ import annotations

from itertools import pairwise

from harness.models import Reply, Request, ToolCall, ToolResult

_SAME_MIN = 3
"""As many equal steps in a row are a repetition."""

Step = tuple[tuple[ToolCall, ...], tuple[ToolResult, ...]]
"""What was wanted, and what came of it."""


def same_step(request: Request, reply: Reply) -> str:
    """The tools that a reply wants for the third time in a row, after equal results; empty if there are none."""
    before = _steps(request)[1 - _SAME_MIN :]
    if not reply.tool_calls or len(before) < _SAME_MIN - 1:
        return ""
    first = before[0]
    # The one before these must be another step, so that a row is told once.
    if any(step != first for step in before) or first[0] != reply.tool_calls:
        return ""
    earlier = _steps(request)[: 1 - _SAME_MIN]
    if earlier and earlier[-1] == first:
        return ""
    return ", ".join(dict.fromkeys(call.tool for call in reply.tool_calls))


def left_asking(request: Request, wish: ToolCall) -> str:
    """How far the conversation was when a reply wanted a tool in vain; empty if it had used that tool never before.

    A tool that is wanted once may be a form to be filled in, or a hand-off, which has no result.
    """
    steps = _steps(request)
    wanted = [call for calls, _ in steps for call in calls]
    if not any(call.tool == wish.tool for call in wanted):
        return ""
    return f"{len(steps)} {'again' if wish in wanted else 'new'} {wish.tool}"


def _steps(request: Request) -> list[Step]:
    """The steps of a conversation, in order."""
    said = request.said
    return [
        (turn.tool_calls, answer.tool_results)
        for turn, answer in pairwise(said)
        if turn.tool_calls and answer.tool_results
    ]
