"""One agent: its role, model, tools and policies; and the messages between agents."""

from __future__ import annotations

from harness.agents.agent import Agent, Turn
from harness.agents.effects import Effect, Effects
from harness.agents.message import Message, MessageType, Task, joined
from harness.agents.tool import SimulatedTool, Tool, ToolError, ToolSpec

__all__ = [
    "Agent",
    "Effect",
    "Effects",
    "Message",
    "MessageType",
    "SimulatedTool",
    "Task",
    "Tool",
    "ToolError",
    "ToolSpec",
    "Turn",
    "joined",
]
