"""One agent reasons, uses tools, looks at what came out, and goes on until it has an answer.

Yao et al., "ReAct: Synergizing reasoning and acting in language models", ICLR 2023.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from harness.agents import Message
from harness.fields import AgentName
from harness.patterns.api import PatternError, Team, agent_in
from harness.units import Count


class IterationCapReached(PatternError):  # noqa: N818 - names the condition
    """The agent still wants tools after its last iteration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class React:
    """Call the model; use the tools that it asks for, side by side; repeat until it asks for none."""

    agent: AgentName
    """Who."""
    max_iterations: Count = 10
    """Most calls of the model for one task."""

    async def run(self, task: Message, team: Team) -> Message:
        """Reason and act.

        Raises:
            IterationCapReached: There is no answer after `max_iterations` calls.
        """
        with agent_in(team, self.agent).turn(task) as turn:
            for _ in range(self.max_iterations):
                reply = await turn.call()
                if not reply.tool_calls:
                    return turn.say(reply)
                turn.hear(await asyncio.gather(*(turn.use(call) for call in reply.tool_calls)))
            raise IterationCapReached(
                f"{self.agent} has no answer after {self.max_iterations} iterations"
            )
