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
from typing import Any

from harness.kernel.current_world import World
from harness.kernel.loop import SimLoop
from harness.virtual.server_transports import LOOPBACK, Client, ServerTransport

_FIRST_FREE_PORT = 49_152
_WAITS_FOR_CONNECTIONS = sys.version_info >= (3, 12)
"""Whether a closed server waits for its connections, as asyncio does since then."""
_EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 - nothing is bound

Factory = Callable[[], Any]
"""Makes the protocol of a connection."""


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
        transport = ServerTransport(self.loop, self.port, self._factory(), client, data, self._left)
        self._connections[transport] = None
        return transport

    def _left(self, transport: ServerTransport) -> None:
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
