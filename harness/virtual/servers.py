"""Servers of the program: they listen in memory, and the clients of the run reach them.

`loop.create_server` is what `asyncio.start_server` and the web servers on asyncio are made on (uvicorn, aiohttp). It
opens no socket: a port is a number in the run. Who connects is decided above (`harness.wire.own_servers`).
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from collections.abc import Callable, Sequence
from contextvars import copy_context
from typing import Any, Protocol

from harness.kernel.current_world import World
from harness.kernel.loop import SimLoop

_CHUNK_BYTES = 256 * 1024
"""How much asyncio reads from a socket at once."""
_FIRST_FREE_PORT, _CLIENT_PORT = 49_152, 65_000
_WAITS_FOR_CONNECTIONS = sys.version_info >= (3, 12)
"""Whether a closed server waits for its connections, as asyncio does since then."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - nothing is bound

Factory = Callable[[], Any]
"""Makes the protocol of a connection."""


class Client(Protocol):
    """Who has connected to a server."""

    def take(self, data: bytes) -> None:
        """The server has written."""

    def end(self) -> None:
        """The server has closed the connection."""


class Listener(asyncio.AbstractServer):
    """A server of the program, with the methods of `asyncio.Server`.

    Args:
        loop: Where it runs.
        world: The run.
        factory: Makes the protocol of each connection.
        hosts: Where it listens.
        port: Likewise.
    """

    def __init__(
        self, loop: SimLoop, world: World, factory: Factory, hosts: Sequence[str], port: int
    ) -> None:
        self.loop = loop
        self.hosts = hosts
        self.port = port
        self.context = copy_context()
        """The context variables that its protocols see: those in which it was made, as with a real socket."""
        self._world = world
        self._factory = factory
        self._serving = self._closed = False
        self._forever: asyncio.Future[None] | None = None
        self._connections: dict[ServerTransport, None] = {}
        self._waiting: list[asyncio.Future[None]] = []

    def __repr__(self) -> str:
        return f"<Server port={self.port} {'closed' if self._closed else 'listening'}>"

    @property
    def sockets(self) -> tuple[_Address, ...]:
        """Something with the address of each of its sockets."""
        return () if self._closed else tuple(_Address(host, self.port) for host in self.hosts)

    def is_named(self, host: str) -> bool:
        """Whether a client that connects to a host gets here."""
        names = {*self.hosts, *(LOOPBACK if {*_EVERYWHERE, *LOOPBACK} & {*self.hosts} else ())}
        return host in names

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Where it runs."""
        return self.loop

    def is_serving(self) -> bool:
        """Whether clients can connect."""
        return self._serving and not self._closed and not self.loop.is_closed()

    async def start_serving(self) -> None:
        """Let clients connect."""
        self._serving = True

    async def serve_forever(self) -> None:
        """Let clients connect until this is cancelled or the server is closed.

        Raises:
            RuntimeError: It is closed, or something waits here already.
        """
        if self._closed:
            raise RuntimeError(f"server {self!r} is closed")
        if self._forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        self._serving = True
        self._forever = self.loop.create_future()
        try:
            await self._forever
        except asyncio.CancelledError:
            self.close()
            await self.wait_closed()
            raise
        finally:
            self._forever = None

    def close(self) -> None:
        """Let nobody connect any more; those who have stay connected."""
        if self._closed:
            return
        self._closed = True
        self._world.listeners.pop(self.port, None)
        if self._forever is not None:
            self._forever.cancel()
        self._look()

    def close_clients(self) -> None:
        """Close all connections."""
        for transport in tuple(self._connections):
            transport.close()

    abort_clients = close_clients

    async def wait_closed(self) -> None:
        """Wait until it is closed, and its connections are."""
        if not self._is_over():
            waiting = self.loop.create_future()
            self._waiting.append(waiting)
            await waiting

    def accept(self, client: Client, data: bytes) -> ServerTransport:
        """A client has connected and sent something; called in the loop of the server."""
        transport = ServerTransport(self, self._factory(), client, data)
        self._connections[transport] = None
        return transport

    def left(self, transport: ServerTransport) -> None:
        """A connection is over."""
        self._connections.pop(transport, None)
        self._look()

    def _is_over(self) -> bool:
        return self._closed and not (_WAITS_FOR_CONNECTIONS and self._connections)

    def _look(self) -> None:
        if self._is_over():
            for waiting in self._waiting:
                if not waiting.done():
                    waiting.set_result(None)
            self._waiting.clear()


class _Address:
    """What a program asks of a socket that listens: where."""

    def __init__(self, host: str, port: int) -> None:
        self._name = (host or "0.0.0.0", port)  # noqa: S104 - as a real one says

    def getsockname(self) -> tuple[str, int]:
        """Host and port."""
        return self._name


class ServerTransport(asyncio.Transport):
    """The server's end of a connection; all that the client sends is there when it begins.

    Args:
        server: The server.
        protocol: Its protocol.
        client: The other end.
        data: What the client has sent.
    """

    def __init__(
        self, server: Listener, protocol: asyncio.Protocol, client: Client, data: bytes
    ) -> None:
        here, there = (LOOPBACK[1], server.port), (LOOPBACK[1], _CLIENT_PORT)
        super().__init__({"sockname": here, "peername": there})
        self._server, self._protocol, self._client = server, protocol, client
        self._unread = data
        self._paused = self._closing = False
        protocol.connection_made(self)
        server.loop.call_soon(self._read)

    def __repr__(self) -> str:
        return f"<connection to port {self._server.port}>"

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
            self._server.loop.call_soon(self._read)

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
        self._server.left(self)
        self._server.loop.call_soon(self._protocol.connection_lost, None)

    def _read(self) -> None:
        if not self.is_reading() or not self._unread:
            return
        data, self._unread = self._unread[:_CHUNK_BYTES], self._unread[_CHUNK_BYTES:]
        self._protocol.data_received(data)
        if self._unread:
            self._server.loop.call_soon(self._read)


def listen(
    loop: SimLoop, world: World, factory: Factory, host: object, port: object, *, at_once: bool
) -> Listener:
    """Begin to listen.

    Args:
        loop: Where the server runs.
        world: The run.
        factory: Makes the protocol of each connection.
        host: A host, several, or None for all.
        port: A port; 0 or None for one that is free.
        at_once: Whether clients can connect at once.

    Raises:
        OSError: The port is taken.
    """
    hosts = [host] if host is None or isinstance(host, str) else list(host)  # type: ignore[call-overload]
    number = int(port or 0)  # type: ignore[call-overload]
    if not number:
        number = next(n for n in range(_FIRST_FREE_PORT, 2**16) if n not in world.listeners)
    if number in world.listeners:
        raise OSError(
            errno.EADDRINUSE,
            f"error while attempting to bind on address {(hosts[0] or '0.0.0.0', number)!r}: "  # noqa: S104 - as asyncio
            f"{os.strerror(errno.EADDRINUSE).lower()}",
        )
    server = Listener(loop, world, factory, [one or "" for one in hosts], number)
    world.listeners[number] = server
    if at_once:
        server._serving = True  # noqa: SLF001 - its maker
    return server
