"""What passes on one HTTP connection, with times: requests and responses, made of the bytes in both directions.

A tap only watches. The bytes go on as they are and when they are, so that the program sees what it would see without it.
What is no HTTP/1.1 ends the tap, and the program goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import h11

from harness.recording.decoding import Decoder

_DECODED = frozenset({"content-encoding", "content-length", "transfer-encoding"})


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and its response, as they come about; times are of the recorder's clock [s]."""

    began_s: float
    """When the first byte of the request was sent."""
    caller: Any = None
    """What the recorder knew of who began it."""
    method: str = ""
    target: str = ""
    request_headers: list[tuple[str, str]] = field(default_factory=list)
    request_body: bytearray = field(default_factory=bytearray)
    status: int = 0
    """0 until the response has begun."""
    reason: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    headers_s: float = 0.0
    body: bytearray = field(default_factory=bytearray)
    """Decoded."""
    chunks: list[tuple[float, int]] = field(default_factory=list)
    """When each piece of the decoded body came, and its size."""
    end_s: float = 0.0
    complete: bool = False
    """Whether the response came to its end."""


class Sink(Protocol):
    """Who is told."""

    def clock(self) -> float:
        """The present moment [s]."""

    def begun(self, exchange: Exchange) -> None:
        """A request begins, in the task of whoever makes it."""

    def ended(self, exchange: Exchange, url: str) -> None:
        """A response is over, or its client has left."""

    def lost(self, why: str) -> None:
        """Something passes that cannot be recorded."""


class Tap:
    """Watches one connection.

    Args:
        sink: Who is told.
        scheme: `http` or `https`.
        host: Where it leads, with the port if that is not the usual one.
    """

    def __init__(self, sink: Sink, scheme: str, host: str) -> None:
        self.sink = sink
        self.scheme = scheme
        self.host = host
        self._now: Exchange | None = None
        self._ours = h11.Connection(h11.SERVER)
        """Parses what the client sends."""
        self._theirs: h11.Connection | None = None
        """Parses what the server sends; there once the head of the request is."""
        self._decoder: Decoder = Decoder("")
        self._off = False

    @property
    def is_waiting(self) -> bool:
        """Whether a request has been sent and no response has begun."""
        return self._now is not None and not self._now.status

    def sent(self, data: bytes) -> None:
        """The client sends something."""
        self._guarded(self._sent, data)

    def received(self, data: bytes) -> None:
        """The server has sent something; nothing is the end of the connection."""
        self._guarded(self._received, data)

    def closed(self) -> None:
        """The client closes the connection."""
        self._guarded(lambda _: self._end(complete=False), b"")

    def _guarded(self, do: Callable[[bytes], None], data: bytes) -> None:
        if self._off:
            return
        try:
            do(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, the program goes on
            self._off = True
            self.sink.lost(f"{self.scheme}://{self.host}: {error}")

    # -- the client's side ----------------------------------------------------------------------------------------------

    def _sent(self, data: bytes) -> None:
        if not data:
            return
        if data.startswith(b"PRI * HTTP/2.0"):
            self._off = True
            self.sink.lost(f"{self.scheme}://{self.host} speaks HTTP/2, and HTTP/1.1 is recorded")
            return
        if self._now is None:
            self._now = Exchange(self.sink.clock())
            self.sink.begun(self._now)
        self._ours.receive_data(bytes(data))
        while True:
            event = self._ours.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return
            if isinstance(event, h11.Request):
                self._begin(self._now, event)
            elif isinstance(event, h11.Data):
                self._now.request_body += event.data

    def _begin(self, exchange: Exchange, event: h11.Request) -> None:
        exchange.method = event.method.decode("ascii")
        exchange.target = event.target.decode("ascii")
        exchange.request_headers = _headers(event)
        theirs = self._theirs = h11.Connection(h11.CLIENT)
        theirs.send(h11.Request(method=event.method, target=event.target, headers=[("host", "x")]))
        theirs.send(h11.EndOfMessage())

    # -- the server's side ----------------------------------------------------------------------------------------------

    def _received(self, data: bytes) -> None:
        exchange, theirs = self._now, self._theirs
        if exchange is None or theirs is None:
            return
        now_s = self.sink.clock()
        theirs.receive_data(bytes(data))
        before = len(exchange.body)
        ended = False
        while True:
            try:
                event = theirs.next_event()
            except h11.RemoteProtocolError:
                if data:
                    raise
                self._end(complete=False)  # the server has closed in the middle
                return
            if (
                event is h11.NEED_DATA
                or event is h11.PAUSED
                or isinstance(event, h11.ConnectionClosed)
            ):
                break
            if isinstance(event, h11.Response):
                self._begin_response(exchange, event, now_s)
            elif isinstance(event, h11.Data):
                exchange.body += self._decoder.decode(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                exchange.body += self._decoder.rest()
                ended = True
                break
        if len(exchange.body) > before:
            exchange.chunks.append((now_s, len(exchange.body) - before))
        if ended:
            self._end(complete=True)

    def _begin_response(self, exchange: Exchange, event: h11.Response, now_s: float) -> None:
        exchange.status, exchange.headers_s = event.status_code, now_s
        exchange.reason = event.reason.decode("latin-1")
        exchange.headers = _headers(event)
        named = {name.lower(): value for name, value in exchange.headers}
        self._decoder = Decoder(named.get("content-encoding", "").lower())
        if self._decoder.decodes:
            exchange.headers = [(n, v) for n, v in exchange.headers if n.lower() not in _DECODED]

    def _end(self, *, complete: bool) -> None:
        exchange = self._now
        if exchange is None:
            return
        self._now, self._theirs = None, None
        exchange.end_s, exchange.complete = self.sink.clock(), complete
        rest = self._ours.trailing_data[0]
        self._ours = h11.Connection(h11.SERVER)
        if exchange.method:
            self.sink.ended(exchange, self._url(exchange))
        if rest and complete:
            self._sent(rest)

    def _url(self, exchange: Exchange) -> str:
        if "://" in exchange.target:  # of a proxy
            return exchange.target
        return f"{self.scheme}://{self.host}{exchange.target}"


def _headers(event: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - a request or a response
    return [
        (name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers.raw_items()
    ]
