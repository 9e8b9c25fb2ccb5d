"""Ways to the network: connections that a program opens in a run. Those from before it are in `old_connections.py`."""

# ruff: noqa: ANN401, TID251 - programs of the user's do all of this, with several clients

from __future__ import annotations

import _socket
import asyncio
import ftplib
import http.client
import imaplib
import json
import logging.handlers
import poplib
import smtplib
import socket
import socketserver
import urllib.request
import xmlrpc.client
from collections.abc import Callable
from multiprocessing.connection import Client
from typing import Any

import aiohttp
import httpx
import httpx2
import requests
import urllib3

from harness.errors import UnknownHost
from tests.isolation import old_connections
from tests.isolation.way import Way

PLACE = ("example.com", 443)
LOCAL = ("127.0.0.1", 9)
URL = "https://api.anthropic.com/v1/messages"
BODY: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hi"}],
}
HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}


def refused(what: str, program: Callable[[], Any], names: str, **rest: Any) -> Way:
    """A way that needs nothing prepared."""
    return Way(what=what, outcome="refused", program=lambda _: program(), names=names, **rest)


def on_socket(
    act: Callable[[socket.socket], Any],
    kind: int = socket.SOCK_STREAM,
    family: int = socket.AF_INET,
) -> Callable[[], Any]:
    def program() -> Any:
        with socket.socket(family, kind) as opened:
            return act(opened)

    return program


def kept_connect(_: object) -> Any:
    with socket.socket() as opened:
        connect = super(socket.socket, opened).connect  # the method of C
        return connect(LOCAL)


async def on_loop(act: Callable[[asyncio.AbstractEventLoop], Any]) -> Any:
    return await act(asyncio.get_running_loop())


async def loop_connects() -> None:
    with socket.socket() as opened:
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, LOCAL)


def raw_socket() -> None:
    opened = _socket.socket()
    try:
        opened.connect(LOCAL)
    finally:
        opened.close()


def pair(_: object) -> bool:
    one, other = socket.socketpair()
    with one, other:
        one.sendall(b"ping")
        return other.recv(10) == b"ping"


def answered(status: int, text: str) -> bool:
    return status == 200 and '"type":"message"' in text.replace(" ", "")


def by_httpx(library: Any) -> Callable[[object], bool]:
    def program(_: object) -> bool:
        response = library.post(URL, json=BODY, headers=HEADERS)
        return answered(response.status_code, response.text)

    return program


def by_async_httpx(library: Any) -> Callable[[object], Any]:
    async def program(_: object) -> bool:
        async with library.AsyncClient() as client:
            response = await client.post(URL, json=BODY, headers=HEADERS)
            return answered(response.status_code, response.text)

    return program


async def by_aiohttp(_: object) -> bool:
    async with (
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.post(URL, json=BODY) as response,
    ):
        return answered(response.status, await response.text())


def by_http_client(_: object) -> bool:
    connection = http.client.HTTPSConnection("api.anthropic.com")
    connection.request("POST", "/v1/messages", json.dumps(BODY), HEADERS)
    response = connection.getresponse()
    return answered(response.status, response.read().decode())


def by_urllib(_: object) -> bool:
    request = urllib.request.Request(URL, json.dumps(BODY).encode(), HEADERS)
    with urllib.request.urlopen(request) as response:
        return answered(response.status, response.read().decode())


def by_urllib3(_: object) -> bool:
    response = urllib3.request("POST", URL, json=BODY, headers=HEADERS)
    return answered(response.status, response.data.decode())


def by_requests(_: object) -> bool:
    response = requests.post(URL, json=BODY, headers=HEADERS, timeout=9)
    return answered(response.status_code, response.text)


async def aiohttp_elsewhere() -> None:
    async with aiohttp.ClientSession() as session, session.get("https://example.com"):
        pass


FINAL = "The error is final: none of a network, so that urllib3 does not try again."
NO_SUCH_HOST = "harness simulates no host example.com:443"


async def served() -> bool:
    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, *LOCAL), httpx.AsyncClient() as client:
        return (await client.get(f"http://localhost:{LOCAL[1]}")).status_code == 204


async def given_a_socket(loop: asyncio.AbstractEventLoop) -> None:
    with socket.socket() as own:
        await loop.create_server(asyncio.Protocol, sock=own)


OPENED = (
    refused(
        "`socket.create_connection`", lambda: socket.create_connection(PLACE), "example.com:443"
    ),
    refused("`socket.socket.connect`", on_socket(lambda s: s.connect(PLACE)), "example.com:443"),
    refused("`socket.socket.connect_ex`", on_socket(lambda s: s.connect_ex(LOCAL)), "127.0.0.1:9"),
    refused("`socket.socket.bind`", on_socket(lambda s: s.bind(LOCAL)), "a server at 127.0.0.1:9"),
    refused("`socket.socket.listen`", on_socket(lambda s: s.listen()), "a server at"),
    refused(
        "`socket.create_server`", lambda: socket.create_server(LOCAL), "a server at 127.0.0.1:9"
    ),
    refused(
        "`socket.socket.sendto`",
        on_socket(lambda s: s.sendto(b"x", LOCAL), socket.SOCK_DGRAM),
        "a packet to 127.0.0.1:9",
    ),
    refused(
        "`socket.socket.sendmsg` to an address",
        on_socket(lambda s: s.sendmsg([b"x"], (), 0, LOCAL), socket.SOCK_DGRAM),
        "a packet to 127.0.0.1:9",
    ),
    refused(
        "a Unix socket's `connect`",
        on_socket(lambda s: s.connect("/tmp/no-such-socket"), family=socket.AF_UNIX),
        "/tmp/no-such-socket",
    ),
    refused("`_socket.socket().connect`", raw_socket, "127.0.0.1:9"),
    Way(
        what="the method of C below `socket.socket.connect`, also one bound before the run",
        outcome="refused",
        program=kept_connect,
        names="127.0.0.1:9",
        consequence="By an audit event; a host name is looked up before it. The same of `bind`, `sendto` and look-ups.",
    ),
    Way(
        what="`socket.socketpair`",
        outcome="virtual",
        program=pair,
        consequence="It leads nowhere else.",
    ),
    # asyncio
    refused(
        "`asyncio.open_connection`",
        lambda: asyncio.run(asyncio.open_connection(*PLACE)),
        "loop.create_connection",
    ),
    Way(
        what="`asyncio.start_server`, and what is made on `loop.create_server` (uvicorn, aiohttp)",
        outcome="virtual",
        program=lambda _: asyncio.run(served()),
        consequence="It listens in memory. HTTP clients of the run reach it at its port on this machine, or at the host that it names; "
        "TLS is left out, and a connection carries one request.",
    ),
    refused(
        "`loop.create_server` on a socket of the program's own",
        lambda: on_loop(given_a_socket),
        "loop.create_server(sock=...)",
    ),
    refused(
        "`asyncio.open_unix_connection`",
        lambda: asyncio.run(asyncio.open_unix_connection("/tmp/no-such-socket")),
        "loop.create_unix_connection",
    ),
    refused(
        "`loop.create_datagram_endpoint`",
        lambda: on_loop(
            lambda loop: loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=LOCAL)
        ),
        "loop.create_datagram_endpoint",
    ),
    refused("`loop.sock_connect`", loop_connects, "loop.sock_connect"),
    refused(
        "`loop.getaddrinfo`",
        lambda: on_loop(lambda loop: loop.getaddrinfo(*PLACE)),
        "loop.getaddrinfo",
    ),
    # names
    refused(
        "`socket.getaddrinfo`", lambda: socket.getaddrinfo(*PLACE), "the address of example.com:443"
    ),
    refused(
        "`_socket.getaddrinfo`",
        lambda: _socket.getaddrinfo(*PLACE),
        "the address of example.com:443",
    ),
    refused("`socket.gethostbyname`", lambda: socket.gethostbyname("example.com"), "example.com"),
    refused(
        "`socket.gethostbyname_ex`", lambda: socket.gethostbyname_ex("example.com"), "example.com"
    ),
    refused("`socket.gethostbyaddr`", lambda: socket.gethostbyaddr("192.0.2.1"), "192.0.2.1"),
    refused(
        "`socket.getnameinfo`", lambda: socket.getnameinfo(("192.0.2.1", 80), 0), "192.0.2.1:80"
    ),
    refused("`socket.getfqdn`", lambda: socket.getfqdn("example.com"), "example.com"),
    Way(
        what="`socket.gethostname`",
        outcome="real",
        program=lambda _: socket.gethostname() == old_connections.HOST_NAME,
        consequence="It belongs to the environment, like the time zone. A prompt that holds it differs between computers.",
    ),
    # clients of the standard library that are not simulated
    refused("`ftplib.FTP`", lambda: ftplib.FTP("example.com"), "example.com:21"),
    refused("`smtplib.SMTP`", lambda: smtplib.SMTP("example.com"), "example.com:25"),
    refused("`imaplib.IMAP4`", lambda: imaplib.IMAP4("example.com"), "example.com:143"),
    refused("`poplib.POP3`", lambda: poplib.POP3("example.com"), "example.com:110"),
    refused(
        "`socketserver.TCPServer`",
        lambda: socketserver.TCPServer(LOCAL, socketserver.BaseRequestHandler),
        "a server at 127.0.0.1:9",
    ),
    refused(
        "`logging.handlers.SocketHandler`",
        lambda: logging.handlers.SocketHandler(*PLACE).makeSocket(),
        "example.com:443",
    ),
    refused("`multiprocessing.connection.Client`", lambda: Client(LOCAL), "127.0.0.1:9"),
    # clients that are simulated
    Way(what="`httpx.post` to a simulated provider", outcome="virtual", program=by_httpx(httpx)),
    Way(what="`httpx.AsyncClient`, likewise", outcome="virtual", program=by_async_httpx(httpx)),
    Way(what="`httpx2.post`, likewise", outcome="virtual", program=by_httpx(httpx2)),
    Way(what="`httpx2.AsyncClient`, likewise", outcome="virtual", program=by_async_httpx(httpx2)),
    Way(what="`aiohttp.ClientSession`, likewise", outcome="virtual", program=by_aiohttp),
    Way(what="`http.client.HTTPSConnection`, likewise", outcome="virtual", program=by_http_client),
    Way(what="`urllib.request.urlopen`, likewise", outcome="virtual", program=by_urllib),
    Way(what="`urllib3.request`, likewise", outcome="virtual", program=by_urllib3),
    Way(what="`requests.post`, likewise", outcome="virtual", program=by_requests),
    refused(
        "`http.client.HTTPSConnection` to another host",
        lambda: http.client.HTTPSConnection("example.com").request("GET", "/"),
        NO_SUCH_HOST,
        raises=UnknownHost,
        consequence=FINAL,
    ),
    refused(
        "`urllib.request.urlopen`, likewise",
        lambda: urllib.request.urlopen("https://example.com"),
        NO_SUCH_HOST,
        raises=UnknownHost,
    ),
    refused(
        "`xmlrpc.client.ServerProxy`, likewise",
        lambda: xmlrpc.client.ServerProxy("http://example.com").f(),
        "harness simulates no host example.com:80",
        raises=UnknownHost,
    ),
    refused(
        "`urllib3.request`, likewise",
        lambda: urllib3.request("GET", "https://example.com"),
        NO_SUCH_HOST,
        raises=UnknownHost,
    ),
    refused(
        "`requests.get`, likewise",
        lambda: requests.get("https://example.com", timeout=9),
        NO_SUCH_HOST,
        raises=UnknownHost,
    ),
    refused(
        "`httpx.get` of another host",
        lambda: httpx.get("https://example.com"),
        NO_SUCH_HOST,
        raises=httpx.ConnectError,
        consequence="It gets the client's own error for a host that it cannot reach.",
    ),
    refused(
        "`aiohttp`, likewise",
        aiohttp_elsewhere,
        NO_SUCH_HOST,
        raises=aiohttp.ClientConnectorError,
        consequence="As with httpx.",
    ),
)

WAYS = (*OPENED, *old_connections.WAYS)
