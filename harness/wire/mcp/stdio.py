"""MCP over standard input and output: a message in each line, between a program and a process that is simulated."""

from __future__ import annotations

import json

from harness.agents.broken import Breaks
from harness.virtual.commands import Talker
from harness.wire import json_rpc
from harness.wire.json_rpc import PARSE_ERROR, Message, RequestError
from harness.wire.mcp.server import McpServer
from harness.wire.routing import Scope, scope_here

_NOT_JSON = b"Processing request of type CallToolRequest\n"
"""What servers say that write their log to the standard output."""

_CRASHED = 1
"""The return code of a server that ends by itself."""


class StdioTalk:
    """The process of a server.

    Args:
        server: The server.
        root: What requests belong to that are made outside of everything.
        latency_s: How long it takes to start [s].
    """

    def __init__(self, server: McpServer, root: Scope, latency_s: float) -> None:
        self.latency_s = latency_s
        self._server = server
        self._root = root
        self._line = bytearray()
        self._talker: Talker | None = None
        self._session = server.open(self.send)

    def begin(self, talker: Talker) -> None:
        """It has started."""
        self._talker = talker

    def hear(self, data: bytes) -> None:
        """Take what the program has written."""
        self._line += data
        *lines, rest = self._line.split(b"\n")
        self._line = bytearray(rest)
        for line in lines:
            if line.strip():
                self._hear_line(bytes(line))

    def end(self) -> None:
        """The program has closed its end, or the process was ended."""
        self._session.close()

    def send(self, message: Message) -> None:
        """Write a message."""
        self._say(json_rpc.written(message) + b"\n")

    def break_off(self, what: Breaks) -> None:
        """A server whose answer is lost, or that ends a session, has crashed."""
        if what == "message":
            self._say(_NOT_JSON)
        elif self._talker is not None:
            self._session.close()
            self._talker.leave(_CRASHED)

    def _say(self, data: bytes) -> None:
        if self._talker is not None:
            self._talker.say(data)

    def _hear_line(self, line: bytes) -> None:
        try:
            message: object = json.loads(line)
        except (ValueError, RecursionError):
            self.send(json_rpc.failure(None, RequestError(PARSE_ERROR, "Parse error")))
            return
        self._session.hear(message, self, scope_here(self._root))
