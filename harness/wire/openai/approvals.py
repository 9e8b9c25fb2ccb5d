"""Approvals of calls of MCP servers: unless a request says otherwise, the client is asked before each call.

https://platform.openai.com/docs/guides/tools-connectors-mcp#approvals
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.json_types import JsonObject
from harness.models import ServerTool
from harness.wire.hosted import Permit


def permit(definition: JsonObject, heard: Sequence[JsonObject], use: ServerTool) -> Permit:
    """Whether a call may be made.

    Args:
        definition: The server's entry in the request.
        heard: The items of the conversation.
        use: The call.
    """
    name = str(use.input.get("name") or "")
    if not _must_ask(definition.get("require_approval"), name):
        return "yes"
    answers = _answers(heard, str(definition.get("server_label") or ""), name)
    if not answers:
        return "ask"
    return "yes" if answers[-1].get("approve") else "no"


def request_of(call: JsonObject, item_id: str) -> JsonObject:
    """The item that asks for the approval of a call.

    Args:
        call: What the call's own item would say.
        item_id: The name of the new item.
    """
    told = {name: call[name] for name in ("arguments", "name", "server_label")}
    return {"id": item_id, "type": "mcp_approval_request", **told}


def given(heard: Sequence[JsonObject], call: JsonObject) -> str | None:
    """The id of the request by which a call was approved; None if it needed none."""
    answers = _answers(heard, call["server_label"], call["name"])
    return answers[-1]["approval_request_id"] if answers else None


def _must_ask(rule: object, name: str) -> bool:
    """Whether a rule demands approval: always, never, or for some tools."""
    if not isinstance(rule, dict):
        return rule != "never"
    always, never = (_names(rule.get(kind)) for kind in ("always", "never"))
    return name in always if always else name not in never


def _names(tools: object) -> Sequence[object]:
    names = tools.get("tool_names") if isinstance(tools, dict) else None
    return names if isinstance(names, list) else ()


def _answers(heard: Sequence[JsonObject], server: str, name: str) -> list[JsonObject]:
    """The client's answers on calls of a tool that has not been called since."""
    asked: set[str] = set()
    answers: list[JsonObject] = []
    for item in heard:
        kind = item["type"]
        is_this = item.get("server_label") == server and item.get("name") == name
        if kind == "mcp_approval_request" and is_this:
            asked.add(str(item.get("id")))
        elif kind == "mcp_approval_response" and item.get("approval_request_id") in asked:
            answers.append(item)
        elif kind == "mcp_call" and is_this:
            answers.clear()
    return answers
