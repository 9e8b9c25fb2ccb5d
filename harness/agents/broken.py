"""What breaks at a server of tools together with one use of a tool."""

from __future__ import annotations

from typing import Literal

Breaks = Literal["", "connection", "session", "server", "message", "tool"]
"""Nothing; the connection on which the answer would come; the session of the client, which the server knows no longer; both, as
when the server crashes; the answer, which is no message of the protocol; or the tool itself, which its server has no longer."""
