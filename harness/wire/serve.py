"""The servers on a real socket, in real or scaled time, for programs in other languages.

The kernel follows the real clock here, instead of going ahead of it. Which API a request is for is told from its path.
"""

from __future__ import annotations

import asyncio
import signal
import traceback
from collections.abc import Callable, Sequence
from http import HTTPStatus

import h11

from harness import wall
from harness.apis import AGENT_HEADER, APIS
from harness.errors import HarnessError, NotSimulated
from harness.kernel.kernel import Kernel
from harness.kernel.sim_thread import Waiter
from harness.provider import Refusal
from harness.wire.http import Connection, HttpRequest, HttpResponse
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
            wait_s = (self._kernel.next_s() - self._kernel.now_s()) / self._speed
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
        tell: Writes a line on the server's terminal.
    """

    def __init__(self, server: Server, clock: RealTime, tell: Callable[[str], None]) -> None:
        self._server = server
        self._clock = clock
        self._tell = tell
        self._connection = Connection("", self._on_request, reader=self._flush)
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = transport  # type: ignore[assignment]  # of a socket, it is one

    def data_received(self, data: bytes) -> None:
        """A client has said something."""
        self._clock.catch_up()
        try:
            self._connection.write(data)
        except h11.RemoteProtocolError as error:
            self._give_up(error.error_status_hint, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the end of one connection alone
            self._tell(_told(error))
            self._give_up(500, "Internal server error")
        self._clock.catch_up()

    def eof_received(self) -> bool:
        """A client says nothing more; it is answered all the same."""
        return self._connection.sent_all()

    def connection_lost(self, exc: Exception | None) -> None:
        """A client has gone."""
        self._connection.hang_up()

    def _on_request(self, connection: Connection, http: HttpRequest) -> None:
        if http.path in ("", "/") and http.method in ("GET", "HEAD"):
            url = f"http://{http.headers.get('host', 'localhost')}"
            head = [("Content-Type", "text/plain; charset=utf-8")]
            body = greeting(url, self._server.providers).encode()
            connection.respond(HttpResponse(200, head, body))
            return
        connection.host = self._server.host_for(http)
        self._server.on_request(connection, http._replace(host=connection.host))

    def _give_up(self, status: int, text: str) -> None:
        """Say what is wrong outside of any API, and close the connection."""
        assert self._transport is not None
        body = f"{text}\n".encode()
        reason = HTTPStatus(status).phrase.encode()
        if not self._connection.has_begun:
            self._transport.write(
                b"HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                % (status, reason, len(body), body)
            )
        self._transport.close()

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


def greeting(url: str, providers: Sequence[tuple[str, str]]) -> str:
    """The page at the server's root.

    Args:
        url: Where it is reached.
        providers: The name of each provider, and that of its API.
    """
    lines = ["harness: simulated model providers; nothing here is real, and any key will do.", ""]
    lines += [f"  {name} speaks the API of {api}" for name, api in providers]
    lines += ["", "Point an SDK at it:", ""]
    spoken = {api for _, api in providers}
    lines += [
        f"  export {api.base_url}={url}{api.url_path}"
        for api in APIS.values()
        if api.name in spoken
    ]
    lines += ["", f"The header {AGENT_HEADER} says which agent makes a call.", ""]
    return "\n".join(lines)


def answer_errors(server: Server, tell: Callable[[str], None]) -> None:
    """Make every error that a request leads to the answer to that request, and a line on the server's terminal."""

    def refuse(what: str, error: Exception) -> Refusal:
        tell(f"{what}: {_told(error)}")
        if isinstance(error, NotSimulated):
            said = f"harness does not simulate {error.what}"
            return Refusal("invalid_request_error", status=400, message=said)
        if isinstance(error, HarnessError):
            return Refusal("api_error", message=str(error))
        return Refusal("api_error")

    server.on_error = refuse


def _told(error: Exception) -> str:
    """An error for the server's terminal: the user's in their words, ours with where they come from."""
    if isinstance(error, HarnessError):
        return str(error)
    return "".join(traceback.format_exception(error)).rstrip()


async def serve(
    server: Server,
    host: str,
    port: int,
    speed: float,
    ready: Callable[[int], None],
    tell: Callable[[str], None],
) -> None:
    """Answer on a socket until SIGINT or SIGTERM comes.

    Args:
        server: Who answers.
        host: The address to listen at.
        port: The port; 0 means any that is free.
        speed: Virtual seconds in a real one.
        ready: Called with the port as soon as clients may come.
        tell: Writes a line on the server's terminal, about requests that could not be answered.

    Raises:
        OSError: The port cannot be had.
    """
    loop = asyncio.get_running_loop()
    clock = RealTime(server.kernel, speed)
    answer_errors(server, tell)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    listener = await loop.create_server(lambda: Door(server, clock, tell), host, port)
    following = asyncio.create_task(clock.follow())
    stopping = asyncio.create_task(stop.wait())
    try:
        ready(listener.sockets[0].getsockname()[1])
        # An error that no request leads to ends the following.
        await asyncio.wait([following, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        listener.close()
        stopping.cancel()
        following.cancel()
        results = await asyncio.gather(following, stopping, return_exceptions=True)
    error = results[0]
    if isinstance(error, Exception):
        raise error
