"""Messages of the Model Context Protocol: JSON-RPC 2.0, its error codes, and the revisions that are spoken.

Source: https://modelcontextprotocol.io/specification, and `mcp_types` of the `mcp` package 2.3.0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Message = dict[str, Any]

WITH_SESSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Revisions in which a client opens a session with `initialize`."""
WITHOUT_SESSIONS = ("2026-07-28",)
"""Revisions in which each request says for itself what its client is."""
VERSIONS = (*WITH_SESSIONS, *WITHOUT_SESSIONS)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
HEADER_MISMATCH = -32020
UNSUPPORTED_VERSION = -32022

_META = "io.modelcontextprotocol/"
VERSION_KEY = f"{_META}protocolVersion"
CAPABILITIES_KEY = f"{_META}clientCapabilities"
SERVER_KEY = f"{_META}serverInfo"
SUBSCRIPTION_KEY = f"{_META}subscriptionId"

LIST_CHANGED = "notifications/tools/list_changed"

NOT_SIMULATED = frozenset(
    {
        "completion/complete",
        "logging/setLevel",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/subscribe",
        "resources/templates/list",
        "resources/unsubscribe",
        "tasks/cancel",
        "tasks/get",
        "tasks/list",
        "tasks/result",
    }
)
"""Methods of the protocol that a simulated server has not."""


class RequestError(Exception):
    """A request that is answered with an error of the protocol.

    Args:
        code: Its number.
        message: What it says.
        data: What else the client is told.
    """

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


def result(number: object, value: Mapping[str, Any]) -> Message:
    """The answer to a request."""
    return {"jsonrpc": "2.0", "id": number, "result": dict(value)}


def failure(number: object, error: RequestError) -> Message:
    """The error to a request; of none in particular if its number is None."""
    said: Message = {"code": error.code, "message": str(error)}
    if error.data is not None:
        said["data"] = error.data
    return {"jsonrpc": "2.0", "id": number, "error": said}


def notification(method: str, params: Mapping[str, Any] | None = None) -> Message:
    """A message that is not answered."""
    return {"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})}


def written(message: Message) -> bytes:
    """A message in one line."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def meta_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a request says beside its parameters."""
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, Mapping) else None
    return meta if isinstance(meta, Mapping) else {}
