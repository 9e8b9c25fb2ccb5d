"""Ways to the network over what was opened before the run: it is left alone in the run, and works afterwards."""

# ruff: noqa: ANN401 - programs of the user's do all of this, with several clients

from __future__ import annotations

import asyncio
import ctypes
import http.client
import io
import json
import os
import select
import selectors
import socket
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from multiprocessing import Pipe
from typing import Any

import aiohttp
import anthropic
import httpx
import httpx2
import openai
import requests
import urllib3

from tests.isolation.way import Way
from tests.real_server import RealServer, listening, serving, tls_client

HOST_NAME = socket.gethostname()

FROM_BEFORE = "that was made before the run"
NOT_REACHED = (
    "A method of C that is bound before the run asks nobody. What it sends reaches the real peer, and the run knows "
    "nothing of it. Keep the connection instead of its method, or open it inside the run."
)

# -- sockets ------------------------------------------------------------------------------------------------------


@contextmanager
def connected_to(
    open_server: Callable[[], AbstractContextManager[RealServer]],
) -> Iterator[socket.socket]:
    with (
        open_server() as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as opened,
    ):
        yield opened


@contextmanager
def connected() -> Iterator[socket.socket]:
    """A socket that is connected to a real server, which has said `hello`; it is whole afterwards."""
    with connected_to(listening) as opened:
        yield opened
        assert opened.recv(5) == b"hello"


def on_connection(
    what: str, act: Callable[[socket.socket], Any], names: str = FROM_BEFORE, **rest: Any
) -> Way:
    return Way(what=what, outcome="refused", program=act, names=names, prepare=connected, **rest)


def send_file(opened: socket.socket) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
        file.seek(0)
        opened.sendfile(file)


def from_descriptor(opened: socket.socket) -> None:
    double = socket.socket(fileno=os.dup(opened.fileno()))
    with double:
        double.send(b"x")


def poll(opened: socket.socket) -> None:
    select.poll().register(opened)


def by_selector(opened: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(opened, selectors.EVENT_READ)
        selector.select(1)


@contextmanager
def kept_send() -> Iterator[Callable[..., int]]:
    with connected() as opened:
        yield opened.send


def c_sends(opened: socket.socket) -> bool:
    return ctypes.CDLL(None).send(opened.fileno(), b"x", 1, 0) == 1  # type: ignore[no-any-return]


@contextmanager
def a_file() -> Iterator[Callable[[bytes], Any]]:
    with connected() as opened, open(opened.fileno(), "wb", 0, closefd=False) as file:
        yield file.write


@contextmanager
def a_reader() -> Iterator[io.BufferedReader]:
    with connected_to(listening) as opened, opened.makefile("rb") as file:
        yield file
        assert file.read(5) == b"hello"


@contextmanager
def an_epoll() -> Iterator[Any]:
    with connected() as opened, closing(select.epoll()) as poller:
        poller.register(opened)
        yield poller


@contextmanager
def a_server() -> Iterator[socket.socket]:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        yield server
        accepted, address = server.accept()
        accepted.close()
        assert address == client.getsockname()


@contextmanager
def a_pipe() -> Iterator[Any]:
    one, other = Pipe()
    with one, other:
        yield one
        one.send("ping")
        assert other.recv() == "ping"


SOCKETS = (
    on_connection("`send` of a socket from before the run", lambda s: s.send(b"x")),
    on_connection("its `sendall`", lambda s: s.sendall(b"x")),
    on_connection("its `sendmsg`", lambda s: s.sendmsg([b"x"])),
    on_connection("its `sendfile`", send_file),
    on_connection(
        "its `sendto`", lambda s: s.sendto(b"x", ("127.0.0.1", 9)), "a packet to 127.0.0.1:9"
    ),
    on_connection("its `recv`", lambda s: s.recv(1)),
    on_connection("its `recv_into`", lambda s: s.recv_into(bytearray(1))),
    on_connection("its `recvfrom`", lambda s: s.recvfrom(1)),
    on_connection("its `recvfrom_into`", lambda s: s.recvfrom_into(bytearray(1))),
    on_connection("its `recvmsg`", lambda s: s.recvmsg(1)),
    on_connection("its `recvmsg_into`", lambda s: s.recvmsg_into([bytearray(1)])),
    on_connection("its `shutdown`", lambda s: s.shutdown(socket.SHUT_RDWR)),
    on_connection("its duplicate's `send`", lambda s: s.dup().send(b"x")),
    on_connection("a new `socket.socket(fileno=...)` of it", from_descriptor),
    Way(
        what="a file of it, from `makefile`",
        outcome="refused",
        program=lambda f: f.read(1),
        names=FROM_BEFORE,
        prepare=a_reader,
    ),
    Way(
        what="`accept` of a server from before",
        outcome="refused",
        program=lambda s: s.accept(),
        names=FROM_BEFORE,
        prepare=a_server,
    ),
    on_connection("`os.write` on its descriptor", lambda s: os.write(s.fileno(), b"x")),
    on_connection("`os.read`, likewise", lambda s: os.read(s.fileno(), 1)),
    on_connection("`os.writev`, likewise", lambda s: os.writev(s.fileno(), [b"x"])),
    on_connection("`os.sendfile`, likewise", lambda s: os.sendfile(s.fileno(), 0, 0, 1)),
    on_connection(
        "`open` or `os.fdopen`, likewise", lambda s: os.fdopen(s.fileno(), "wb", 0, closefd=False)
    ),
    on_connection("`select.select` on it", lambda s: select.select([s], [], [], 1)),
    on_connection("`select.poll` on it", poll),
    on_connection("`selectors`, on it", by_selector),
    Way(
        what="`select.epoll` on it",
        outcome="real",
        program=lambda poller: bool(poller.poll(1)),
        prepare=an_epoll,
        consequence="A class of C. It tells that a real socket is ready, and its timeout takes real time; reading is refused.",
    ),
    Way(
        what="a pipe of `multiprocessing` from before",
        outcome="refused",
        program=lambda pipe: pipe.send("x"),
        names=FROM_BEFORE,
        prepare=a_pipe,
    ),
    Way(
        what="`send = connection.send` from before, in a closure, an attribute or a container",
        outcome="real",
        program=lambda send: send(b"x") == 1,
        prepare=kept_send,
        consequence=NOT_REACHED
        + " Under a name of a module of your program it is found and refused.",
    ),
    Way(
        what="`write` of a file that `os.fdopen` has made of its descriptor before",
        outcome="real",
        program=lambda write: write(b"x") == 1,
        prepare=a_file,
        consequence="The file is an object of C, and asks nobody.",
    ),
    Way(
        what="functions of C, by `ctypes` or in a library with a network of its own (gRPC, libcurl, libpq, ZeroMQ)",
        outcome="real",
        program=c_sends,
        prepare=connected,
        consequence="They ask the operating system, and Python is not told. Replace such a client for the time of the test.",
    ),
)

# -- TLS, asyncio -------------------------------------------------------------------------------------------------


@contextmanager
def tls_socket() -> Iterator[Any]:
    with (
        connected_to(partial(listening, tls=True)) as plain,
        tls_client().wrap_socket(plain) as opened,
    ):
        yield opened
        assert opened.recv(5) == b"hello"
        assert opened.send(b"ping") == len(b"ping")


@contextmanager
def tls_method(name: str) -> Iterator[Callable[..., Any]]:
    with tls_socket() as opened:
        yield getattr(opened, name)


def on_tls(what: str, act: Callable[[Any], Any]) -> Way:
    return Way(what=what, outcome="refused", program=act, names=FROM_BEFORE, prepare=tls_socket)


@contextmanager
def real_loop(
    open_it: Callable[[RealServer], Coroutine[Any, Any, Any]],
    use_it: Callable[[Any], Coroutine[Any, Any, Any]],
    *,
    tls: bool = False,
    make_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> Iterator[Any]:
    """What was opened in a real loop, which is whole afterwards."""
    with listening(tls=tls) as server, closing(make_loop()) as loop:
        opened = loop.run_until_complete(open_it(server))
        yield opened
        loop.run_until_complete(use_it(opened))


async def open_streams(server: RealServer, **options: Any) -> Any:
    return await asyncio.open_connection("127.0.0.1", server.port, **options)


async def open_tls_streams(server: RealServer) -> Any:
    return await open_streams(server, ssl=tls_client())


async def use_streams(streams: Any) -> None:
    reader, writer = streams
    assert await reader.readexactly(5) == b"hello"
    writer.write(b"ping")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def close_streams(streams: Any) -> None:
    streams[1].close()
    await streams[1].wait_closed()


async def open_packets(server: RealServer) -> Any:
    loop = asyncio.get_running_loop()
    address = ("127.0.0.1", server.port)
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=address
    )
    return transport


async def use_packets(transport: Any) -> None:
    assert not transport.is_closing()
    transport.close()
    await asyncio.sleep(0)


def uvloop() -> asyncio.AbstractEventLoop:
    import uvloop as module  # type: ignore[import-not-found]  # it may not be installed

    loop: asyncio.AbstractEventLoop = module.new_event_loop()
    return loop


def streams() -> Any:
    return real_loop(open_streams, use_streams)


def tls_streams() -> Any:
    return real_loop(open_tls_streams, use_streams, tls=True)


def packets() -> Any:
    return real_loop(open_packets, use_packets)


def uvloop_streams() -> Any:
    return real_loop(open_streams, close_streams, make_loop=uvloop)


async def awaits_reader(streams: Any) -> bool:
    try:
        await streams[0].readexactly(100)
    except RuntimeError as error:
        return "attached to a different loop" in str(error)
    return False


TRANSPORTS = (
    on_tls("`send` of a TLS socket from before the run", lambda s: s.send(b"x")),
    on_tls("`sendall` of such a TLS socket", lambda s: s.sendall(b"x")),
    on_tls("`write` of such a TLS socket", lambda s: s.write(b"x")),
    on_tls("`recv` of such a TLS socket", lambda s: s.recv(1)),
    on_tls("`read` of such a TLS socket", lambda s: s.read(1)),
    on_tls("`unwrap` of such a TLS socket", lambda s: s.unwrap()),
    Way(
        what="its method `write`, bound before",
        outcome="refused",
        program=lambda write: write(b"x"),
        names=FROM_BEFORE,
        prepare=lambda: tls_method("write"),
    ),
    Way(
        what="its method `recv`, bound before",
        outcome="refused",
        program=lambda recv: recv(1),
        names=FROM_BEFORE,
        prepare=lambda: tls_method("recv"),
    ),
    Way(
        what="an `asyncio.StreamWriter` from before the run",
        outcome="refused",
        program=lambda s: s[1].write(b"x"),
        names=FROM_BEFORE,
        prepare=streams,
    ),
    Way(
        what="the transport of such a writer",
        outcome="refused",
        program=lambda s: s[1].transport.write(b"x"),
        names=FROM_BEFORE,
        prepare=streams,
    ),
    Way(
        what="the writer's `write_eof`",
        outcome="refused",
        program=lambda s: s[1].write_eof(),
        names=FROM_BEFORE,
        prepare=streams,
    ),
    Way(
        what="a `StreamReader` from before the run",
        outcome="virtual",
        program=awaits_reader,
        prepare=streams,
        consequence="It belongs to another loop, as in production: `RuntimeError: ... attached to a different loop`.",
    ),
    Way(
        what="a TLS `StreamWriter` from before",
        outcome="refused",
        program=lambda s: s[1].write(b"x"),
        names=FROM_BEFORE,
        prepare=tls_streams,
    ),
    Way(
        what="the transport of such a TLS writer",
        outcome="refused",
        program=lambda s: s[1].transport.write(b"x"),
        names=FROM_BEFORE,
        prepare=tls_streams,
    ),
    Way(
        what="the TLS writer's `close`",
        outcome="refused",
        program=lambda s: s[1].close(),
        names=FROM_BEFORE,
        prepare=tls_streams,
    ),
    Way(
        what="a datagram transport from before",
        outcome="refused",
        program=lambda t: t.sendto(b"x"),
        names=FROM_BEFORE,
        prepare=packets,
    ),
    Way(
        what="a `StreamWriter` on uvloop, from before",
        outcome="refused",
        program=lambda s: s[1].write(b"x"),
        names=FROM_BEFORE,
        prepare=uvloop_streams,
        needs="uvloop",
    ),
    Way(
        what="a transport of uvloop, from before",
        outcome="real",
        program=lambda s: s[1].transport.write(b"x") is None,
        prepare=uvloop_streams,
        needs="uvloop",
        consequence="A class of C, which writes at once. What goes through a `StreamWriter` is refused.",
    ),
)

# -- clients ------------------------------------------------------------------------------------------------------

BODY: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hi"}],
}
HEADERS = {"x-api-key": "key", "anthropic-version": "2023-06-01"}


@contextmanager
def used(make: Callable[[str], Any], ask: Callable[[Any], Any]) -> Iterator[Any]:
    """A client that has a connection to a real server, and uses it again after the run."""
    with serving() as server:
        client = make(server.url)
        assert ask(client) == "real"
        yield client
        assert ask(client) == "real"
        assert len(server.asked_from) == 2, "the run has reached the real server"
        assert len(set(server.asked_from)) == 1, "the old connection is lost"


@contextmanager
def used_async(make: Callable[[str], Any], ask: Callable[[Any], Any]) -> Iterator[Any]:
    with closing(asyncio.new_event_loop()) as loop:

        def on_loop(client: Any) -> Any:
            return loop.run_until_complete(ask(client))

        async def made(url: str) -> Any:
            return make(url)

        with used(lambda url: loop.run_until_complete(made(url)), on_loop) as client:
            yield client
        loop.run_until_complete(close(client))


async def close(client: Any) -> None:
    await (client.aclose() if hasattr(client, "aclose") else client.close())


def simulated(what: str, make: Callable[[str], Any], ask: Callable[[Any], Any]) -> Way:
    """A client that gets a simulated connection: to the provider that is simulated at its base URL."""
    return Way(
        what=f"{what} that was used before the run",
        outcome="virtual",
        program=lambda client: ask(client) != "real",
        prepare=lambda: used(make, ask),
    )


def simulated_async(what: str, make: Callable[[str], Any], ask: Callable[[Any], Any]) -> Way:
    async def program(client: Any) -> bool:
        return await ask(client) != "real"  # type: ignore[no-any-return]

    return Way(
        what=f"{what} that was used before the run",
        outcome="virtual",
        program=program,
        prepare=lambda: used_async(make, ask),
    )


def text_of(answer: dict[str, Any]) -> str:
    return answer["content"][0]["text"]  # type: ignore[no-any-return]


def by_anthropic(client: Any) -> str:
    return client.messages.create(**BODY).content[0].text  # type: ignore[no-any-return]


async def by_async_anthropic(client: Any) -> str:
    return (await client.messages.create(**BODY)).content[0].text  # type: ignore[no-any-return]


def by_openai(client: Any) -> str:
    chat = client.chat.completions.create(model="gpt-5", messages=BODY["messages"])
    return chat.choices[0].message.content  # type: ignore[no-any-return]


async def by_async_openai(client: Any) -> str:
    chat = await client.chat.completions.create(model="gpt-5", messages=BODY["messages"])
    return chat.choices[0].message.content  # type: ignore[no-any-return]


def by_post(client: Any) -> str:
    return text_of(client.post("/v1/messages", json=BODY, headers=HEADERS).json())


async def by_async_post(client: Any) -> str:
    return text_of((await client.post("/v1/messages", json=BODY, headers=HEADERS)).json())


async def by_session(session: Any) -> str:
    async with session.post("/v1/messages", json=BODY) as response:
        return text_of(await response.json())


async def session_of_another_loop(session: Any) -> bool:
    try:
        await by_session(session)
    except RuntimeError as error:
        return "inside a task" in str(error)
    return False


def by_http_client(connection: http.client.HTTPConnection) -> str:
    connection.request("POST", "/v1/messages", json.dumps(BODY), HEADERS)
    return json_text(connection.getresponse().read())


def json_text(body: bytes) -> str:
    return text_of(json.loads(body))


def by_urllib3(kept: tuple[Any, str]) -> str:
    pool, url = kept
    return json_text(pool.request("POST", f"{url}/v1/messages", json=BODY, headers=HEADERS).data)


def by_requests(kept: tuple[Any, str]) -> str:
    session, url = kept
    answer = session.post(f"{url}/v1/messages", json=BODY, headers=HEADERS, timeout=9)
    return json_text(answer.content)


def at_localhost(url: str) -> str:
    """Where the tests simulate OpenAI."""
    return url.replace("127.0.0.1", "localhost") + "/v1"


CLIENTS = (
    simulated(
        "`anthropic.Anthropic`",
        lambda url: anthropic.Anthropic(base_url=url, api_key="key"),
        by_anthropic,
    ),
    simulated_async(
        "`anthropic.AsyncAnthropic`",
        lambda url: anthropic.AsyncAnthropic(base_url=url, api_key="key"),
        by_async_anthropic,
    ),
    simulated(
        "`openai.OpenAI`",
        lambda url: openai.OpenAI(base_url=at_localhost(url), api_key="key"),
        by_openai,
    ),
    simulated_async(
        "`openai.AsyncOpenAI`",
        lambda url: openai.AsyncOpenAI(base_url=at_localhost(url), api_key="key"),
        by_async_openai,
    ),
    simulated("`httpx.Client`", lambda url: httpx.Client(base_url=url), by_post),
    simulated_async(
        "`httpx.AsyncClient`", lambda url: httpx.AsyncClient(base_url=url), by_async_post
    ),
    simulated("`httpx2.Client`", lambda url: httpx2.Client(base_url=url), by_post),
    simulated_async(
        "`httpx2.AsyncClient`", lambda url: httpx2.AsyncClient(base_url=url), by_async_post
    ),
    Way(
        what="`aiohttp.ClientSession` that was used before the run",
        outcome="virtual",
        program=session_of_another_loop,
        prepare=lambda: used_async(
            lambda url: aiohttp.ClientSession(url, headers=HEADERS), by_session
        ),
        consequence="It belongs to another loop, and gets aiohttp's own error, as in production.",
    ),
    simulated(
        "`http.client.HTTPConnection`",
        lambda url: http.client.HTTPConnection(url.removeprefix("http://")),
        by_http_client,
    ),
    simulated(
        "`urllib3.PoolManager`", lambda url: (urllib3.PoolManager(retries=False), url), by_urllib3
    ),
    simulated("`requests.Session`", lambda url: (requests.Session(), url), by_requests),
)

WAYS = (*SOCKETS, *TRANSPORTS, *CLIENTS)
