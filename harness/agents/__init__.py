"""One agent: its role, its model, its tools, the policies around its calls; and the messages between agents."""

from __future__ import annotations

from harness.agents.agent import Agent, Turn
from harness.agents.message import Message, MessageType, Task
from harness.agents.tool import SimulatedTool, Tool, ToolError, ToolSpec

__all__ = [
    "Agent",
    "Message",
    "MessageType",
    "SimulatedTool",
    "Task",
    "Tool",
    "ToolError",
    "ToolSpec",
    "Turn",
]
