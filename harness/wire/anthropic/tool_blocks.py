"""Uses of the server's own tools in an answer: the blocks of a use and of its result, their counters, the container."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from harness.json_types import JsonObject
from harness.models import ServerTool
from harness.wire.anthropic.files import Files
from harness.wire.anthropic.headers import BASE58
from harness.wire.anthropic.server_tools import TOOLS, Tool, Use
from harness.wire.api import Ids
from harness.wire.dates import rfc3339
from harness.wire.hosted import Hosted, Terms, offer_of

_DIRECT = {"caller": {"type": "direct"}}


def blocks_of(
    uses: Sequence[ServerTool], hosted: Sequence[Hosted], files: Files, ids: Ids, at_s: float
) -> Iterator[JsonObject]:
    """The blocks of uses of tools and of their results, which may write files."""
    for tool in uses:
        offer = offer_of(hosted, tool) or Hosted(tool.tool, Terms(), {})
        row = _row_of(offer)
        if row is None:  # sent as it is, although nothing offers it
            continue
        use = Use(tool, offer, files, ids, at_s)
        yield from _blocks(row, use)


def _row_of(offer: Hosted) -> Tool | None:
    rows = [row for row in TOOLS if row.name == offer.name]
    kind = str(offer.definition.get("type") or "")
    return next((row for row in rows if kind.startswith(row.offered)), rows[0] if rows else None)


def _blocks(row: Tool, use: Use) -> Iterator[JsonObject]:
    tool = use.tool
    if row.name == "mcp":
        use_id = "mcptoolu_01" + use.ids.next("mcptoolu", 22, BASE58)
        server = tool.input.get("server") or use.offer.server
        yield {
            "type": "mcp_tool_use",
            "id": use_id,
            "name": tool.input.get("name") or "",
            "input": tool.input.get("arguments") or {},
            "server_name": server,
        }
        failed = {"is_error": bool(tool.error)}
        yield {"type": row.result, "tool_use_id": use_id, **failed, "content": row.content(use)}
        return
    use_id = "srvtoolu_01" + use.ids.next("srvtoolu", 22, BASE58)
    called = row.called or str(use.offer.definition.get("name") or row.name)
    yield {
        "type": "server_tool_use",
        "id": use_id,
        "name": called,
        "input": _input(called, tool.input),
        **_DIRECT,
    }
    content: Any = {"type": f"{row.result}_error", "error_code": tool.error}
    if not tool.error:
        content = row.content(use)
    caller = _DIRECT if row.names_caller else {}
    yield {"type": row.result, "tool_use_id": use_id, "content": content, **caller}


def _input(called: str, given: JsonObject) -> JsonObject:
    """A shell is given commands, whatever they are called in the reply."""
    if called == "bash_code_execution" and "code" in given:
        return {"command": given["code"], **{name: given[name] for name in given if name != "code"}}
    return given


def counts_of(uses: Sequence[ServerTool]) -> JsonObject:
    """The field `server_tool_use` of `usage`."""
    counts = {"web_search_requests": 0, "web_fetch_requests": 0}
    for tool in uses:
        row = next((row for row in TOOLS if row.name == tool.tool), None)
        if row is not None and row.counted and not tool.error:
            counts[row.counted] += 1
    return counts


def container_of(uses: Sequence[ServerTool], ids: Ids, at_s: float) -> JsonObject | None:
    """The container in which tools ran; None if none did."""
    kinds = {row.name for row in TOOLS if row.in_container}
    if not any(tool.tool in kinds for tool in uses):
        return None
    return {
        "id": "container_01" + ids.next("container", 22, BASE58),
        "expires_at": rfc3339(at_s + _CONTAINER_S),
        "skills": None,
    }


_CONTAINER_S = 300.0
"""How long a container lives after its last use [s]: five minutes, as recorded by the SDK's examples."""
