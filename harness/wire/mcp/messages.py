"""Messages of the Model Context Protocol: its error codes, its methods, and the revisions that are spoken.

Source: https://modelcontextprotocol.io/specification, and `mcp_types` of the `mcp` package 2.3.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WITH_SESSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""Revisions in which a client opens a session with `initialize`."""
WITHOUT_SESSIONS = ("2026-07-28",)
"""Revisions in which each request says for itself what its client is."""
VERSIONS = (*WITH_SESSIONS, *WITHOUT_SESSIONS)

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


def meta_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a request says beside its parameters."""
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, Mapping) else None
    return meta if isinstance(meta, Mapping) else {}
