"""Changes of a reply that several faults of meaning make."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.models import Reply, Request

Change = Callable[[Reply, Request, Sequence[Reply]], Reply]


def saying(text: str | None) -> Change | None:
    """The change to a text, without tool calls; None if there is no text."""
    if text is None:
        return None
    return lambda reply, _request, _earlier: reply._replace(text=text, tool_calls=())


def without_tools(text: str) -> Change:
    """The change that ends the work: no tool is used; a reply that says nothing else says a text."""
    return lambda reply, _request, _earlier: reply._replace(
        text=reply.text if reply.text and reply.tool_calls else text, tool_calls=()
    )
