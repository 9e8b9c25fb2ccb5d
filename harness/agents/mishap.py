"""What faults do to the work of an agent of a pattern: the hook that an agent calls, and the fate of one use of a tool."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from harness.agents.message import Task
from harness.agents.tool import Tool
from harness.models import Reply, Request, ToolCall
from harness.spans import Span


@dataclass(frozen=True, slots=True)
class Mishap:
    """What happens to one use of a tool."""

    effects: int = 1
    """How often it takes effect."""
    wait_s: float = 0.0
    """How much longer it takes [s]; infinity for ever."""
    error: str = ""
    """What the caller is told in place of the result; empty for the result."""
    is_stale: bool = False
    """Whether the caller is told what the tool answered the last time."""
    result: str | None = None
    """What the caller is told in place of the result; None for the result."""


class Mishaps(Protocol):
    """What an agent calls where something may go wrong that is not an attempt."""

    def begin(self, agent: str, task: Task) -> None:
        """A call of its model is about to be made; before it is told what it remembers."""

    async def call(self, request: Request, go_on: Callable[[Request], Awaitable[Reply]]) -> Reply:
        """Make a call of its model, under its policies.

        Raises:
            ModelError: The call failed, or its agent did.
        """

    async def use(
        self, tool: Tool, call: ToolCall, key: str, span: Span, agent: str, task: Task
    ) -> str:
        """Use a tool.

        Raises:
            ToolError: It did not work, or the caller cannot know that it did.
        """
