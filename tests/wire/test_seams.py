"""The places at which clients are led to simulated servers: still there, put back, and closed to everything else."""

# ruff: noqa: ANN401 - private parts of other packages, and the fixture of another file
from __future__ import annotations

import asyncio
import http.client
import importlib
import inspect
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import anthropic
import httpcore
import httpcore2
import httpx
import httpx2
import pytest
import requests
import urllib3

from harness.errors import LimitExceeded, NotSimulated, UnknownHost
from harness.sim import Sim
from harness.wire import SEAMS

HOUSE = Path(__file__).parents[2]
BODY: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
}

CONNECT = ["self", "host", "port", "timeout", "local_address", "socket_options"]
SEAM_POINTS = [
    ("httpcore._backends.auto", "AutoBackend", "connect_tcp", CONNECT, True),
    ("httpcore._backends.sync", "SyncBackend", "connect_tcp", CONNECT, False),
    ("httpcore2._backends.auto", "AutoBackend", "connect_tcp", CONNECT, True),
    ("httpcore2._backends.sync", "SyncBackend", "connect_tcp", CONNECT, False),
    (
        "aiohttp.connector",
        "TCPConnector",
        "_create_connection",
        ["self", "req", "traces", "timeout"],
        True,
    ),
    ("http.client", "HTTPConnection", "connect", ["self"], False),
    ("http.client", "HTTPSConnection", "connect", ["self"], False),
    ("urllib3.connection", "HTTPConnection", "_new_conn", ["self"], False),
    ("urllib3.connection", "HTTPSConnection", "connect", ["self"], False),
]


def functions() -> list[Any]:
    """What stands at each seam now."""
    return [
        getattr(getattr(importlib.import_module(module), owner), name)
        for module, owner, name, *_ in SEAM_POINTS
    ]


# -- canaries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "owner", "name", "parameters", "is_async"),
    SEAM_POINTS,
    ids=[f"{module}:{owner}.{name}" for module, owner, name, *_ in SEAM_POINTS],
)
def test_private_place_is_still_there(
    module: str, owner: str, name: str, parameters: list[str], *, is_async: bool
) -> None:
    package = module.partition(".")[0]
    moved = (
        f"{module}:{owner}.{name} has moved in {package} {getattr(importlib.import_module(package), '__version__', sys.version)}; "
        "harness/wire replaces it. Find its new place, or fall back to the transport of httpx "
        "(AsyncHTTPTransport.handle_async_request), which loses the client's pool and parser"
    )
    found = importlib.import_module(module)
    for step in (owner, name):
        assert hasattr(found, step), moved
        found = getattr(found, step)
    assert list(inspect.signature(found).parameters) == parameters, moved  # type: ignore[arg-type]
    assert inspect.iscoroutinefunction(found) is is_async, moved


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_fallback_is_still_there(library: Any) -> None:
    for transport, name in (
        (library.AsyncHTTPTransport, "handle_async_request"),
        (library.HTTPTransport, "handle_request"),
    ):
        assert list(inspect.signature(getattr(transport, name)).parameters) == ["self", "request"]


@pytest.mark.parametrize("package", ["httpcore", "httpcore2"])
def test_streams_have_the_methods_that_the_pools_call(package: str) -> None:
    core = importlib.import_module(package)
    expected = {"read", "write", "start_tls", "get_extra_info"}
    for base, close in ((core.AsyncNetworkStream, "aclose"), (core.NetworkStream, "close")):
        public = {name for name in vars(base) if not name.startswith("_")}
        assert public == expected | {close}, f"the streams of {package} have changed"


def test_protocol_of_aiohttp_has_the_methods_that_the_transport_calls() -> None:
    connector: Any = aiohttp.TCPConnector
    assert "_factory" in inspect.getsource(connector.__mro__[1].__init__), (
        "aiohttp's BaseConnector no longer makes its protocols by `_factory`"
    )
    client_proto = importlib.import_module("aiohttp.client_proto")
    for name in ("connection_made", "data_received", "connection_lost"):
        assert hasattr(client_proto.ResponseHandler, name)


POOLS = [
    (httpcore.ConnectionPool, ["_connections", "_requests"]),
    (httpcore.AsyncConnectionPool, ["_connections", "_requests"]),
    (httpcore2.ConnectionPool, ["_connections", "_requests"]),
    (httpcore2.AsyncConnectionPool, ["_connections", "_requests"]),
    (
        lambda: http.client.HTTPConnection("host"),
        ["sock", "_buffer", "_HTTPConnection__state", "_HTTPConnection__response"],
    ),
    (lambda: urllib3.HTTPConnectionPool("host"), ["pool"]),
]


@pytest.mark.parametrize(("make", "names"), POOLS)
def test_pool_keeps_its_connections_under_the_names_that_are_set_apart(
    make: Callable[[], Any], names: list[str]
) -> None:
    assert set(names) <= set(vars(make()))


def test_pool_of_aiohttp_keeps_its_connections_under_the_names_that_are_set_apart() -> None:
    async def names() -> set[str]:
        async with aiohttp.TCPConnector() as connector:
            return set(vars(connector))

    with asyncio.Runner() as runner:
        found = runner.run(names())
    assert {"_conns", "_acquired", "_acquired_per_host", "_waiters"} <= found


# -- put in, and put back ---------------------------------------------------------------------------------------------


def test_seams_are_in_place_during_a_run_and_put_back_after_it() -> None:
    before, inside = functions(), []
    Sim(1).run(lambda: inside.extend(functions()))
    assert functions() == before
    assert all(new is not old for new, old in zip(inside, before, strict=True))


class Whim(BaseException):
    """What no `except Exception` catches."""


@pytest.mark.parametrize("error", [ValueError, Whim, KeyboardInterrupt, SystemExit])
def test_seams_are_put_back_whatever_the_program_raises(error: type[BaseException]) -> None:
    before, finders = functions(), list(sys.meta_path)

    async def program() -> None:
        raise error

    with pytest.raises(error):
        Sim(1).run(program)
    assert functions() == before
    assert sys.meta_path == finders


def test_seams_are_put_back_after_a_run_that_can_go_on_no_more() -> None:
    before = functions()

    async def program() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(Exception, match="deadlock"):
        Sim(1).run(program)
    assert functions() == before


def test_modules_of_the_seams_are_the_ones_that_are_watched() -> None:
    assert [seam.module for seam in SEAMS] == [
        "httpcore",
        "httpcore2",
        "aiohttp.connector",
        "http.client",
        "urllib3.connection",
        "http.client",
        "urllib3.connectionpool",
        "websockets.asyncio.client",
        "websockets.legacy.client",
        "websockets.sync.client",
        "websocket",
    ]


LATE = """
import asyncio, sys
from harness.sim import Sim

def program():
    assert not {"httpcore", "httpcore2", "aiohttp", "anthropic"} & set(sys.modules)
    import anthropic
    body = dict(model="claude-sonnet-5", max_tokens=9, messages=[{"role": "user", "content": "hi"}])

    async def by(client):
        return (await client.messages.create(**body)).content[0].text

    async def raw():
        import aiohttp, httpx
        headers = {"x-api-key": "key", "anthropic-version": "2026-10-21"}
        url = "https://api.anthropic.com/v1/messages"
        async with aiohttp.ClientSession(headers=headers) as session:
            async with session.post(url, json=body) as response:
                one = (await response.json())["content"][0]["text"]
        return one, httpx.post(url, json=body, headers=headers).json()["content"][0]["text"]

    return [
        anthropic.Anthropic().messages.create(**body).content[0].text,
        asyncio.run(by(anthropic.AsyncAnthropic())),
        *asyncio.run(raw()),
    ]

sim = Sim(1)
sim.agent("agent", reply="hello")
print(sim.run(program).output)
import httpcore2._backends.auto as auto, aiohttp.connector as connector
print(auto.AutoBackend.connect_tcp.__module__, connector.TCPConnector._create_connection.__module__)
print([finder for finder in sys.meta_path if type(finder).__module__.startswith("harness")])
print(auto.__spec__.loader is auto.__loader__, type(connector.__loader__).__name__)
"""


def test_client_that_is_first_imported_inside_a_run_is_reached_too() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LATE],
        env={**os.environ, "PYTHONPATH": str(HOUSE)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "['hello', 'hello', 'hello', 'hello']",
        "httpcore2._backends.auto aiohttp.connector",
        "[]",
        "True SourceFileLoader",
    ]


# -- nothing else is reached ------------------------------------------------------------------------------------------


async def async_httpx() -> None:
    async with httpx.AsyncClient() as client:
        await client.get("https://example.com/x")


async def async_httpx2() -> None:
    async with httpx2.AsyncClient() as client:
        await client.get("https://example.com:8443/x")


def sync_httpx() -> None:
    httpx.get("http://example.com/x")


def sync_httpx2() -> None:
    httpx2.get("http://example.com/x")


async def by_aiohttp() -> None:
    async with aiohttp.ClientSession() as session:
        await session.get("https://example.com/x")


def by_http_client() -> None:
    http.client.HTTPConnection("example.com").request("GET", "/x")


def by_urllib() -> None:
    urllib.request.urlopen("https://Example.com/x")


def by_urllib3() -> None:
    urllib3.request("GET", "https://example.com:8443/x", retries=urllib3.Retry(5, backoff_factor=1))


def by_requests() -> None:
    requests.get("https://example.com/x", timeout=9)


@pytest.mark.parametrize(
    ("program", "error", "port"),
    [
        (async_httpx, httpx.ConnectError, 443),
        (async_httpx2, httpx2.ConnectError, 8443),
        (sync_httpx, httpx.ConnectError, 80),
        (sync_httpx2, httpx2.ConnectError, 80),
        (by_aiohttp, aiohttp.ClientConnectorError, 443),
        (by_http_client, UnknownHost, 80),
        (by_urllib, UnknownHost, 443),
        (by_urllib3, UnknownHost, 8443),
        (by_requests, UnknownHost, 443),
    ],
)
def test_host_that_nobody_simulates_fails_at_once_and_is_named(
    program: Any, error: type[Exception], port: int
) -> None:
    sim = Sim(1)
    with pytest.raises(error, match=f"harness simulates no host example.com:{port}") as caught:
        sim.run(program)
    assert "api.anthropic.com" in str(caught.value)
    assert "api.openai.com" in str(caught.value)
    assert "How to fix: say which provider it is" in str(caught.value)
    assert sim.last_run is not None
    assert sim.last_run.unsimulated == {"example.com": 1}
    assert sim.last_run.latency_s == 0.0
    assert "example.com" in sim.last_run.explain()


@pytest.mark.parametrize("library", [requests, httpx], ids=["requests", "httpx"])
def test_program_that_asks_an_unknown_host_for_ever_is_ended(library: Any) -> None:
    def program() -> None:
        while True:
            with suppress(Exception):
                library.get("https://example.com/x", timeout=9)

    sim = Sim(1, calls_per_task=100)
    with pytest.raises(LimitExceeded, match=r"example\.com"):
        sim.run(program)
    assert sim.last_run.unsimulated == {"example.com": 102}


def test_sdk_that_is_sent_elsewhere_says_so_after_its_tries() -> None:
    async def program() -> None:
        client = anthropic.AsyncAnthropic(base_url="https://proxy.example.com")
        await client.messages.create(**BODY)

    sim = Sim(1)
    with pytest.raises(anthropic.APIConnectionError) as caught:
        sim.run(program)
    assert "harness simulates no host proxy.example.com:443" in str(caught.value.__cause__)
    assert sim.last_run is not None
    assert sim.last_run.unsimulated == {"proxy.example.com": 3}


def test_hosts_of_a_test_are_simulated() -> None:
    async def program() -> str:
        client = anthropic.AsyncAnthropic(base_url="https://proxy.example.com")
        return (await client.messages.create(**BODY)).content[0].text  # type: ignore[no-any-return]

    sim = Sim(1)
    sim.provider("anthropic", hosts=["proxy.example.com"])
    sim.agent("agent", reply="hello")
    run = sim.run(program)
    assert (run.output, run.unsimulated) == ("hello", {})


def test_bare_socket_is_refused() -> None:
    def program() -> None:
        socket.create_connection(("127.0.0.1", 9))

    with pytest.raises(NotSimulated):
        Sim(1).run(program)


# -- other threads and other runs -------------------------------------------------------------------------------------


@pytest.fixture
def real_server() -> Iterator[int]:
    """A server on a real socket that says hello to everybody; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(10_000)
                    connection.sendall(
                        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
                    )

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """Start a thread of the outside; what it gives, or its failure, is there when the result is called."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:  # noqa: BLE001 - told by the test
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def result() -> Any:
        thread.join(10)
        return found[0]

    return result


def by_sync(url: str) -> str:
    return httpx2.get(url).text


def by_async(url: str) -> str:
    async def get() -> str:
        async with httpx2.AsyncClient() as client:
            return (await client.get(url)).text

    with asyncio.Runner() as runner:
        return runner.run(get())


def by_aiohttp_get(url: str) -> str:
    async def get() -> str:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.text()

    with asyncio.Runner() as runner:
        return runner.run(get())


@pytest.mark.parametrize("get", [by_sync, by_async, by_aiohttp_get])
def test_thread_outside_of_the_run_reaches_the_real_network(
    real_server: int, get: Callable[[str], str]
) -> None:
    may_go, inside = threading.Event(), []

    def work() -> str:
        may_go.wait(10)
        return get(f"http://127.0.0.1:{real_server}/")

    outside = in_thread(work)

    def program() -> None:
        inside.extend(functions())
        may_go.set()
        inside.append(outside())

    before = functions()
    Sim(1).run(program)
    assert inside[-1] == "hello"
    assert all(new is not old for new, old in zip(inside, before, strict=False))


def test_client_that_outlives_a_run_works_in_the_next() -> None:
    clients: list[Any] = []

    async def program() -> str:
        if not clients:
            clients.append(anthropic.AsyncAnthropic())
        message = await clients[0].messages.create(**BODY)
        return message.content[0].text  # type: ignore[no-any-return]

    sim = Sim(1)
    sim.agent("agent", reply="hello", latency_s=1.0)
    runs = [sim.run(program) for _ in range(3)]
    assert [(run.output, run.latency_s, run.attempts) for run in runs] == [("hello", 1.0, 1)] * 3


def test_blocking_client_that_outlives_a_run_works_in_the_next() -> None:
    client = anthropic.Anthropic(api_key="key")

    def program() -> str:
        return client.messages.create(**BODY).content[0].text  # type: ignore[no-any-return]

    sim = Sim(1)
    sim.agent("agent", reply="hello", latency_s=1.0)
    runs = [sim.run(program) for _ in range(3)]
    assert [(run.output, run.latency_s, run.attempts) for run in runs] == [("hello", 1.0, 1)] * 3


def test_aiohttp_client_that_outlives_a_run_works_in_the_next() -> None:
    """A session belongs to a loop, so each run has its own; the connector's pool is what lives on."""
    sim = Sim(1)
    sim.agent("agent", reply="hello", latency_s=1.0)

    async def program() -> str:
        async with anthropic.AsyncAnthropic(http_client=anthropic.DefaultAioHttpClient()) as client:
            return (await client.messages.create(**BODY)).content[0].text  # type: ignore[no-any-return]

    assert [sim.run(program).output for _ in range(2)] == ["hello", "hello"]


def test_runs_in_two_threads_have_two_worlds() -> None:
    def run_of(name: str) -> Callable[[], Any]:
        def work() -> Any:
            sim = Sim(1)
            sim.agent(name, reply=f"I am {name}")

            async def program() -> str:
                client = anthropic.AsyncAnthropic(api_key="key")
                return (await client.messages.create(**BODY)).content[0].text  # type: ignore[no-any-return]

            return sim.run(program).output

        return work

    results = [in_thread(run_of(name)) for name in ("one", "two", "three")]
    outputs = [result() for result in results]
    assert [str(output) for output in outputs] == ["I am one", "I am two", "I am three"]
