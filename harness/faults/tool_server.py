"""Faults of servers of tools (MCP), each at one use of a tool. A tool without a server just fails."""

from __future__ import annotations

from dataclasses import dataclass

from harness.faults.api import Mishap, ToolFault


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDropped(ToolFault):
    """The tool's server ends the client's session in place of an answer. A client that connects anew is served.

    Over HTTP the server knows the session no longer (404), as a process it exits. The tool takes no effect; with `after_effect` it
    does, and the connection breaks too, as when the server crashes.
    """

    after_effect: bool = False
    """Whether the tool takes its effect first."""

    def mishap(self) -> Mishap:
        """No answer, and no session."""
        if self.after_effect:
            return Mishap(error="the server has crashed", breaks="server")
        return Mishap(0, error="session terminated", breaks="session")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolMalformed(ToolFault):
    """The tool takes effect, and its server answers with something that is not JSON."""

    def mishap(self) -> Mishap:
        """Done, and told in a way that nobody understands."""
        return Mishap(error="the answer is not JSON", breaks="message")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRemoved(ToolFault):
    """The tool's server has the tool no longer, and announces that its list has changed.

    This use, and all that follow, are of an unknown tool.
    """

    def mishap(self) -> Mishap:
        """Unknown."""
        return Mishap(0, error="unknown tool", breaks="tool")
