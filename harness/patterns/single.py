"""A single agent does the whole task in one call."""

from __future__ import annotations

from dataclasses import dataclass

from harness.agents import Message
from harness.patterns.api import Team
from harness.patterns.nested import MemberName


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """One agent answers the task."""

    agent: MemberName
    """Who."""

    async def run(self, task: Message, team: Team) -> Message:
        """Let the agent answer."""
        return await team[self.agent].handle(task)
