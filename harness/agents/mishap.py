"""What faults do to the work of an agent of a pattern: the hook that an agent calls, and the fate of one use of a tool."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from harness.agents.broken import Breaks
from harness.agents.message import Task
from harness.agents.tool import Tool
from harness.models import Reply, Request, ToolCall
from harness.spans import Span

_WHAT_IT_IS = frozenset({"type", "mimeType"})
"""Keys of content that say what it is, and not what it says."""


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
    factor: float = 1.0
    """How many times as long the texts of the result are."""
    adds: str = ""
    """What stands after each text of the result."""
    breaks: Breaks = ""
    """What breaks with it, where a server has the tool; `error` is what the caller is told elsewhere."""
    returncode: int = 1
    """How a process ends with `error`; below 0 for a signal."""

    def altered(self, result: Any) -> Any:  # noqa: ANN401 - of any tool
        """A result as the caller is told it: its texts, also those in lists, mappings and pydantic models."""
        if self.factor == 1.0 and not self.adds:
            return result
        if isinstance(result, str):
            length = int(len(result) * self.factor)
            long = (f"{result} " * (int(self.factor) + 1))[:length]
            return f"{long}\n{self.adds}" if self.adds else long
        if isinstance(result, list | tuple):
            return type(result)(map(self.altered, result))
        if isinstance(result, dict):
            kept = _WHAT_IT_IS.intersection(result)
            return {
                key: value if key in kept else self.altered(value) for key, value in result.items()
            }
        dumped = getattr(result, "model_dump", None)
        return result if dumped is None else self.altered(dumped(mode="json", by_alias=True))


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
