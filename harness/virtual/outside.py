"""The network outside of runs: refused while a test has a simulation.

Inside a run `sockets.py` refuses what would reach the network. A call of the program before the run, after it, or in a
fixture would reach it too, although its author thinks that it is simulated. So connections and look-ups of addresses
are refused from the set-up of a simulation to its teardown: in its thread, in pools of threads, and in threads that
were started since. Other threads were there before and have work of their own, such as a debugger or a reporter.

Only new connections over IP are refused. Sockets that are connected already, Unix sockets and servers are left alone.
"""

from __future__ import annotations

import _socket
import functools
import ipaddress
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.errors import OutsideRun
from harness.kernel.current_world import this_thread
from harness.kernel.shared_patch import SharedChange
from harness.virtual.patching import Attribute, on_their_owners

_LOOPBACK = "localhost"
_IP = (socket.AF_INET, socket.AF_INET6)


class Place(NamedTuple):
    """A host, and a port of it; None means all of them."""

    host: str
    port: int | None = None

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"


@dataclass(eq=False)
class ClosedNetwork:
    """The network access that one simulation refuses."""

    advice: str
    """What the error says to do."""
    allowed: set[Place]
    """What may be reached; grows by the addresses of allowed names, as they are looked up."""
    others: frozenset[threading.Thread]
    """The threads that may connect to anything."""
    refused: list[OutsideRun] = field(default_factory=list)
    """What was refused, in order."""

    def check(self, what: str, host: object, port: object) -> None:
        """Refuse to reach a place, if this thread is one of the simulation's.

        Raises:
            OutsideRun: It is, and the place is not allowed.
        """
        if self.allows(host, port) or threading.current_thread() in self.others:
            return
        error = OutsideRun(f"{what} {_shown(host, port)}", self.advice)
        self.refused.append(error)
        raise error

    def allows(self, host: object, port: object) -> bool:
        """Whether a host and port may be reached; no port means a name look-up."""
        name = _name(host)
        return any(
            it.host == name and (it.port is None or not port or str(port) == str(it.port))
            for it in self.allowed
        )

    def allow_addresses(self, host: object, addresses: Iterable[object]) -> None:
        """Allow the addresses of a host that is allowed by its name."""
        ports = [it.port for it in self.allowed if it.host == _name(host)]
        self.allowed |= {Place(_name(address), port) for address in addresses for port in ports}


@contextmanager
def closed_network(allowed: Iterable[Place], advice: str) -> Iterator[ClosedNetwork]:
    """Context manager: this thread and those that it starts make no connection outside of a run.

    Args:
        allowed: What may be reached all the same.
        advice: What the error says to do.

    Yields:
        What was refused.
    """
    others = set(threading.enumerate()) - {threading.current_thread()} - _workers_of_pools()
    network = ClosedNetwork(advice, set(allowed), frozenset(others))
    with _gates():
        _closed.append(network)
        try:
            yield network
        finally:
            _closed.remove(network)


@contextmanager
def opened_for_reporters() -> Iterator[None]:
    """Context manager: this thread may connect: what runs is not the test, but what reports it."""
    before = _reporting.now
    _reporting.now = True
    try:
        yield
    finally:
        _reporting.now = before


class _Reporting(threading.local):
    now = False


_reporting = _Reporting()
_closed: list[ClosedNetwork] = []


def _closed_here() -> list[ClosedNetwork]:
    return [] if this_thread.world is not None or _reporting.now else _closed


def _check(what: str, address: object) -> None:
    if isinstance(address, tuple) and len(address) > 1:  # the original complains about others
        for network in _closed_here():
            network.check(what, address[0], address[1])


def _workers_of_pools() -> set[threading.Thread]:
    """Threads that are there before and do whatever a test submits."""
    pools = sys.modules.get("concurrent.futures.thread")
    return set(getattr(pools, "_threads_queues", ()))


# -- gates ------------------------------------------------------------------------------------------------------------

_stock_connect = socket.socket.connect
_stock_connect_ex = socket.socket.connect_ex
_stock_sendto = socket.socket.sendto
_stock_sendmsg = getattr(socket.socket, "sendmsg", None)
_stock_getaddrinfo = _socket.getaddrinfo


def _connect(connection: socket.socket, address: Any) -> None:  # noqa: ANN401 - as in the original
    _check_connection(connection, address)
    _stock_connect(connection, address)


def _connect_ex(connection: socket.socket, address: Any) -> int:  # noqa: ANN401 - as in the original
    _check_connection(connection, address)
    return _stock_connect_ex(connection, address)


def _check_connection(connection: socket.socket, address: object) -> None:
    if connection.family not in _IP:
        return
    try:
        _check("a connection to", address)
    except OutsideRun:
        connection.close()  # `socket.create_connection` does so only when an OSError is raised
        raise


def _sendto(connection: socket.socket, data: Any, *flags_address: Any) -> int:  # noqa: ANN401 - as in the original
    if connection.family in _IP and flags_address:
        _check("a packet to", flags_address[-1])
    return _stock_sendto(connection, data, *flags_address)


def _sendmsg(connection: socket.socket, *arguments: object) -> int:
    if connection.family in _IP and len(arguments) > 3:  # buffers, ancillary data, flags, address
        _check("a packet to", arguments[3])
    assert _stock_sendmsg is not None, "put in place only where there is one"
    sent: int = _stock_sendmsg(connection, *arguments)
    return sent


def _getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as in the original
    networks = [] if host is None or _is_address(host) else _closed_here()  # neither asks anybody
    for network in networks:
        network.check("a look-up of the address of", host, port)
    found = _stock_getaddrinfo(host, port, *args, **kwargs)
    for network in networks:
        network.allow_addresses(host, [address[0] for *_, address in found])
    return found


_ATTRIBUTES = (
    Attribute(socket.socket, "connect", _connect),
    Attribute(socket.socket, "connect_ex", _connect_ex),
    Attribute(socket.socket, "sendto", _sendto),
    *([Attribute(socket.socket, "sendmsg", _sendmsg)] if _stock_sendmsg else []),
    Attribute(
        _socket, "getaddrinfo", _getaddrinfo
    ),  # `socket.getaddrinfo` asks it, under whatever name it is kept
)


@contextmanager
def _gates_alone() -> Iterator[None]:
    with on_their_owners((*_ATTRIBUTES, *_attributes_if_loaded())):
        yield


_gates = SharedChange(_gates_alone)


def _attributes_if_loaded() -> list[Attribute]:
    """Those of uvloop, which connects in C, and of anyio, which would put the error in a group."""
    uvloop, anyio = sys.modules.get("uvloop"), sys.modules.get("anyio")
    found = []
    if uvloop is not None:
        found += [
            _gate_of_host(uvloop.Loop, "create_connection", 2),
            _gate_of_host(uvloop.Loop, "getaddrinfo", 1),
        ]
    if anyio is not None:
        found.append(_gate_of_host(anyio, "connect_tcp", 0))
    return found


def _gate_of_host(owner: object, name: str, place_of_host: int) -> Attribute:
    """A function that takes a host and then a port is checked before it is called."""
    stock: Callable[..., object] = getattr(owner, name)
    names = ("host", "port") if place_of_host else ("remote_host", "remote_port")

    @functools.wraps(stock)
    def call(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - as in the original
        given = dict(zip(names, args[place_of_host:], strict=False)) | kwargs
        host = given.get(names[0])
        if host is not None:
            _check("a connection to", (host, given.get(names[1])))
        return stock(*args, **kwargs)

    return Attribute(owner, name, call)


# -- places -----------------------------------------------------------------------------------------------------------


def place(text: str) -> Place:
    """A place, as `host` or `host:port`.

    Raises:
        ValueError: It is neither.
    """
    if _is_address(text):
        return Place(_name(text))
    host, colon, port = text.rpartition(":")
    if not colon:
        return Place(_name(text))
    if not host or not port.isdecimal():
        raise ValueError(f"{text!r} is neither a host nor host:port")
    return Place(_name(host), int(port))


def _name(host: object) -> str:
    """A host, as it is compared: all addresses and names of this machine's loopback are one."""
    text = host.decode(errors="replace") if isinstance(host, bytes | bytearray) else str(host)
    text = text.lower().strip("[]").rstrip(".")
    if text == _LOOPBACK or text.endswith(f".{_LOOPBACK}"):
        return _LOOPBACK
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return text
    inner = getattr(address, "ipv4_mapped", None) or address
    return _LOOPBACK if inner.is_loopback or inner.is_unspecified else str(inner)


def _is_address(host: object) -> bool:
    text = host.decode(errors="replace") if isinstance(host, bytes | bytearray) else str(host)
    try:
        ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return not text
    return True


def _shown(host: object, port: object) -> str:
    text = host.decode(errors="replace") if isinstance(host, bytes | bytearray) else str(host)
    number = port.decode(errors="replace") if isinstance(port, bytes | bytearray) else port
    return text if number in (None, "", 0) else f"{text}:{number}"
