"""ReAct: one agent reasons, calls tools and reads their results until it has an answer.

Yao et al., "ReAct: Synergizing reasoning and acting in language models", ICLR 2023.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from harness.agents import Message
from harness.fields import AgentName
from harness.patterns.api import PatternError, Team, agent_in, arriving
from harness.patterns.decisions import ask
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
    constraints: str = ""
    """What the agent has to keep to; it hears it after the task."""
    remind_every: Count | None = None
    """It hears the constraints again after every so many calls; absent means never."""

    def __post_init__(self) -> None:
        if self.remind_every is not None and not self.constraints:
            raise ValueError("without `constraints` there is nothing to be reminded of")

    async def run(self, task: Message, team: Team) -> Message:
        """Reason and act.

        Raises:
            IterationCapReached: There is no answer after `max_iterations` calls.
        """
        told: tuple[Message, ...] = (
            (task, ask(task, self.constraints)) if self.constraints else (task,)
        )
        told = await arriving(team[self.agent], *told)
        with agent_in(team, self.agent).turn(*told) as turn:
            for number in range(1, self.max_iterations + 1):
                reply = await turn.call()
                if not reply.tool_calls:
                    return turn.say(reply)
                results = await asyncio.gather(*(turn.use(call) for call in reply.tool_calls))
                is_due = self.remind_every is not None and number % self.remind_every == 0
                turn.hear(results, self.constraints if is_due else "")
            raise IterationCapReached(
                f"{self.agent} has no answer after {self.max_iterations} iterations"
            )
