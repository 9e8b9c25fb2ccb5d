"""Connections to servers of the program, in memory: the server's end is a transport of asyncio's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from harness.kernel.loop import SimLoop

_CHUNK_BYTES = 256 * 1024
"""How much asyncio reads from a socket at once."""
_CLIENT_PORT = 65_000
LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""The names of this machine."""


class Client(Protocol):
    """Who has connected to a server."""

    def take(self, data: bytes) -> None:
        """The server has written."""

    def end(self) -> None:
        """The server has closed the connection."""


class ServerTransport(asyncio.Transport):
    """The server's end of a connection; all that the client sends is there when it begins.

    Args:
        loop: That of the server.
        port: Where the server listens.
        protocol: Its protocol.
        client: The other end.
        data: What the client has sent.
        left: Told when the connection is over.
    """

    def __init__(
        self,
        loop: SimLoop,
        port: int,
        protocol: asyncio.Protocol,
        client: Client,
        data: bytes,
        left: Callable[[ServerTransport], None],
    ) -> None:
        here, there = (LOOPBACK[1], port), (LOOPBACK[1], _CLIENT_PORT)
        super().__init__({"sockname": here, "peername": there})
        self._loop, self._port, self._left = loop, port, left
        self._protocol, self._client = protocol, client
        self._unread = data
        self._paused = self._closing = False
        protocol.connection_made(self)
        loop.call_soon(self._read)

    def __repr__(self) -> str:
        return f"<connection to port {self._port}>"

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Whom it tells."""
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:  # noqa: ANN401 - an asyncio.Protocol
        """Tell another."""
        self._protocol = protocol

    def pause_reading(self) -> None:
        """Pause reading."""
        self._paused = True

    def resume_reading(self) -> None:
        """Go on."""
        if self._paused:
            self._paused = False
            self._loop.call_soon(self._read)

    def is_reading(self) -> bool:
        """Whether the protocol is given what has come."""
        return not self._paused and not self._closing

    def write(self, data: Any) -> None:  # noqa: ANN401 - bytes of any kind
        """Write to the client, who reads at once."""
        if not self._closing:
            self._client.take(bytes(data))

    def can_write_eof(self) -> bool:
        """The end can be told, as in plain TCP."""
        return True

    def write_eof(self) -> None:
        """Tell the end: clients of HTTP have all that they wait for."""
        if not self._closing:
            self._client.end()

    def get_write_buffer_size(self) -> int:
        """Nothing waits to be read."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Limits of what waits to be read, of which there is nothing."""

    def is_closing(self) -> bool:
        """Whether it is over."""
        return self._closing

    def close(self) -> None:
        """Close the connection."""
        if not self._closing:
            self._client.end()
            self.lose()

    abort = close

    def lose(self) -> None:
        """The connection is over; called in the loop of the server."""
        if self._closing:
            return
        self._closing = True
        self._left(self)
        self._loop.call_soon(self._protocol.connection_lost, None)

    def _read(self) -> None:
        if not self.is_reading() or not self._unread:
            return
        data, self._unread = self._unread[:_CHUNK_BYTES], self._unread[_CHUNK_BYTES:]
        self._protocol.data_received(data)
        if self._unread:
            self._loop.call_soon(self._read)
