"""Tell agents who the others are that their policies name."""

from __future__ import annotations

from collections.abc import Mapping

from harness.agents.agent import Agent
from harness.resilience import Policies


def connect(agent: Agent, policies: Policies, agents: Mapping[str, Agent]) -> None:
    """Tell an agent who the others are that its policies name.

    Args:
        agent: The agent.
        policies: Its policies.
        agents: All agents, by name.
    """
    agent.fallback = None if policies.fallback is None else agents[policies.fallback]
    critic = None if policies.validate is None else policies.validate.critic
    agent.critic = None if critic is None else agents[critic]
    if agent.instead is not None:
        agent.instead.others = {name: agents[name] for name in agent.instead.names()}
