"""Replies of an agent without a stated reply: a short text or value that fits the request.

Where a schema is asked for, the reply keeps it, with the plainest values that do; where a tool must be used, it is.
"""

from __future__ import annotations

import json
from typing import Any

from harness.errors import StubError
from harness.json_types import JsonObject
from harness.models.api import Reply, Request, ToolCall
from harness.models.example import example
from harness.models.schemas import violation


class Plausible:
    """A model that returns the simplest fitting reply.

    Args:
        agent: Whose words they are.
    """

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._sentence = Reply(f"{agent} has done its part")

    def reply(self, request: Request) -> Reply:
        """A fixed sentence; the simplest JSON that satisfies the schema; or a call of the tool that must be called.

        Raises:
            StubError: No made-up value satisfies the schema.
            NotSimulated: The value would be too large.
        """
        tool = request.wanted_tool or (_next_tool(request) if request.tool_choice == "any" else "")
        if tool:
            schema = request.tool_schemas.get(tool) or request.wanted or {}
            arguments = self._value({"type": "object", **schema}, f"the arguments of {tool!r}")
            return Reply("", (ToolCall(tool, arguments),))
        if request.wanted is not None:
            return Reply(json.dumps(self._value(request.wanted, "the reply")))
        return self._sentence

    def _value(self, schema: JsonObject, what: str) -> Any:  # noqa: ANN401 - any JSON
        value = example(schema)
        broken = violation(value, schema)
        if broken is not None:
            raise StubError(
                f"agent {self._agent!r} has no reply, and no made-up value satisfies the JSON Schema of {what}"
                f"\n  the closest value violates it at {broken.removeprefix('.')}"
                "\n  How to fix: give the agent a reply"
            )
        return value


def _next_tool(request: Request) -> str:
    """The first tool that the conversation has not used; if all are used, the last, so that loops end."""
    used = {call.tool for said in request.conversation for call in said.tool_calls}
    tools = list(request.tool_schemas)
    return next((tool for tool in tools if tool not in used), tools[-1] if tools else "")
