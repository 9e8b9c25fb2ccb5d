"""HTTP/1.1 for the server: parse requests, write answers.

What clients send is parsed by h11. What is sent to them is framed here: that is a few bytes around each part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

import h11

from harness.errors import HarnessBug
from harness.kernel.lineage import Lineage

Header = tuple[str, str]
Headers = list[Header]


class Head(NamedTuple):
    """All of a request but its body."""

    raw: bytes
    method: str
    path: str
    query: str
    headers: dict[str, str]
    """By name in lower case."""
    body_bytes: int | None
    """Length of the body; None of one that comes in chunks."""
    body_bytes_max: int
    """The largest body that the API takes at this path."""


_LENGTH = re.compile(rb"(?<=\r\n)content-length: *(\d{1,15})(?=\r\n)", re.IGNORECASE)


@lru_cache(maxsize=256)
def read_head(raw: bytes) -> Head:
    """Parse the head of a request. A client sends nearly the same one each time; often only the length differs.

    Raises:
        RemoteProtocolError: It is not HTTP (h11's error).
    """
    lengths = list(_LENGTH.finditer(raw))
    if len(lengths) != 1:
        return _parsed(raw)
    start, end = lengths[0].span(1)
    head = _parsed(raw[:start] + b"0" + raw[end:])
    if head.body_bytes is None:  # it comes in chunks, whatever the header says
        return _parsed(raw)
    length = raw[start:end].decode("ascii")
    headers = {**head.headers, "content-length": length}
    return head._replace(raw=raw, headers=headers, body_bytes=int(length))


@lru_cache(maxsize=256)
def _parsed(raw: bytes) -> Head:
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(raw)
    request = parser.next_event()
    if not isinstance(request, h11.Request):
        raise h11.RemoteProtocolError("a request has a method, a target and a version")
    path, _, query = request.target.decode("ascii").partition("?")
    headers = {name.decode("ascii"): value.decode("latin-1") for name, value in request.headers}
    chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    length = None if chunked else int(headers.get("content-length", "0"))
    method = request.method.decode("ascii")
    return Head(raw, method, path, query, headers, length, max_body_bytes(path))


class HttpRequest(NamedTuple):
    """One request, complete."""

    method: str
    host: str
    """Whom it was sent to, without a port."""
    path: str
    """Without the query."""
    query: str
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes
    """Empty if it is too large."""
    base: str | None = ""
    """What stood in place of the API's own base path, where the provider has another; None if the path is at none of
    the provider's base paths."""
    too_large: bool = False
    """Whether the body is larger than the API accepts; the rest of it is not read."""


def origin(http: HttpRequest) -> str:
    """The URL at which a client reaches the API, up to where the API's own paths begin."""
    named = http.headers.get("host", http.host)
    # On a real socket a client names the address of that, and speaks without TLS.
    scheme = "https" if named.partition(":")[0].lower() == http.host else "http"
    return f"{scheme}://{named}{http.base or ''}"


@dataclass(slots=True)
class HttpResponse:
    """One answer; a body in parts is streamed."""

    status: int
    headers: Headers
    body: bytes | Sequence[Part]
    hint: str = ""
    """What harness says of it beside the test; it is not sent."""


class Part(NamedTuple):
    """A piece of a streamed body."""

    data: bytes
    share: float
    """How much of the reply has been generated when it leaves: 0 with the first token, 1 with the last."""


_MEGABYTE = 2**20
_MAX_HEAD_BYTES = 64 * 1024
_MAX_BODY_BYTES: tuple[tuple[str, int], ...] = (
    # https://docs.claude.com/en/api/errors#request-size-limits, https://platform.openai.com/docs/api-reference/files
    ("/messages", 32 * _MEGABYTE),
    ("/messages/count_tokens", 32 * _MEGABYTE),
    ("/messages/batches", 256 * _MEGABYTE),
    ("/files", 512 * _MEGABYTE),
)
_MAX_OTHER_BODY_BYTES = 64 * _MEGABYTE
"""Where nothing is documented: more than the 50 MB of images that OpenAI takes with a request."""


def max_body_bytes(path: str) -> int:
    """The largest body that a request to a path may have."""
    plain = path.rstrip("/")
    sizes = (size for end, size in _MAX_BODY_BYTES if plain.endswith(end))
    return next(sizes, _MAX_OTHER_BODY_BYTES)


Failure = Literal["refused", "dns", "tls", "reset", "timeout"]
"""How a connection can end without an answer."""

WORDS: dict[Failure, str] = {
    "refused": "[Errno 111] Connection refused",
    "dns": "[Errno -2] Name or service not known",
    "tls": "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)",
    "reset": "[Errno 104] Connection reset by peer",
    "timeout": "[Errno 110] Connection timed out",
}
"""What the operating system says."""


@dataclass(slots=True, eq=False)
class Connection:
    """Both ends of one connection in memory: what the client wrote is parsed, what the server sends lies here to be read.

    Made when a client connects; over when either side closes it.
    """

    host: str
    on_request: Callable[[Connection, HttpRequest], None]
    """The server; called as soon as a request is complete, by the client who completes it."""
    reader: Callable[[], object] | None = None
    """Wakes the client who waits for news; set by that client."""
    on_hang_up: Callable[[], None] | None = None
    """Called when the client closes; set by the server while it answers."""
    received: bytearray = field(default_factory=bytearray)
    """What the client has not read yet."""
    ended: bool = False
    """Whether nothing more will come."""
    failure: Failure | None = None
    """Why, if it did not end well."""
    timed_out: bool = False
    """Whether the client has given up because its own timeout was over."""
    caller: Lineage | None = None
    """The task that makes the next request, of a client that lets another task write it."""
    is_unreachable: bool = False
    """Whether the server has decided that no connection comes about; `failure` follows when the client may hear of it."""
    is_answering: bool = False
    """Whether a request is complete and its answer is not."""
    has_begun: bool = False
    """Whether a part of the present answer has been sent."""
    _sent: bytearray = field(default_factory=bytearray)
    """Bytes of the client that are not parsed yet."""
    _head: Head | None = None
    """Of the request whose body is coming."""
    _chunked: h11.Connection | None = None
    """Parses a body that comes in chunks."""
    _body: bytearray = field(default_factory=bytearray)
    _in_chunks: bool = False
    """Whether the body that is being sent is."""
    _closes: bool = False
    """Whether the client gets no other answer after this one."""
    _head_only: bool = False
    """Whether the answer is sent without its body."""

    # -- the client's end ---------------------------------------------------------------------------------------

    @property
    def has_news(self) -> bool:
        """Whether a read would not wait."""
        return bool(self.received) or self.ended

    def take(self, max_bytes: int) -> bytes:
        """Read what is there; nothing at the end."""
        data = bytes(self.received[:max_bytes])
        del self.received[:max_bytes]
        return data

    def write(self, data: bytes) -> None:
        """Send to the server, which answers what is complete.

        Raises:
            RemoteProtocolError: It is not HTTP (h11's error).
        """
        if self._closes and self.is_answering:
            return  # the connection closes after this answer; the rest is ignored
        self._sent += data
        self._hear()

    def sent_all(self) -> bool:
        """Note that the client sends nothing more and still listens; tells whether an answer is to come."""
        self._closes = True
        return self.is_answering

    def hang_up(self) -> None:
        """Close from the client's side."""
        self.ended = True
        if self.on_hang_up is not None:
            self.on_hang_up()

    # -- the server's end ---------------------------------------------------------------------------------------

    def respond(self, response: HttpResponse) -> None:
        """Send a whole answer."""
        assert isinstance(response.body, bytes), "a streamed answer is sent part by part"
        self._put(self._begun(response) + (b"" if self._head_only else response.body))
        self.finish()

    def begin(self, response: HttpResponse) -> None:
        """Send the head of an answer."""
        self._put(self._begun(response))

    def _begun(self, response: HttpResponse) -> bytes:
        if isinstance(response.body, bytes):
            framing, self._in_chunks = f"Content-Length: {len(response.body)}", False
        else:
            framing, self._in_chunks = "Transfer-Encoding: chunked", True
        lines = list(map(": ".join, response.headers))
        if self._closes:
            lines.append("Connection: close")
        head = f"HTTP/1.1 {response.status} {_REASONS.get(response.status, '')}\r\n"
        head += "\r\n".join([*lines, framing, "\r\n"])
        if head.count("\n") != len(lines) + 3:
            raise HarnessBug(f"a header has a line break: {lines}")
        self.has_begun = True
        return head.encode("latin-1")

    def send(self, data: bytes) -> None:
        """Send a piece of a body."""
        if self._head_only:
            return
        if self._in_chunks:
            data = b"%x\r\n%s\r\n" % (len(data), data)
        self._put(data)

    def send_raw(self, data: bytes) -> None:
        """Send bytes that are no HTTP."""
        self._put(data)

    def finish(self) -> None:
        """End an answer; the connection stays open for the next request unless the client wants that no more."""
        if self._in_chunks and not self._head_only:
            self._put(b"0\r\n\r\n")
        self.on_hang_up = None
        self.is_answering = False
        if self._closes:
            self.close()
        elif self._sent:
            self._hear()

    def close(self, failure: Failure | None = None) -> None:
        """Send nothing more; with a failure, what was not read yet is lost."""
        self.on_hang_up = None
        self.ended = True
        self.failure = failure
        self._wake()

    def _hear(self) -> None:
        """Parse what has come, and hand over a request that is complete; one at a time."""
        while not self.is_answering and not self.ended:
            if self._head is None:
                self._head = self._read_head()
            if self._head is None:
                return
            head, body = self._head, self._read_body(self._head)
            too_large = body is None and self._is_too_large(head)
            if body is None and not too_large:
                return
            self._head = None
            self.is_answering, self.has_begun = True, False
            self._head_only = head.method == "HEAD"
            self._closes = too_large or head.headers.get("connection", "").lower() == "close"
            self.on_request(
                self,
                HttpRequest(
                    head.method,
                    self.host,
                    head.path,
                    head.query,
                    head.headers,
                    body or b"",
                    too_large=too_large,
                ),
            )

    def _read_head(self) -> Head | None:
        """The head, once all of it is there."""
        end = self._sent.find(b"\r\n\r\n")
        if end < 0 and len(self._sent) <= _MAX_HEAD_BYTES:
            return None
        if end < 0 or end > _MAX_HEAD_BYTES:
            raise h11.RemoteProtocolError("the headers are too large", error_status_hint=431)
        head = read_head(bytes(self._sent[: end + 4]))
        del self._sent[: end + 4]
        if head.headers.get("expect", "").lower() == "100-continue":
            self._put(b"HTTP/1.1 100 Continue\r\n\r\n")
        return head

    def _is_too_large(self, head: Head) -> bool:
        """Whether a body that is not complete is larger than the API takes; then what came of it is forgotten."""
        there = max(head.body_bytes or 0, len(self._body), len(self._sent))
        if there <= head.body_bytes_max:
            return False
        self._sent.clear()
        self._body.clear()
        self._chunked = None
        return True

    def _read_body(self, head: Head) -> bytes | None:
        """The body, once all of it is there."""
        if head.body_bytes is not None:
            if len(self._sent) < head.body_bytes or head.body_bytes > head.body_bytes_max:
                return None
            body = bytes(self._sent[: head.body_bytes])
            del self._sent[: head.body_bytes]
            return body
        if self._chunked is None:
            self._chunked = h11.Connection(h11.SERVER)
            self._chunked.receive_data(head.raw)
            self._chunked.next_event()
        if self._sent:  # nothing at all would tell h11 that the client has gone
            self._chunked.receive_data(bytes(self._sent))
            self._sent.clear()
        while isinstance(event := self._chunked.next_event(), h11.Data):
            self._body += event.data
            if len(self._body) > head.body_bytes_max:
                return None
        if not isinstance(event, h11.EndOfMessage):
            return None
        body = bytes(self._body)
        self._body.clear()
        self._sent += self._chunked.trailing_data[0]
        self._chunked = None
        return body

    def _put(self, data: bytes | None) -> None:
        if data and not self.ended:
            self.received += data
            self._wake()

    def _wake(self) -> None:
        if self.reader is not None:
            self.reader()


_REASONS = {
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    413: "Payload Too Large",
    431: "Request Header Fields Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    529: "Overloaded",
}
"""Reason phrases; http.HTTPStatus does not know 529."""
