"""A blocking client meets the same end at a simulated server as at a real one that does the same."""

# ruff: noqa: ANN401 - programs of the user's, with several clients

from __future__ import annotations

import http.client
import json
import re
import socket
import struct
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import requests
import urllib3

from harness.sim import Sim

HEADERS = {"authorization": "Bearer key", "content-type": "application/json"}
PATH = "/v1/chat/completions"
BODY: dict[str, Any] = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}
TIMEOUT_S = 0.3


def by_requests(port: int) -> Any:
    url = f"http://127.0.0.1:{port}{PATH}"
    return requests.post(url, json=BODY, headers=HEADERS, timeout=TIMEOUT_S).json()


def by_urllib3(port: int) -> Any:
    url = f"http://127.0.0.1:{port}{PATH}"
    retries = urllib3.Retry(1, allowed_methods=None)
    return urllib3.request(
        "POST", url, json=BODY, headers=HEADERS, timeout=TIMEOUT_S, retries=retries
    ).json()


def by_urllib(port: int) -> Any:
    url = f"http://127.0.0.1:{port}{PATH}"
    request = urllib.request.Request(url, json.dumps(BODY).encode(), HEADERS)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
        return json.load(response)


def by_http_client(port: int) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("POST", PATH, json.dumps(BODY), HEADERS)
        return json.load(connection.getresponse())
    finally:
        connection.close()


CLIENTS = [by_requests, by_urllib3, by_urllib, by_http_client]


def read_request(client: socket.socket) -> None:
    said = b""
    while not said.endswith(b"}]}"):
        said += client.recv(10_000)


def resets(client: socket.socket) -> None:
    read_request(client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def stays_silent(client: socket.socket) -> None:
    read_request(client)
    with suppress(OSError):
        client.recv(1)


def breaks_off(client: socket.socket) -> None:
    read_request(client)
    client.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"half":')


def frames_wrongly(client: socket.socket) -> None:
    read_request(client)
    client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n")
    client.sendall(b'{"half":\r\nzz\r\nnot a chunk\r\n')


@contextmanager
def server_that(answers: Callable[[socket.socket], None] | None) -> Iterator[int]:
    """A real server; gives its port. None is one where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        if answers is None:
            server.close()
            yield port
            return

        def serve() -> None:
            with suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client:
                        answers(client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield port
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def told(error: BaseException) -> str:
    """What an error says, with what it wraps, and without what differs from server to server."""
    shown = re.sub(
        r"port=\d+|0x[0-9a-f]+|\d+ (?:bytes )?(?:read|more expected)", "...", repr(error)
    )
    reason = getattr(error, "__cause__", None)
    return f"{type(error).__module__}.{shown}" + (
        f" from {type(reason).__name__}" if reason else ""
    )


@pytest.mark.parametrize(
    ("fault", "answers"),
    [
        ("refused", None),
        ("reset", resets),
        ("hang", stays_silent),
        ("truncated_json", breaks_off),
        ("corrupt_chunk", frames_wrongly),
    ],
)
@pytest.mark.parametrize("ask", CLIENTS)
def test_error_is_the_one_that_a_real_server_causes(
    ask: Callable[[int], Any], fault: str, answers: Callable[[socket.socket], None] | None
) -> None:
    with server_that(answers) as port, pytest.raises(Exception) as real:  # noqa: PT011 - told below
        ask(port)
    sim = Sim(1)
    sim.provider("openai", hosts=["127.0.0.1"], latency=0.0)
    sim.agent("agent", reply="hello")
    sim.fault(fault)
    with pytest.raises(Exception) as simulated:  # noqa: PT011 - told below
        sim.run(ask, 80)
    assert told(simulated.value) == told(real.value)
