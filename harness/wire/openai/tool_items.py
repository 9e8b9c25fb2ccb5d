"""Uses of OpenAI's own tools in an answer: their items, what a stream says of them, and how they are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness.json_types import JsonObject
from harness.models import Reply, ServerTool
from harness.wire.api import Ids
from harness.wire.hosted import Hosted, Terms, offer_of
from harness.wire.openai import approvals
from harness.wire.openai.server_tools import IMAGE_TOKENS, TOOLS, Use, item_id


class Course(NamedTuple):
    """What a stream says of an item that is a use of a tool."""

    before: tuple[str, ...]
    """The phases before its input is written, and the tool runs."""
    after: tuple[str, ...]
    """Those afterwards; the tool ends with the last."""
    written: tuple[str, str] | None = None
    """The field that is written piece by piece, and what its events are called."""
    hidden: Mapping[str, Any] = {}
    """What the item says in place of its fields before it is done."""


COURSES: Mapping[str, Course] = {
    "web_search_call": Course(("in_progress", "searching"), ("completed",)),
    "file_search_call": Course(
        ("in_progress", "searching"), ("completed",), None, {"results": None}
    ),
    "code_interpreter_call": Course(
        ("in_progress",),
        ("interpreting", "completed"),
        ("code", "code_interpreter_call_code"),
        {"outputs": None},
    ),
    "image_generation_call": Course(
        ("in_progress", "generating"), ("completed",), None, {"result": None}
    ),
    "mcp_approval_request": Course((), ()),
    "mcp_list_tools": Course(("in_progress",), ("completed",), None, {"tools": []}),
    "mcp_call": Course(
        ("in_progress",), ("completed",), ("arguments", "mcp_call_arguments"), {"output": None}
    ),
    "tool_search_call": Course((), ()),
    "tool_search_output": Course((), ()),
}
"""By type of item, from the events that the types of the SDK 3.54 have."""

_FAILED = {"mcp_call": "failed"}
"""The phase with which a use ends that fails, where there is one."""

_STATELESS = frozenset({"mcp_list_tools", "mcp_approval_request"})
"""Items that have no status."""


def items_of(
    asked: JsonObject,
    reply: Reply,
    hosted: Sequence[Hosted],
    heard: Sequence[JsonObject],
    ids: Ids,
) -> list[JsonObject]:
    """The items of the uses of tools.

    Args:
        asked: The request.
        reply: The reply.
        hosted: The tools that the request offers.
        heard: The items of the conversation.
        ids: Where the items' names come from.
    """
    items: list[JsonObject] = []
    known = [item["server_label"] for item in heard if item["type"] == "mcp_list_tools"]
    for tool in reply.server_tools:
        row = next((row for row in TOOLS if row.name == tool.tool), None)
        if row is None:
            continue
        offer = offer_of(hosted, tool) or Hosted(tool.tool, Terms(), {})
        fields = row.fields(Use(tool, offer.definition, asked.get("include") or (), ids))
        if row.name == "mcp" and fields["server_label"] not in known:
            known.append(fields["server_label"])
            items.append(_listing(fields, ids))
        if row.name == "mcp" and offer.permits(tool) == "ask":
            items.append(approvals.request_of(fields, item_id("mcpr", ids)))
            break
        if row.name == "mcp":
            fields["approval_request_id"] = approvals.given(heard, fields)
        status = {"status": row.failed if tool.error else "completed"}
        items.append({"id": item_id(row.prefix, ids), "type": row.item, **status, **fields})
        if row.name == "tool_search":
            items.append(_discovered(asked, tool, ids))
    return items


def _listing(call: JsonObject, ids: Ids) -> JsonObject:
    """The tools of an MCP server: as far as is known, the one that is called."""
    tool = {
        "annotations": None,
        "description": None,
        "input_schema": {"type": "object"},
        "name": call["name"],
    }
    return {
        "id": item_id("mcpl", ids),
        "type": "mcp_list_tools",
        "server_label": call["server_label"],
        "tools": [tool],
    }


def _discovered(asked: JsonObject, tool: ServerTool, ids: Ids) -> JsonObject:
    names = [one.get("name") or one.get("text") for one in tool.results]
    return {
        "id": item_id("tso", ids),
        "type": "tool_search_output",
        "status": "completed",
        "call_id": None,
        "execution": "server",
        "tools": [one for one in asked.get("tools") or () if one.get("name") in names],
    }


def opened(item: JsonObject) -> JsonObject:
    """An item of a tool before the tool has run."""
    course = COURSES[item["type"]]
    written = {course.written[0]: ""} if course.written else {}
    status = {} if item["type"] in _STATELESS else {"status": "in_progress"}
    hidden = {name: course.hidden[name] for name in course.hidden if name in item}
    return {**item, **status, **written, **hidden}


def phases_after(item: JsonObject) -> tuple[str, ...]:
    """The phases of an item once its input is written."""
    phases = COURSES[item["type"]].after
    if item.get("status") == "failed" and item["type"] in _FAILED:
        return (*phases[:-1], _FAILED[item["type"]])
    return phases


def usage_of(reply: Reply, hosted: Sequence[Hosted]) -> JsonObject | None:
    """The field `tool_usage`; None where no tool is offered that is counted there."""
    if not {one.name for one in hosted} & {"web_search", "image_generation"}:
        return None
    done = [use.tool for use in reply.server_tools if not use.error]
    images = done.count("image_generation") * IMAGE_TOKENS
    return {
        "image_gen": {
            "input_tokens": 0,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
            "output_tokens": images,
            "output_tokens_details": {"image_tokens": images, "text_tokens": 0},
            "total_tokens": images,
        },
        "web_search": {"num_requests": done.count("web_search")},
    }
