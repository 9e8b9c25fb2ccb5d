"""MCP over streamable HTTP: a POST for each message, a GET for what the server says by itself, a DELETE at the end of a session.

Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports and 2026-07-28, and the servers of the `mcp`
package 2.3.0 (its modules `mcp.server.streamable_http` and `_streamable_http_modern`) for statuses and texts.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import NamedTuple

from harness.agents.broken import Breaks
from harness.errors import NotSimulated
from harness.wire import json_rpc
from harness.wire.api import Ids
from harness.wire.http import Connection, Headers, HttpRequest, HttpResponse
from harness.wire.json_rpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    Message,
    RequestError,
)
from harness.wire.mcp import messages
from harness.wire.mcp.messages import HEADER_MISMATCH, UNSUPPORTED_VERSION, meta_of
from harness.wire.mcp.server import McpServer, Session
from harness.wire.routing import Scope, scope_here

_JSON: Headers = [("Content-Type", "application/json")]
_EVENTS: Headers = [
    ("Content-Type", "text/event-stream"),
    ("Cache-Control", "no-cache, no-transform"),
]
_SESSION = "Mcp-Session-Id"
_STATUSES = {
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    UNSUPPORTED_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}
"""The status of an answer without a session, by the code of its error; others have 200."""

_NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""The parameter that stands in a header too."""

_NOT_JSON = b'{"jsonrpc": "2.0", "result": {"content": [{"type": "te'


class _Open(NamedTuple):
    """A session as it is known by its id."""

    session: Session
    listening: list[Connection]
    """Where the client hears what it has not asked for; one at most."""


class StreamableHttp:
    """The endpoint of a server.

    Args:
        server: The server.
        root: What requests belong to that are made outside of everything.
        ids: Makes the ids of its sessions.
        streams: Whether answers come as event streams; otherwise as JSON.
        keeps_sessions: Whether clients are given a session.
    """

    def __init__(
        self, server: McpServer, root: Scope, ids: Ids, *, streams: bool, keeps_sessions: bool
    ) -> None:
        self.server = server
        self.streams = streams
        self.keeps_sessions = keeps_sessions
        self._root = root
        self._ids = ids
        self._open: dict[str, _Open] = {}

    def on_request(self, connection: Connection, http: HttpRequest) -> None:
        """Answer a request, or begin to."""
        if http.headers.get("mcp-protocol-version") in self.server.about.without_sessions:
            self._without_session(connection, http)
        elif http.method == "POST":
            self._post(connection, http)
        elif http.method == "GET":
            self._listen(connection, http)
        elif http.method == "DELETE" and self.keeps_sessions:
            known = self._known(connection, http)
            if known is not None:
                self.forget(http.headers.get(_SESSION.lower(), ""))
                connection.respond(HttpResponse(200, _JSON, b""))
        else:
            _reject(connection, 405, "Method Not Allowed", [("Allow", "GET, POST, DELETE")])

    def forget(self, session_id: str) -> None:
        """End a session."""
        known = self._open.pop(session_id, None)
        if known is not None:
            known.session.close()
            for connection in known.listening:
                connection.finish()

    # -- with a session -----------------------------------------------------------------------------------------------

    def _post(self, connection: Connection, http: HttpRequest) -> None:
        message = _message_in(connection, http, streams=self.streams)
        if message is None:
            return
        headers: Headers = []
        session_id = http.headers.get(_SESSION.lower(), "")
        if message.get("method") == "initialize":
            session = self.server.open()
            if self.keeps_sessions:
                session_id = self._ids.next("session", 32, "0123456789abcdef")
                self._open[session_id] = _Open(session, [])
                headers.append((_SESSION, session_id))
        elif self.keeps_sessions:
            known = self._known(connection, http)
            if known is None:
                return
            session = known.session
        else:
            session = self.server.open()
            session.version = http.headers.get("mcp-protocol-version") or "2025-03-26"
        if not _is_request(message):
            session.hear(message, _Deaf(), scope_here(self._root))
            connection.respond(HttpResponse(202, _JSON, b""))
            return
        channel = _Post(self, connection, session_id, headers, streams=self.streams)
        session.hear(message, channel, scope_here(self._root))

    def _known(self, connection: Connection, http: HttpRequest) -> _Open | None:
        """The session that a request names; if there is none, the client is told."""
        session_id = http.headers.get(_SESSION.lower())
        version = http.headers.get("mcp-protocol-version")
        if not session_id:
            _reject(connection, 400, "Bad Request: Missing session ID")
        elif session_id not in self._open:
            _reject(connection, 404, "Session not found")
        elif version is not None and version not in self.server.about.with_sessions:
            _reject(connection, 400, f"Bad Request: Unsupported protocol version: {version}")
        else:
            return self._open[session_id]
        return None

    def _listen(self, connection: Connection, http: HttpRequest) -> None:
        if not self.keeps_sessions:
            _reject(connection, 405, "Method Not Allowed", [("Allow", "POST")])
            return
        if "text/event-stream" not in http.headers.get("accept", ""):
            _reject(connection, 406, "Not Acceptable: Client must accept text/event-stream")
            return
        if _SESSION.lower() not in http.headers:
            error = NotSimulated(
                f"the transport HTTP+SSE of the MCP server {self.server.about.name!r}",
                "connect over streamable HTTP, which has replaced it.",
            )
            self.server.kernel.fail(error)
            raise error
        known = self._known(connection, http)
        if known is None:
            return
        if known.listening:
            _reject(connection, 409, "Conflict: Only one SSE stream is allowed per session")
            return
        known.listening.append(connection)
        connection.begin(HttpResponse(200, _EVENTS, []))
        known.session.tell = lambda message: connection.send(_event(message))

        def gone() -> None:
            known.session.tell = None
            known.listening.clear()

        connection.on_hang_up = gone

    # -- without one --------------------------------------------------------------------------------------------------

    def _without_session(self, connection: Connection, http: HttpRequest) -> None:
        if http.method != "POST":
            _reject(connection, 405, "Method Not Allowed", [("Allow", "POST")])
            return
        message = _message_in(connection, http, streams=self.streams)
        if message is None:
            return
        if not _is_request(message):
            if "method" in message:
                connection.respond(HttpResponse(202, _JSON, b""))
            else:
                _reject(connection, 400, "Body must be a single JSON-RPC request or notification")
            return
        wrong = _mismatch(message, http)
        if wrong is not None:
            _send_json(connection, json_rpc.failure(message["id"], wrong), has_statuses=True)
            return
        session = self.server.open()
        channel = _Post(self, connection, "", [], streams=False, session=session)
        session.hear(message, channel, scope_here(self._root))
        connection.on_hang_up = session.close  # that is how such a request is cancelled


class _Post:
    """Where the answer to a POST goes.

    Args:
        endpoint: The server's.
        connection: The client's.
        session_id: Of the session; empty without one.
        headers: Beside the usual.
        streams: Whether the answer comes as an event stream.
        session: The session of this request alone; None where it lasts.
    """

    def __init__(
        self,
        endpoint: StreamableHttp,
        connection: Connection,
        session_id: str,
        headers: Headers,
        *,
        streams: bool,
        session: Session | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._connection = connection
        self._session_id = session_id
        self._headers = headers
        self._streams = streams
        self._session = session

    def send(self, message: Message) -> None:
        connection = self._connection
        is_answer = "method" not in message
        if not connection.has_begun and (self._streams or not is_answer):
            connection.begin(HttpResponse(200, [*_EVENTS, *self._headers], []))
        if connection.has_begun:
            connection.send(_event(message))
            if is_answer:
                connection.finish()
        else:
            is_alone = self._session is not None
            _send_json(connection, message, self._headers, has_statuses=is_alone)
        if is_answer and self._session is not None:
            self._endpoint.server.forget(self._session)

    def break_off(self, what: Breaks) -> None:
        connection = self._connection
        if what == "message":
            body = _NOT_JSON
            headers = _JSON
            if self._streams:
                headers, body = _EVENTS, b"event: message\r\ndata: " + _NOT_JSON + b"\r\n\r\n"
            connection.respond(HttpResponse(200, [*headers, *self._headers], body))
            return
        if what in ("session", "server"):
            self._endpoint.forget(self._session_id)
        if what == "session" and self._session_id:
            _reject(connection, 404, "Session not found")
            return
        if self._streams:  # a server that streams has begun before it knows the answer
            connection.begin(HttpResponse(200, [*_EVENTS, *self._headers], []))
        connection.close(None if self._streams else "reset")


class _Deaf:
    """Where the answer to a notification goes: nowhere."""

    def send(self, message: Message) -> None:
        pass

    def break_off(self, what: Breaks) -> None:
        pass


def _is_request(message: Message) -> bool:
    return "method" in message and message.get("id") is not None


def _message_in(connection: Connection, http: HttpRequest, *, streams: bool) -> Message | None:
    """What a POST says; None if it cannot be read, and the client was told."""
    accepted = http.headers.get("accept", "")
    takes_all = "*/*" in accepted
    if not takes_all and "application/json" not in accepted:
        wanted = "both application/json and text/event-stream" if streams else "application/json"
        _reject(connection, 406, f"Not Acceptable: Client must accept {wanted}")
    elif not takes_all and streams and "text/event-stream" not in accepted:
        wanted = "both application/json and text/event-stream"
        _reject(connection, 406, f"Not Acceptable: Client must accept {wanted}")
    elif not http.headers.get("content-type", "").lower().startswith("application/json"):
        _reject(connection, 400, "Bad Request: Content-Type must be application/json")
    else:
        try:
            message = json.loads(http.body)
        except (ValueError, RecursionError):
            _reject(connection, 400, "Parse error", code=PARSE_ERROR)
            return None
        if isinstance(message, dict):
            return message
        _reject(connection, 400, "Bad Request: not one JSON-RPC message")
    return None


def _mismatch(message: Message, http: HttpRequest) -> RequestError | None:
    """What is wrong with the headers of a request without a session, which repeat what its body says."""
    meta, method = meta_of(message), message["method"]
    needed = (messages.VERSION_KEY, messages.CAPABILITIES_KEY)
    missing = [key for key in needed if key not in meta]
    if missing:
        said = f"params._meta is missing the required envelope key(s): {', '.join(missing)}"
        return RequestError(INVALID_PARAMS, said)
    key = _NAMED.get(method)
    name = None if key is None else message["params"].get(key)
    said_of_it = (
        (
            "mcp-protocol-version",
            meta[messages.VERSION_KEY],
            "the request envelope's protocol version",
        ),
        ("mcp-method", method, "the request body's method"),
        ("mcp-name", name, f"the request body's {key!r} parameter"),
    )
    for header, wanted, what in said_of_it:
        if wanted is not None and _decoded(http.headers.get(header)) != wanted:
            return RequestError(HEADER_MISMATCH, f"{header} header does not match {what}")
    return None


_ENCODED = re.compile(r"=\?base64\?(.*)\?=")


def _decoded(header: str | None) -> str | None:
    """A header as it was before it was made fit for one."""
    encoded = _ENCODED.fullmatch(header or "")
    if encoded is None:
        return header
    try:
        return base64.b64decode(encoded[1], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _event(message: Message) -> bytes:
    return b"event: message\r\ndata: " + json_rpc.written(message) + b"\r\n\r\n"


def _send_json(
    connection: Connection, message: Message, headers: Headers | None = None, *, has_statuses: bool
) -> None:
    code = message.get("error", {}).get("code")
    status = _STATUSES.get(code, 200) if has_statuses else 200
    connection.respond(HttpResponse(status, [*_JSON, *(headers or [])], json_rpc.written(message)))


def _reject(
    connection: Connection,
    status: int,
    text: str,
    headers: Headers | None = None,
    code: int = INVALID_REQUEST,
) -> None:
    body = json_rpc.written(json_rpc.failure(None, RequestError(code, text)))
    connection.respond(HttpResponse(status, [*_JSON, *(headers or [])], body))
