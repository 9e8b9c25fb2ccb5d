"""What goes wrong in a run of a pattern beside its attempts: the hook of its agents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar, cast

from harness.agents import Task, Tool
from harness.chance import Draws
from harness.faults.inject import PlannedFault
from harness.faults.of_agents import AgentFaults
from harness.faults.of_messages import MessageFaults, Reached, Recipient
from harness.faults.of_state import StateFaults
from harness.faults.of_tools import ToolFaults
from harness.models import Reply, Request, ToolCall
from harness.spans import Span, SpanLog

M = TypeVar("M")
"""A member of a team, as the pattern knows it."""


class TeamFaults:
    """The faults of tools, messages, agents and shared state of one run of a pattern.

    Args:
        planned: The whole plan.
        draws: Source of random values.
        log: Where it is noted that one has met something.
        without_effect: Each tool, as it is when it takes no effect.
    """

    def __init__(
        self,
        planned: Sequence[PlannedFault],
        draws: Draws,
        log: SpanLog,
        without_effect: Mapping[str, Tool],
    ) -> None:
        self._tools = ToolFaults(planned, draws, log, without_effect)
        self._agents = AgentFaults(planned, draws, log)
        self._messages = MessageFaults(planned, draws, log)
        self._state = StateFaults(planned, draws, log)

    @property
    def met(self) -> set[int]:
        """The numbers of the faults that have met something."""
        parts = (self._tools, self._agents, self._messages, self._state)
        return set().union(*(part.chooser.met for part in parts))

    @property
    def concern_agents(self) -> bool:
        """Whether agents have to ask."""
        return bool(self._tools.chooser) or bool(self._agents.chooser)

    def reached(self, team: dict[str, M]) -> None:
        """Put every member of a team behind the faults of the messages to it."""
        if self._messages.chooser:
            everybody = dict(team)
            self._messages.members = cast("Mapping[str, Recipient]", everybody)
            for name, member in self._messages.members.items():
                team[name] = cast("M", Reached(member, self._messages))

    def take_up(self, task: Task) -> None:
        """Let the shared state of a task be under the faults."""
        if self._state.chooser:
            task.around_state = self._state.around

    def begin(self, agent: str, task: Task) -> None:
        """A call of a model is about to be made."""
        if self._agents.chooser and self._agents.has_forgotten(agent, task.number):
            task.memory.pop(agent, None)

    async def call(self, request: Request, go_on: Callable[[Request], Awaitable[Reply]]) -> Reply:
        """Make a call of a model.

        Raises:
            ModelError: The call failed, or its agent did.
        """
        if not self._agents.chooser:
            return await go_on(request)
        return await self._agents.call(request, go_on)

    async def use(
        self, tool: Tool, call: ToolCall, key: str, span: Span, agent: str, task: Task
    ) -> str:
        """Use a tool.

        Raises:
            ToolError: It did not work, or the caller cannot know that it did.
        """
        if not self._tools.chooser:
            return await tool.use(call, key)
        return await self._tools.use(tool, call, key, span, agent, task.customer)
