"""The program's own servers, as hosts that the clients of the run reach.

A request is complete when its server gets it, and a connection carries one: a client is told that it closes, and opens another.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.kernel.current_world import this_thread
from harness.virtual.server_transports import LOOPBACK
from harness.virtual.servers import Listener
from harness.wire.http import Connection, HttpRequest, HttpResponse
from harness.wire.peers import OnRequest

_OF_THE_CONNECTION = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}
)


class OwnServers:
    """The servers that the program of this thread's run has begun."""

    @property
    def places(self) -> list[str]:
        """Their hosts, each with its port."""
        return [f"{LOOPBACK[0]}:{port}" for port in _listeners()]

    def at(self, host: str, port: int) -> OnRequest | None:
        """The server of a host and a port."""
        listener = _listeners().get(port)
        if listener is None or not listener.is_serving() or not listener.is_named(host):
            return None
        return _Door(listener).on_request


def _listeners() -> Mapping[int, Listener]:
    world = this_thread.world
    return {} if world is None else world.listeners


class _Door:
    """Where requests come in to one server."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def on_request(self, connection: Connection, http: HttpRequest) -> None:
        """Hand a request over to the server's loop."""
        if http.headers.get("upgrade", "").lower() == "websocket":
            assert this_thread.world is not None, "servers of a program are in its world"
            what = f"a websocket to the server at port {self._listener.port}"
            raise this_thread.world.refuse(what, "use plain HTTP, or replace what connects.")
        if http.too_large:
            connection.respond(HttpResponse(413, [], b""))
            return
        listener = self._listener
        if not listener.is_serving():
            connection.close("reset")
            return
        listener.loop.call_soon_threadsafe(
            self._begin, connection, http, context=listener.context.copy()
        )

    def _begin(self, connection: Connection, http: HttpRequest) -> None:
        if connection.ended:
            return
        loop = self._listener.loop
        transport = self._listener.accept(_End(connection), written(http))

        def hang_up() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(transport.lose)

        if not transport.is_closing():
            connection.on_hang_up = hang_up


class _End:
    """The client's end of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, data: bytes) -> None:
        self._connection.has_begun = True
        self._connection.send_raw(data)

    def end(self) -> None:
        self._connection.close()


def written(http: HttpRequest) -> bytes:
    """A request as it was sent, for a connection that carries no other."""
    target = http.path + (f"?{http.query}" if http.query else "")
    lines = [f"{http.method} {target} HTTP/1.1"]
    lines += [
        f"{name}: {http.headers[name]}" for name in http.headers if name not in _OF_THE_CONNECTION
    ]
    if http.body or http.method in ("POST", "PUT", "PATCH"):
        lines.append(f"content-length: {len(http.body)}")
    head = "\r\n".join([*lines, "connection: close", "", ""])
    return head.encode("latin-1") + http.body
