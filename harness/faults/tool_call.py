"""Tool calls that do not fit the tools: of an unknown one, or with bad arguments."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Alter, Fault
from harness.models import Reply, ToolCall


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownTool(Fault):
    """The reply calls a tool that there is not: in place of the first that it calls, or of its text."""

    name: str = "no_such_tool"
    """The tool."""

    def verdict(self) -> Alter:
        """Served, with another tool call."""
        return Alter(self._renamed)

    def _renamed(self, reply: Reply) -> Reply:
        if not reply.tool_calls:
            return reply._replace(text="", tool_calls=(ToolCall(self.name, {}),))
        first, *rest = reply.tool_calls
        return reply._replace(tool_calls=(first._replace(tool=self.name), *rest))


@dataclass(frozen=True, slots=True, kw_only=True)
class BadArguments(Fault):
    """The first tool call of the reply has none of its arguments, and one that the tool does not know.

    A program's tool gets them as they are; a tool of a scenario refuses them if it states its `parameters`. A reply without
    tool calls stays as it is.
    """

    argument: str = "unexpected"
    """The argument that the tool does not know."""

    def verdict(self) -> Alter:
        """Served, with other arguments."""
        return Alter(self._replaced)

    def _replaced(self, reply: Reply) -> Reply:
        if not reply.tool_calls:
            return reply
        first, *rest = reply.tool_calls
        wrong = first._replace(arguments={self.argument: True})
        return reply._replace(tool_calls=(wrong, *rest))
