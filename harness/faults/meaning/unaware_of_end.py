"""Work that goes on although it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.models import Reply, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class UnawareOfEnd(MeaningFault):
    """The agent does not notice that it is done: instead of its last reply it uses the last tools again, or goes on talking."""

    says: str = "I need another round."
    """What it says if it has used no tool."""

    def verdict(self) -> Mislead:
        """Not ended."""
        return Mislead(cause="unaware_of_end", says=self._goes_on)

    def _goes_on(self, reply: Reply, request: Request, earlier: Sequence[Reply]) -> Reply:
        if reply.tool_calls:
            return reply
        used = (said.tool_calls for said in reversed(request.conversation))
        tools = next((calls for calls in used if calls), ())
        return reply._replace(text="" if tools else self.says, tool_calls=tools)
