"""The tools that OpenAI uses itself: which there are, what they cost, their items, and the events of a stream.

One line a tool. Sources: the guides under https://platform.openai.com/docs/guides/tools, the types of the SDK 3.54, and recorded
responses with `web_search_preview`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any, NamedTuple

from harness.json_types import JsonObject
from harness.models import Reply, ServerTool
from harness.wire.api import Ids
from harness.wire.hosted import Hosted, Terms, offer_of
from harness.wire.openai import approvals
from harness.wire.openai.encoding import HEX, compact

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""An image of one pixel, where a reply states none."""

_IMAGE_TOKENS = 4160
"""What an image of 1024 x 1024 has in high quality (https://platform.openai.com/docs/guides/image-generation#cost)."""


class Use(NamedTuple):
    """One use of a tool, while its item is written."""

    tool: ServerTool
    definition: JsonObject
    """Its entry in the request."""
    include: Sequence[str]
    """What the request wants to be included."""
    ids: Ids


class Tool(NamedTuple):
    """A tool that OpenAI uses."""

    name: str
    """As `ServerTool` names it."""
    offered: tuple[str, ...]
    """How the types begin of the tools in a request that offer it."""
    prefix: str
    """Of its items' ids."""
    item: str
    """The type of its items."""
    fields: Callable[[Use], JsonObject]
    """What an item says, beside id, type and status."""
    terms: Terms
    failed: str = "failed"
    """The status of a use that fails."""


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


def _searched(use: Use) -> JsonObject:
    query = use.tool.input.get("query") or ""
    queries = use.tool.input.get("queries") or [query]
    action: JsonObject = {"type": "search", "queries": queries, "query": query or queries[0]}
    if "web_search_call.action.sources" in use.include:
        urls = [one["url"] for one in use.tool.results if one.get("url")]
        action["sources"] = [{"type": "url", "url": url} for url in urls]
    return {"action": action}


def _opened(use: Use) -> JsonObject:
    return {"action": {"type": "open_page", "url": use.tool.input.get("url")}}


def _looked_up(use: Use) -> JsonObject:
    given = use.tool.input
    results = [
        {
            "attributes": one.get("attributes") or {},
            **_file(one),
            "score": one.get("score") or 1.0,
            "text": one.get("text") or "",
        }
        for one in use.tool.results
    ]
    wanted = "file_search_call.results" in use.include
    return {
        "queries": given.get("queries") or [given.get("query") or ""],
        "results": results if wanted else None,
    }


def _ran(use: Use) -> JsonObject:
    container = use.definition.get("container")
    outputs = [_output(one) for one in use.tool.results]
    wanted = "code_interpreter_call.outputs" in use.include
    return {
        "code": use.tool.input.get("code") or "",
        "container_id": container if isinstance(container, str) else _new("cntr", use.ids),
        "outputs": outputs if wanted else None,
    }


def _output(one: JsonObject) -> JsonObject:
    if one.get("url"):
        return {"type": "image", "url": one["url"]}
    return {"type": "logs", "logs": one.get("stdout") or one.get("text") or ""}


def _drawn(use: Use) -> JsonObject:
    wish = use.definition
    one = use.tool.results[0] if use.tool.results else {}

    def chosen(name: str, usual: str) -> Any:  # noqa: ANN401 - JSON
        asked = wish.get(name)
        return usual if asked in (None, "auto") else asked

    return {
        "action": chosen("action", "generate"),
        "background": chosen("background", "opaque"),
        "output_format": chosen("output_format", "png"),
        "quality": chosen("quality", "high"),
        "result": None if use.tool.error else one.get("image") or one.get("text") or _PIXEL,
        "revised_prompt": use.tool.input.get("prompt"),
        "size": chosen("size", "1024x1024"),
    }


def _called(use: Use) -> JsonObject:
    tool = use.tool
    texts = [str(one.get("text") or compact(one)) for one in tool.results]
    failed = {"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": tool.error}]}
    return {
        "approval_request_id": None,
        "arguments": compact(tool.input.get("arguments") or {}),
        "error": failed if tool.error else None,
        "name": tool.input.get("name") or "",
        "output": None if tool.error else "\n".join(texts),
        "server_label": tool.input.get("server") or use.definition.get("server_label") or "",
    }


def _tools_searched(use: Use) -> JsonObject:
    return {"arguments": use.tool.input, "call_id": None, "execution": "server"}


_SEARCH_S = 1.5

TOOLS = (
    Tool(
        "web_search",
        ("web_search",),
        "ws",
        "web_search_call",
        _searched,
        Terms(0.01, _SEARCH_S, 300),
    ),
    Tool(
        "web_fetch", ("web_search",), "ws", "web_search_call", _opened, Terms(0.0, _SEARCH_S, 300)
    ),
    Tool(
        "file_search",
        ("file_search",),
        "fs",
        "file_search_call",
        _looked_up,
        Terms(0.0025, 0.5, 200),
    ),
    # A container is paid for once; a session of 1 GB costs $0.03.
    Tool(
        "code_execution",
        ("code_interpreter",),
        "ci",
        "code_interpreter_call",
        _ran,
        Terms(0.03, 2.0),
    ),
    # 4,160 tokens of gpt-image-1 at $40 a million.
    Tool(
        "image_generation",
        ("image_generation",),
        "ig",
        "image_generation_call",
        _drawn,
        Terms(_IMAGE_TOKENS * 40e-6, 15.0),
    ),
    Tool("mcp", ("mcp",), "mcp", "mcp_call", _called, Terms(0.0, 1.0)),
    Tool(
        "tool_search",
        ("tool_search",),
        "tsc",
        "tool_search_call",
        _tools_searched,
        Terms(0.0, 0.2),
        "incomplete",
    ),
)
"""Fees are those of https://platform.openai.com/docs/pricing; times are guesses."""

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

_DEFAULTS: Mapping[str, JsonObject] = {
    "web_search": {
        "search_context_size": "medium",
        "user_location": {
            "type": "approximate",
            "city": None,
            "country": "US",
            "region": None,
            "timezone": None,
        },
    },
}
"""What an answer says of a tool when its request does not [recorded]."""


def echoed(tool: JsonObject) -> JsonObject:
    """A tool of OpenAI's as the answer repeats it."""
    kind = str(tool.get("type"))
    for start, defaults in _DEFAULTS.items():
        if kind.startswith(start):
            return {"type": kind, **defaults, **tool}
    return tool


def offered_in(asked: JsonObject, heard: Sequence[JsonObject]) -> tuple[Hosted, ...]:
    """OpenAI's own tools that a request offers.

    Args:
        asked: The request.
        heard: The items of the conversation.
    """
    return tuple(
        Hosted(
            row.name,
            row.terms,
            tool,
            str(tool.get("server_label") or ""),
            *((partial(approvals.permit, tool, heard),) if row.name == "mcp" else ()),
        )
        for tool in asked.get("tools") or ()
        for row in TOOLS
        if str(tool.get("type") or "").startswith(row.offered)
    )


def wanted_hosted(asked: JsonObject, hosted: Sequence[Hosted], functions: int) -> str:
    """The tool of OpenAI's that must be used; empty if there is no such wish.

    Args:
        asked: The request.
        hosted: The tools of OpenAI's that it offers.
        functions: How many tools it offers that the client runs.
    """
    choice = asked.get("tool_choice")
    if choice == "required" and hosted and not functions:
        return hosted[0].name
    kind = choice.get("type") if isinstance(choice, dict) else None
    named = [one.name for one in hosted if one.definition.get("type") == kind]
    return named[0] if named else ""


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
            items.append(approvals.request_of(fields, _new("mcpr", ids)))
            break
        if row.name == "mcp":
            fields["approval_request_id"] = approvals.given(heard, fields)
        status = {"status": row.failed if tool.error else "completed"}
        items.append({"id": _new(row.prefix, ids), "type": row.item, **status, **fields})
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
        "id": _new("mcpl", ids),
        "type": "mcp_list_tools",
        "server_label": call["server_label"],
        "tools": [tool],
    }


def _discovered(asked: JsonObject, tool: ServerTool, ids: Ids) -> JsonObject:
    names = [one.get("name") or one.get("text") for one in tool.results]
    return {
        "id": _new("tso", ids),
        "type": "tool_search_output",
        "status": "completed",
        "call_id": None,
        "execution": "server",
        "tools": [one for one in asked.get("tools") or () if one.get("name") in names],
    }


def _new(prefix: str, ids: Ids) -> str:
    return f"{prefix}_{ids.next(prefix, 50, HEX)}"


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


def _file(one: JsonObject) -> JsonObject:
    """The file of a result; one that has no name has an id that follows from what it says."""
    digest = blake2b(compact(one).encode("utf-8", "replace"), digest_size=11).hexdigest()
    return {
        "file_id": one.get("file_id") or f"file-{digest}",
        "filename": one.get("filename") or one.get("title") or "file.txt",
    }


def annotations_of(reply: Reply) -> list[JsonObject]:
    """What a text cites: the pages and files that were found, where it names them, else as a whole."""
    found: list[JsonObject] = []
    for tool in reply.server_tools:
        for one in tool.results:
            if reply.cites and not any(said in str(one.get("text")) for said in reply.cites):
                continue
            if tool.tool == "web_search" and one.get("url"):
                found.append(_of_page(one, reply.text))
            elif tool.tool == "file_search":
                found.append(
                    {
                        "type": "file_citation",
                        **_file(one),
                        "index": max(0, len(reply.text) - 1),
                    }
                )
    return found


def _of_page(page: JsonObject, text: str) -> JsonObject:
    url = page["url"]
    start = text.find(url)
    start, end = (0, len(text)) if start < 0 else (start, start + len(url))
    return {
        "type": "url_citation",
        "end_index": end,
        "start_index": start,
        "title": page.get("title") or url,
        "url": url,
    }


def usage_of(reply: Reply, hosted: Sequence[Hosted]) -> JsonObject | None:
    """The field `tool_usage`; None where no tool is offered that is counted there."""
    if not {one.name for one in hosted} & {"web_search", "image_generation"}:
        return None
    done = [use.tool for use in reply.server_tools if not use.error]
    images = done.count("image_generation") * _IMAGE_TOKENS
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
