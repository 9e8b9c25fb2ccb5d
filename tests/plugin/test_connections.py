"""While a test has `sim`, nothing connects outside of a run: not in a fixture, not before the run, not after it."""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Callable, Iterator

import pytest

Project = Callable[..., pytest.RunResult]

REFUSED = "*there is a simulation, but no run is active*"
RUN_IT = (
    "*How to fix: call the program in a run: `sim.run(main, ...)`, or in the body of an async test*"
)


class Server:
    """A server on this machine that counts who comes."""

    def __init__(self, listener: socket.socket) -> None:
        self.port: int = listener.getsockname()[1]
        self._listener = listener
        self._met = 0

    @property
    def guests(self) -> int:
        """How many have connected; a connection waits in the line of the system until it is counted."""
        self._listener.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._listener.accept()[0].close()
                self._met += 1
        return self._met


@pytest.fixture
def server() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Server(listener)


WAYS = {
    "socket": "socket.socket().connect(('127.0.0.1', {port}))",
    "connect_ex": "socket.socket().connect_ex(('localhost', {port}))",
    "create_connection": "socket.create_connection(('localhost', {port}), 5)",
    "IPv6": "socket.socket(socket.AF_INET6).connect(('::1', {port}))",
    "packet": "packets.sendto(b'hi', ('127.0.0.1', {port}))",
    "message": "packets.sendmsg([b'hi'], [], 0, ('127.0.0.1', {port}))",
    "look-up": "socket.getaddrinfo('api.example.com', 443)",
    "name kept long before": "kept('api.example.com', 443)",
    "urllib": "urllib.request.urlopen('http://127.0.0.1:{port}')",
    "httpx": "httpx.get('http://127.0.0.1:{port}')",
    "httpx, async": "asyncio.run(get('http://127.0.0.1:{port}'))",
    "https": "httpx.get('https://api.example.com')",
    "loop": "asyncio.run(asyncio.open_connection('127.0.0.1', {port}))",
    "loop, by name": "asyncio.run(asyncio.open_connection('api.example.com', 443))",
    "thread": "threaded(lambda: socket.create_connection(('127.0.0.1', {port})))",
    "pool that was there before": "pool.submit(socket.create_connection, ('127.0.0.1', {port})).result()",
}
HEAD = """
import concurrent.futures, socket, threading, urllib.request
from socket import getaddrinfo as kept
import httpx

packets = socket.socket(type=socket.SOCK_DGRAM)
pool = concurrent.futures.ThreadPoolExecutor(1)
pool.submit(int).result()

async def get(url):
    async with httpx.AsyncClient() as client:
        await client.get(url)

def threaded(call):
    raised = []
    def run():
        try:
            call()
        except Exception as error:
            raised.append(error)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    raise raised[0]

@pytest.fixture(autouse=True, scope="module")
def closed():
    yield
    packets.close()
    pool.shutdown()
"""


@pytest.mark.parametrize("way", WAYS)
def test_refused_before_the_run_and_after_it(project: Project, server: Server, way: str) -> None:
    tests = f"""
from harness.errors import NotSimulated

def test_refused(sim):
    for _ in range(2):
        with pytest.raises(NotSimulated, match="there is a simulation, but no run is active"):
            {WAYS[way].format(port=server.port)}
        sim.run(trip)
"""
    project(HEAD + tests).assert_outcomes(passed=1)
    assert server.guests == 0


def test_said_by_name_and_how_to_mend_it(project: Project) -> None:
    tests = """
@pytest.fixture
def warm(sim):
    asyncio.run(ask("a trip", max_retries=0))

def test_warm(warm, sim):
    sim.run(trip)

def test_outside(sim):
    asyncio.run(ask("a trip", max_retries=0))

def test_swallowed(sim):
    try:
        asyncio.run(ask("a trip", max_retries=0))
    except Exception:
        pass
"""
    result = project(tests)
    result.assert_outcomes(failed=2, errors=1)
    text = result.stdout.str()
    what = "a connection to api.anthropic.com:443"
    assert (
        text.count(f"OutsideRun: {what} is refused: there is a simulation, but no run is active")
        == 3
    )
    assert "nothing was run" not in text
    result.stdout.fnmatch_lines([RUN_IT, f"{what}: refused in 3 tests, because no run was active"])


def test_async_fixture_that_needs_sim_runs_outside_of_the_run(project: Project) -> None:
    tests = """
import pytest_asyncio

@pytest_asyncio.fixture
async def warm(sim):
    await ask("a trip", max_retries=0)

async def test_warm(warm):
    await trip()
"""
    result = project(tests, "--asyncio-mode=auto")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([REFUSED, RUN_IT])


def test_open_before_the_fixture_and_after_it(project: Project, server: Server) -> None:
    tests = f"""
import socket

def reach():
    socket.create_connection(("localhost", {server.port})).close()

@pytest.fixture
def before():
    reach()
    yield
    reach()

def test_with(before, sim):
    sim.run(trip)

def test_without():
    reach()
"""
    project(tests).assert_outcomes(passed=2)
    assert server.guests == 3
    assert "connect" not in vars(socket.socket)


def test_threads_that_were_there_before_may_connect(project: Project, server: Server) -> None:
    tests = f"""
import queue, socket, threading

orders, answers = queue.Queue(), queue.Queue()

def work():
    while orders.get():
        try:
            answers.put(socket.create_connection(("127.0.0.1", {server.port})).close())
        except Exception as error:
            answers.put(error)

threading.Thread(target=work, daemon=True).start()

def test_thread(sim):
    orders.put(True)
    assert answers.get() is None
    sim.run(trip)
    orders.put(False)
"""
    project(tests).assert_outcomes(passed=1)
    assert server.guests == 1


@pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")
def test_unix_sockets_servers_and_processes_are_left_alone(project: Project) -> None:
    tests = """
import socket, subprocess, sys

def test_alone(sim, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind("here")
        listener.listen()
        client.connect("here")
    one, other = socket.socketpair()
    one.send(b"hi")
    assert other.recv(2) == b"hi"
    one.close(), other.close()
    socket.create_server(("127.0.0.1", 0)).close()
    assert socket.getaddrinfo("127.0.0.1", 80)
    asyncio.run(asyncio.sleep(0.001))
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    sim.run(trip)
"""
    project(tests).assert_outcomes(passed=1)


@pytest.mark.parametrize(
    "allowed", ["localhost", "127.0.0.1", "db.example.com localhost:{port}", "::1"]
)
def test_what_the_project_allows_is_reached(project: Project, server: Server, allowed: str) -> None:
    tests = f"""
import socket

def test_allowed(sim):
    socket.create_connection(("localhost", {server.port})).close()
    socket.create_connection(("127.0.0.1", {server.port})).close()
    with pytest.raises(Exception, match="a look-up of the address of api.example.com"):
        socket.create_connection(("api.example.com", {server.port}))
    sim.run(trip)
"""
    allow = f"sim_allow_hosts={allowed.format(port=server.port)}"
    project(tests, "-o", allow).assert_outcomes(passed=1)
    assert server.guests == 2


def test_other_port_is_not_allowed_and_other_words_are_wrong(
    project: Project, server: Server
) -> None:
    tests = f"""
import socket

def test_other(sim):
    socket.create_connection(("127.0.0.1", {server.port}))
"""
    result = project(tests, "-o", f"sim_allow_hosts=localhost:{server.port + 1}")
    result.stdout.fnmatch_lines([f"*a connection to 127.0.0.1:{server.port} is refused*"])
    result = project(tests, "-o", "sim_allow_hosts=localhost:http")
    result.stdout.fnmatch_lines(
        ["*sim_allow_hosts: 'localhost:http' is neither a host nor host:port"]
    )


def test_addresses_of_an_allowed_name_are_allowed(
    project: Project, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]
    monkeypatch.setattr("harness.virtual.outside._stock_getaddrinfo", lambda *_, **__: found)
    tests = f"""
import socket

def test_allowed(sim):
    with pytest.raises(Exception, match="no run is active"):
        socket.create_connection(("127.0.0.1", {server.port}))
    socket.create_connection(("db", {server.port})).close()
    sim.run(trip)
"""
    project(tests, "-o", "sim_allow_hosts=DB").assert_outcomes(passed=1)
    assert server.guests == 1


def test_plugins_may_send_their_reports(
    project: Project, server: Server, pytester: pytest.Pytester
) -> None:
    pytester.makeconftest(
        f"""
import socket

def pytest_runtest_logreport(report):
    socket.create_connection(("127.0.0.1", {server.port})).close()
"""
    )
    project("def test_one(sim):\n    sim.run(trip)\n").assert_outcomes(passed=1)
    assert server.guests == 3
