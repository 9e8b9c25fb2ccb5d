"""An action that does not follow from what is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.models import Reply, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningActionMismatch(MeaningFault):
    """The agent says one thing and does another: it calls the next tool in its list, with the same arguments, or none."""

    def verdict(self) -> Mislead:
        """Done otherwise than said."""
        return Mislead(cause="reasoning_action_mismatch", says=_otherwise)


def _otherwise(reply: Reply, request: Request, _earlier: Sequence[Reply]) -> Reply:
    tools = list(request.tools or request.tool_schemas)
    if not reply.tool_calls:
        return reply._replace(text=f"{reply.text}\nSo I do the opposite.".lstrip())
    wrong = tuple(
        call._replace(tool=tools[(tools.index(call.tool) + 1) % len(tools)])
        for call in reply.tool_calls
        if call.tool in tools and len(tools) > 1
    )
    return reply._replace(text=reply.text or "I do as planned.", tool_calls=wrong)
