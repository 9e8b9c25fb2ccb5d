"""Models: the sources of replies, behind the protocol in `api.py`.

`stub.py` is scripted content. `attempt.py` puts any content behind a simulated provider; `served.py` does so for patterns.
"""

from __future__ import annotations

from harness.models.api import (
    CALL_ERRORS,
    MALFORMED_REPLY,
    ChatMessage,
    Content,
    Model,
    ModelError,
    Recording,
    Reply,
    Request,
    StatedClaim,
    ToolCall,
    ToolChoice,
    ToolResult,
    error_name,
)
from harness.models.attempt import AttemptSpan, Backend
from harness.models.content import PythonStub, content_of
from harness.models.served import ServedModel
from harness.models.server_tool import ServerTool
from harness.models.stub import Line, Script, Stub, check_all_used, distinct

__all__ = [
    "CALL_ERRORS",
    "MALFORMED_REPLY",
    "AttemptSpan",
    "Backend",
    "ChatMessage",
    "Content",
    "Line",
    "Model",
    "ModelError",
    "PythonStub",
    "Recording",
    "Reply",
    "Request",
    "Script",
    "ServedModel",
    "ServerTool",
    "StatedClaim",
    "Stub",
    "ToolCall",
    "ToolChoice",
    "ToolResult",
    "check_all_used",
    "content_of",
    "distinct",
    "error_name",
]
