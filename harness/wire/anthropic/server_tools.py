"""The server's own tools: which there are, what they cost, and the blocks of a use and of its result.

One line a tool. Sources: the tools' pages under https://platform.claude.com/docs/en/agents-and-tools/tool-use, the types of
the SDK 2.12, and recorded answers with `web_search` and `tool_search_tool_bm25`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from harness.json_types import JsonObject
from harness.models import ServerTool
from harness.wire.anthropic.files import Files
from harness.wire.api import Ids
from harness.wire.dates import rfc3339
from harness.wire.hosted import Hosted, Terms, result_tokens

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


class Use(NamedTuple):
    """One use of a tool, while its blocks are written."""

    tool: ServerTool
    offer: Hosted
    files: Files
    """Those of the run; it may write some."""
    ids: Ids
    at_s: float
    """When [s]."""


Content = Callable[[Use], Any]


class Tool(NamedTuple):
    """A tool of the server."""

    name: str
    """As `ServerTool` names it."""
    offered: tuple[str, ...]
    """How the types begin of the tools in a request that offer it."""
    called: str
    """Its name in the block of a use; empty for the name that the request gives it."""
    result: str
    """What the type of its result begins with."""
    content: Content
    """The content of its result."""
    terms: Terms
    counted: str = ""
    """The counter in `usage.server_tool_use`."""
    names_caller: bool = False
    """Whether its result says who called it."""
    in_container: bool = False
    """Whether it runs in a container."""


def _found(use: Use) -> list[JsonObject]:
    return [
        {
            "type": "web_search_result",
            "title": one.get("title") or one.get("url") or "",
            "url": one.get("url") or "",
            "encrypted_content": encrypted("found", result_tokens(one, use.offer.terms), use.ids),
            "page_age": one.get("page_age"),
        }
        for one in use.tool.results
    ]


def _fetched(use: Use) -> JsonObject:
    one = use.tool.results[0] if use.tool.results else {}
    source = {"type": "text", "media_type": "text/plain", "data": one.get("text") or ""}
    cited = use.offer.definition.get("citations")
    return {
        "type": "web_fetch_result",
        "url": one.get("url") or use.tool.input.get("url") or "",
        "retrieved_at": rfc3339(use.at_s),
        "content": {
            "type": "document",
            "source": source,
            "title": one.get("title"),
            "citations": cited if isinstance(cited, dict) else None,
        },
    }


def _ran(prefix: str) -> Content:
    def content(use: Use) -> JsonObject:
        one = use.tool.results[0] if use.tool.results else {}
        files = [_written(file, use) for file in one.get("files") or ()]
        return {
            "type": f"{prefix}_result",
            "stdout": one.get("stdout") or one.get("text") or "",
            "stderr": one.get("stderr") or "",
            "return_code": one.get("return_code") or 0,
            "content": [{"type": f"{prefix}_output", "file_id": file} for file in files],
        }

    return content


def _written(file: JsonObject, use: Use) -> str:
    """Keep a file that a use has written, and return its id."""
    content = file.get("content", "")
    data = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    return use.files.write(file["name"], data, use.ids, use.at_s)


def _edited(use: Use) -> JsonObject:
    one = use.tool.results[0] if use.tool.results else {}
    prefix = "text_editor_code_execution"
    match use.tool.input.get("command"):
        case "create":
            return {"type": f"{prefix}_create_result", "is_file_update": False}
        case "str_replace":
            return {
                "type": f"{prefix}_str_replace_result",
                "old_start": None,
                "old_lines": None,
                "new_start": None,
                "new_lines": None,
                "lines": None,
                **{name: one[name] for name in one if name != "text"},
            }
    text = str(one.get("text") or "")
    lines = text.count("\n") + 1
    return {
        "type": f"{prefix}_view_result",
        "file_type": "text",
        "content": text,
        "num_lines": lines,
        "start_line": 1,
        "total_lines": lines,
    }


def _discovered(use: Use) -> JsonObject:
    names = [one.get("name") or one.get("text") for one in use.tool.results]
    return {
        "type": "tool_search_tool_search_result",
        "tool_references": [{"type": "tool_reference", "tool_name": name} for name in names],
    }


def _answered(use: Use) -> list[JsonObject]:
    texts = [str(one.get("text") or "") for one in use.tool.results] or [use.tool.error]
    return [{"citations": None, "type": "text", "text": text} for text in texts]


_SANDBOX_S, _SEARCH_S, _PAGE_TOKENS = 2.0, 1.5, 1000

TOOLS = (
    Tool(
        "web_search",
        ("web_search_",),
        "web_search",
        "web_search_tool_result",
        _found,
        # $10 for 1,000 searches; ten results were recorded with 10,000 tokens.
        Terms(0.01, _SEARCH_S, _PAGE_TOKENS),
        "web_search_requests",
        names_caller=True,
    ),
    Tool(
        "web_fetch",
        ("web_fetch_",),
        "web_fetch",
        "web_fetch_tool_result",
        _fetched,
        Terms(0.0, _SEARCH_S, 2 * _PAGE_TOKENS),
        "web_fetch_requests",
        names_caller=True,
    ),
    Tool(
        "code_execution",
        ("code_execution_20250522",),
        "code_execution",
        "code_execution_tool_result",
        _ran("code_execution"),
        Terms(takes_s=_SANDBOX_S),
        in_container=True,
    ),
    Tool(
        "code_execution",
        ("code_execution_202508", "code_execution_2026"),
        "bash_code_execution",
        "bash_code_execution_tool_result",
        _ran("bash_code_execution"),
        Terms(takes_s=_SANDBOX_S),
        in_container=True,
    ),
    Tool(
        "text_editor_code_execution",
        ("code_execution_202508", "code_execution_2026"),
        "text_editor_code_execution",
        "text_editor_code_execution_tool_result",
        _edited,
        Terms(takes_s=0.5),
        in_container=True,
    ),
    Tool(
        "tool_search",
        ("tool_search_tool_",),
        "",
        "tool_search_tool_result",
        _discovered,
        Terms(takes_s=0.2),
    ),
    Tool("mcp", ("mcp_toolset",), "", "mcp_tool_result", _answered, Terms(takes_s=1.0)),
)
"""Fees are those of https://platform.claude.com/docs/en/about-claude/pricing; times are guesses."""


OF_THE_SERVER = (*dict.fromkeys(kind for row in TOOLS for kind in row.offered), "mcp_", "advisor_")
"""How the types begin of tools that the server itself uses."""


def offered_in(body: JsonObject) -> tuple[Hosted, ...]:
    """The server's tools that a request offers."""
    found = [
        Hosted(
            row.name,
            row.terms,
            definition,
            str(definition.get("mcp_server_name") or ""),
            most=_most(definition.get("max_uses")),
        )
        for definition in body.get("tools") or ()
        for row in TOOLS
        if str(definition.get("type") or "").startswith(row.offered)
    ]
    if body.get("mcp_servers") and not any(one.name == "mcp" for one in found):
        # The older way: without a toolset.
        found += (
            Hosted("mcp", TOOLS[-1].terms, {"type": "mcp_toolset"}, str(server.get("name") or ""))
            for server in body["mcp_servers"]
        )
    return tuple(found)


def _most(stated: object) -> int | None:
    return stated if isinstance(stated, int) else None


def wanted_hosted(
    body: JsonObject, schemas: Mapping[str, JsonObject], hosted: Sequence[Hosted]
) -> str:
    """The server's tool that must be used; empty if there is no such wish.

    Args:
        body: The request.
        schemas: The tools that the client runs.
        hosted: Those of the server.
    """
    choice = body.get("tool_choice") or {}
    match choice.get("type"):
        case "tool":
            named = [one.name for one in hosted if one.definition.get("name") == choice["name"]]
            return named[0] if named else ""
        case "any" if hosted and not schemas:
            return hosted[0].name
    return ""


def encrypted(what: str, tokens: int, ids: Ids) -> str:
    """Text that only the server reads, as long as so many tokens."""
    piece = ids.next(what, min(256, max(16, 4 * tokens)), _BASE64)
    return "E" + (piece * (4 * tokens // len(piece) + 1))[: max(16, 4 * tokens)]
