"""The tools that OpenAI uses itself: which there are, how they are offered, what they cost, and what their items say.

One line a tool. Sources: the guides under https://platform.openai.com/docs/guides/tools, the types of the SDK 3.54, and recorded
responses with `web_search_preview`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from harness.json_types import JsonObject
from harness.models import ServerTool
from harness.wire.api import Ids
from harness.wire.hosted import Hosted, Terms
from harness.wire.openai import approvals
from harness.wire.openai.annotations import file_of
from harness.wire.openai.encoding import HEX, compact

_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""An image of one pixel, where a reply states none."""

IMAGE_TOKENS = 4160
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
            **file_of(one),
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
        "container_id": container if isinstance(container, str) else item_id("cntr", use.ids),
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
        Terms(IMAGE_TOKENS * 40e-6, 15.0),
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


def item_id(prefix: str, ids: Ids) -> str:
    """The name of a new item."""
    return f"{prefix}_{ids.next(prefix, 50, HEX)}"
