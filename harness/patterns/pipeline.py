"""A pipeline: each agent works on the reply of the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import MinLen

from harness.agents import Message
from harness.patterns.api import Team
from harness.patterns.nested import MemberName


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Stages in a row; the first gets the task, each other the message of the stage before."""

    stages: Annotated[tuple[MemberName, ...], MinLen(1)]
    """The agents, in order; one may occur more than once."""

    async def run(self, task: Message, team: Team) -> Message:
        """Pass the task down the row."""
        message = task
        for stage in self.stages:
            message = await team[stage].handle(message)
        return message
