"""Messages of JSON-RPC 2.0, which MCP and A2A are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Message = dict[str, Any]

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602


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


def is_message(message: object) -> bool:
    """Whether something is a message as JSON-RPC knows it."""
    return (
        isinstance(message, dict)
        and message.get("jsonrpc") == "2.0"
        and isinstance(message.get("method", ""), str)
        and isinstance(message.get("id"), str | int | None)
    )
