"""The network is shut while a world is open, and says what was asked for."""

# ruff: noqa: TID251 - programs of the user's do all of this

from __future__ import annotations

import asyncio
import socket
import urllib.request
from collections.abc import Callable

import pytest

from harness.errors import NotSimulated
from harness.kernel import Kernel
from harness.virtual.world import run_program

Touch = Callable[[], object]


def plain_socket(act: Callable[[socket.socket], object]) -> object:
    with socket.socket() as opened:
        return act(opened)


async def open_connection() -> None:
    await asyncio.open_connection("example.com", 443)


TOUCHES: dict[str, Touch] = {
    "a connection to example.com:443": lambda: socket.create_connection(("example.com", 443)),
    "a connection to 127.0.0.1:1": lambda: plain_socket(lambda s: s.connect(("127.0.0.1", 1))),
    "a connection to 127.0.0.1:2": lambda: plain_socket(lambda s: s.connect_ex(("127.0.0.1", 2))),
    "a server at 127.0.0.1:3": lambda: plain_socket(lambda s: s.bind(("127.0.0.1", 3))),
    "a packet to 127.0.0.1:4": lambda: plain_socket(lambda s: s.sendto(b"", ("127.0.0.1", 4))),
    "a look-up of the address of example.com:80": lambda: socket.getaddrinfo("example.com", 80),
    "a look-up of the address of example.org": lambda: socket.gethostbyname("example.org"),
    "loop.create_connection": lambda: asyncio.run(open_connection()),
}


@pytest.mark.parametrize("name", TOUCHES)
def test_touching_the_network_is_refused_by_name(name: str) -> None:
    with pytest.raises(NotSimulated) as caught:
        run_program(Kernel(), TOUCHES[name], seed=1)
    assert caught.value.what == name
    assert str(caught.value)


def test_clients_built_upon_sockets_are_refused_too() -> None:
    with pytest.raises(NotSimulated, match=r"example\.com:80"):
        run_program(Kernel(), lambda: urllib.request.urlopen("http://example.com"), seed=1)


def test_sockets_work_again_afterwards() -> None:
    methods = [getattr(socket.socket, name) for name in ("connect", "bind", "sendto")]
    run_program(Kernel(), lambda: None, seed=1)
    assert [getattr(socket.socket, name) for name in ("connect", "bind", "sendto")] == methods
    assert "connect" not in vars(socket.socket)
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
