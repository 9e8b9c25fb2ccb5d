"""An orchestrator with registered agents: it splits a task, assigns the parts, and combines the results."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime

from anthropic import Anthropic

MODEL = "claude-sonnet-4-6"


@dataclass
class Subtask:
    """A part of a task, for one role."""

    role: str
    description: str
    created_at: datetime = field(default_factory=datetime.now)
    result: str | None = None
    finished_at: datetime | None = None


class Agent:
    """A worker with a role."""

    def __init__(self, name: str, role: str) -> None:
        self.name = name
        self.role = role
        self.client = Anthropic()
        self.completed = 0

    def work(self, subtask: Subtask) -> str:
        """Do a subtask, and wait for the model."""
        print(f"[{datetime.now():%H:%M:%S}] {self.name} starts: {subtask.description}")
        result = self.ask(f"You are {self.name}, a {self.role}.", subtask.description)
        self.completed += 1
        return result

    def ask(self, system: str, prompt: str) -> str:
        """Call the model."""
        message = self.client.messages.create(
            model=MODEL,
            max_tokens=1024,
            system=system,
            messages=[{"role": "user", "content": prompt}],
        )
        return message.content[0].text


class Orchestrator:
    """Coordinates agents that register with it."""

    def __init__(self) -> None:
        self.agents: dict[str, list[Agent]] = {}
        self.planner = Agent("Orchestrator", "planner")

    def register_agent(self, agent: Agent) -> None:
        """Add an agent to those of its role."""
        self.agents.setdefault(agent.role, []).append(agent)

    def decompose_task(self, task: str) -> list[Subtask]:
        """Let the model split a task; it answers with lines `role: what to do`."""
        roles = ", ".join(self.agents)
        plan = self.planner.ask(
            f"Decompose the task. One line per subtask, `role: what to do`. Roles: {roles}.", task
        )
        subtasks = []
        for line in plan.splitlines():
            role, _, description = line.partition(":")
            subtasks.append(Subtask(role.strip(), description.strip()))
        return subtasks

    def assign_work(self, subtasks: list[Subtask]) -> list[str]:
        """Give each subtask to the agent of its role that has done least."""
        results = []
        for subtask in subtasks:
            agent = min(self.agents[subtask.role], key=lambda agent: agent.completed)
            subtask.result = agent.work(subtask)
            subtask.finished_at = datetime.now()
            results.append(subtask.result)
        return results

    def synthesize_results(self, results: list[str]) -> str:
        """Combine what the agents found."""
        return self.planner.ask("Synthesize the results into one answer.", "\n\n".join(results))

    def run(self, task: str) -> str:
        """Do a task from beginning to end."""
        subtasks = self.decompose_task(task)
        results = self.assign_work(subtasks)
        return self.synthesize_results(results)


def main(task: str) -> str:
    """Two researchers and an analyst work on a task."""
    orchestrator = Orchestrator()
    orchestrator.register_agent(Agent("Ada", "researcher"))
    orchestrator.register_agent(Agent("Bob", "researcher"))
    orchestrator.register_agent(Agent("Cleo", "analyst"))
    return orchestrator.run(task)


if __name__ == "__main__":
    print(main(" ".join(sys.argv[1:])))
