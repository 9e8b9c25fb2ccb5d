"""A registry of specialists: work is routed by capability, and agents send messages to one another directly."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime

from anthropic import Anthropic

MODEL = "claude-haiku-4-5"


@dataclass
class Message:
    """What one agent tells another."""

    sender: str
    recipient: str
    content: str
    timestamp: datetime = field(default_factory=datetime.now)


class SpecialistAgent:
    """Knows some subjects, and asks a colleague where it does not."""

    def __init__(self, name: str, capabilities: list[str]) -> None:
        self.name = name
        self.capabilities = capabilities
        self.client = Anthropic()
        self.registry: AgentRegistry | None = None
        self.inbox: list[Message] = []

    def handle(self, message: Message) -> str:
        """Answer a message; a reply `ASK name: question` asks somebody else."""
        self.inbox.append(message)
        print(f"{message.timestamp:%H:%M:%S} {message.sender} -> {self.name}: {message.content}")
        response = self.client.messages.create(
            model=MODEL,
            max_tokens=512,
            system=f"You are the {self.name} specialist. To ask a colleague, reply `ASK name: question`.",
            messages=[{"role": "user", "content": message.content}],
        )
        answer = response.content[0].text
        if answer.startswith("ASK "):
            colleague, _, question = answer.removeprefix("ASK ").partition(": ")
            assert self.registry is not None
            return self.registry.send_message(self.name, colleague, question)
        return answer


class AgentRegistry:
    """Knows who can do what."""

    def __init__(self) -> None:
        self.agents: dict[str, SpecialistAgent] = {}
        self.message_log: list[Message] = []

    def register(self, agent: SpecialistAgent) -> None:
        """Add an agent."""
        self.agents[agent.name] = agent
        agent.registry = self

    def find_by_capability(self, capability: str) -> list[SpecialistAgent]:
        """Return all agents that have a capability."""
        return [agent for agent in self.agents.values() if capability in agent.capabilities]

    def route_work(self, task: str) -> str:
        """Give a task to the first agent with a capability that the task names."""
        for agent in self.agents.values():
            if any(capability in task.lower() for capability in agent.capabilities):
                return self.send_message("user", agent.name, task)
        raise LookupError(f"no agent can do: {task}")

    def send_message(self, sender: str, recipient: str, content: str) -> str:
        """Deliver a message, and return the answer."""
        message = Message(sender, recipient, content)
        self.message_log.append(message)
        return self.agents[recipient].handle(message)


def support_desk() -> AgentRegistry:
    """Three specialists of a support desk."""
    registry = AgentRegistry()
    registry.register(SpecialistAgent("billing", ["invoice", "refund", "charge"]))
    registry.register(SpecialistAgent("technical", ["error", "crash", "charger"]))
    registry.register(SpecialistAgent("shipping", ["parcel", "delivery"]))
    return registry


if __name__ == "__main__":
    print(support_desk().route_work(" ".join(sys.argv[1:])))
