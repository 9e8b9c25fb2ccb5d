"""Work that is given to the wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.faults.api import Mislead
from harness.faults.meaning.base import MeaningFault
from harness.models import Reply, Request, ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Misrouting(MeaningFault):
    """A router names another recipient than it should."""

    to: str
    """Whom it names: a member, or the tool of a hand-off."""
    instead_of: str | None = None
    """The name that is replaced, wherever the reply has it; absent means the whole reply, or the tools that it calls."""

    def verdict(self) -> Mislead:
        """Sent elsewhere."""
        return Mislead(cause="misrouting", says=self._elsewhere, is_false=True)

    def _elsewhere(self, reply: Reply, _request: Request, _earlier: Sequence[Reply]) -> Reply:
        old = self.instead_of
        if old is None:
            calls = tuple(call._replace(tool=self.to) for call in reply.tool_calls)
            return reply._replace(text=reply.text if calls else self.to, tool_calls=calls)
        calls = tuple(
            ToolCall(
                call.tool.replace(old, self.to),
                {
                    name: value.replace(old, self.to) if isinstance(value, str) else value
                    for name, value in call.arguments.items()
                },
            )
            for call in reply.tool_calls
        )
        return reply._replace(text=reply.text.replace(old, self.to), tool_calls=calls)
