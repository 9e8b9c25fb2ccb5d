"""The same servers on a real socket, in real or scaled time: for programs in other languages, and for a look with curl.

The kernel follows the real clock here, instead of going ahead of it. Which API a request is for is told from its path.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import h11

from harness import wall
from harness.kernel.baton import Waiter
from harness.kernel.kernel import Kernel
from harness.wire.http import Connection, HttpRequest
from harness.wire.server import Server

_LONGEST_NAP_S = 0.5
"""How long to wait at most between two looks at the clock [real s]."""


class RealTime:
    """Lets a kernel follow the real clock.

    Args:
        kernel: The kernel.
        speed: Virtual seconds in a real one.
    """

    def __init__(self, kernel: Kernel, speed: float) -> None:
        self._kernel = kernel
        self._speed = speed
        self._began_s = wall.elapsed_s()
        self._me = Waiter("the real clock")
        self._news = asyncio.Event()
        self._failure: Exception | None = None

    def catch_up(self) -> None:
        """Let everything happen that is due by now; `follow` tells what goes wrong."""
        now_s = (wall.elapsed_s() - self._began_s) * self._speed
        try:
            if now_s > self._kernel.now_s():
                self._kernel.park(self._me, now_s)
        except Exception as error:  # noqa: BLE001 - asyncio would log what a protocol raises, and go on
            self._failure = self._failure or error
        self._news.set()

    async def follow(self) -> None:
        """Let everything happen in its time, until cancelled."""
        while True:
            self._news.clear()
            self.catch_up()
            if self._failure is not None:
                raise self._failure
            self._news.clear()
            wait_s = (self._kernel.env.peek() - self._kernel.now_s()) / self._speed
            try:
                async with asyncio.timeout(min(wait_s, _LONGEST_NAP_S)):
                    await self._news.wait()
            except TimeoutError:
                continue


class Door(asyncio.Protocol):
    """One client's connection.

    Args:
        server: Who answers.
        clock: Keeps the kernel at the present moment.
    """

    def __init__(self, server: Server, clock: RealTime) -> None:
        self._server = server
        self._clock = clock
        self._connection = Connection("", self._on_request, reader=self._flush)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """A client has said something."""
        self._clock.catch_up()
        try:
            self._connection.write(data)
        except h11.RemoteProtocolError as error:
            assert self._transport is not None
            text = f"{error}\n".encode()
            self._transport.write(
                b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                % (len(text), text)
            )
            self._transport.close()
        self._clock.catch_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """A client has gone."""
        self._connection.hang_up()

    def _on_request(self, connection: Connection, http: HttpRequest) -> None:
        connection.host = self._server.host_for(http)
        self._server.on_request(connection, http._replace(host=connection.host))

    def _flush(self) -> None:
        transport, connection = self._transport, self._connection
        if transport is None or transport.is_closing():
            return
        if connection.failure is not None:
            transport.abort()
            return
        transport.write(connection.take(len(connection.received)))
        if connection.ended:
            transport.close()


async def serve(
    server: Server, host: str, port: int, speed: float, ready: Callable[[int], None]
) -> None:
    """Answer on a socket until SIGINT or SIGTERM comes.

    Args:
        server: Who answers.
        host: The address to listen at.
        port: The port; 0 means any that is free.
        speed: Virtual seconds in a real one.
        ready: Called with the port as soon as clients may come.

    Raises:
        OSError: The port cannot be had.
    """
    loop = asyncio.get_running_loop()
    clock = RealTime(server.kernel, speed)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    listener = await loop.create_server(lambda: Door(server, clock), host, port)
    following = asyncio.create_task(clock.follow())
    stopping = asyncio.create_task(stop.wait())
    try:
        ready(listener.sockets[0].getsockname()[1])
        # An error inside a server, such as a script that ran out, ends the following.
        await asyncio.wait([following, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        listener.close()
        stopping.cancel()
        following.cancel()
        results = await asyncio.gather(following, stopping, return_exceptions=True)
    error = results[0]
    if isinstance(error, Exception):
        raise error
