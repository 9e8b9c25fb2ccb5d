"""A real server on this computer, for what has to be compared with reality or to be there before a run."""

from __future__ import annotations

import contextlib
import http.server
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from typing import Any

ANTHROPIC = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-5",
    "content": [{"type": "text", "text": "real"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}
OPENAI = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-5",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "real"},
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
CIPHERS = "aNULL:@SECLEVEL=0"
"""TLS without certificates, so that no key has to be kept."""


class RealServer:
    """Answers like Anthropic and OpenAI, keeps connections open, and remembers who asked."""

    port: int = 0

    def __init__(self) -> None:
        self.asked_from: list[int] = []
        """The client's port, of each request; requests on one connection come from one port."""
        self.heard = bytearray()
        """What came to the port that knows no HTTP."""
        self.may_go_on = threading.Event()
        """Cleared, it keeps bodies back."""
        self.may_go_on.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def tls_client() -> ssl.SSLContext:
    """What a client needs to speak to `serving(tls=True)`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    return context


@contextlib.contextmanager
def serving(*, tls: bool = False) -> Iterator[RealServer]:
    """A server of HTTP while inside."""
    server = RealServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the name is http.server's
            self.rfile.read(int(self.headers.get("content-length", 0)))
            server.asked_from.append(self.client_address[1])
            known: dict[str, Any] = OPENAI if "chat" in self.path else ANTHROPIC
            body = json.dumps(known).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            if self.headers.get("connection", "").lower() == "close":
                self.send_header("connection", "close")
            self.end_headers()
            server.may_go_on.wait(10)
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - see above

        def handle(self) -> None:
            with contextlib.suppress(OSError):  # clients in these tests go without a word
                super().handle()

        def log_message(self, *_: object) -> None:
            pass

    with _listening(Handler, server, tls=tls):
        yield server


@contextlib.contextmanager
def listening(*, tls: bool = False) -> Iterator[RealServer]:
    """A server that says `hello` to everybody, and remembers what it is told."""
    server = RealServer()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.request.sendall(b"hello")
                while said := self.request.recv(1_000):
                    server.heard += said

    with _listening(Handler, server, tls=tls):
        yield server


@contextlib.contextmanager
def _listening(
    handler: type[socketserver.BaseRequestHandler], server: RealServer, *, tls: bool
) -> Iterator[None]:
    class Tcp(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def get_request(self) -> Any:  # noqa: ANN401 - socketserver's
            opened, address = super().get_request()
            return (context.wrap_socket(opened, server_side=True) if tls else opened), address

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    with Tcp(("127.0.0.1", 0), handler) as listener:
        server.port = listener.server_address[1]
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown()
            thread.join(5)
