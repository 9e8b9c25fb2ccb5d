"""Sockets in a world: refused, so that nothing reaches the network.

HTTP is intercepted far above. What comes down to here would reach the real network, and so it is refused by name. There are
two layers. Stand-ins refuse what a program calls by name, before it has any effect. Audit events refuse what it has
kept from before the run, as far as the interpreter raises one: for connections, servers, packets and look-ups, and not for
`send` and `recv` of a socket that is connected already.

A pair of sockets that the program makes in the run leads nowhere else and works.
"""

from __future__ import annotations

import os
import select
import socket
import stat
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from harness.errors import NotSimulated
from harness.kernel.current_world import World
from harness.virtual.patching import Attribute, StandIn, method, stand_in

ADVICE = (
    "replace what opens it by a stand-in for the time of the test; nothing may reach the network, and only HTTP requests "
    "that harness intercepts are answered."
)
ADVICE_ON_OLD = (
    "open it inside the run, where it is simulated or refused by name; what was opened before the run leads to the real "
    "network."
)


def place_of(address: object) -> str:
    """An address in words, such as `example.com:443`."""
    if isinstance(address, tuple) and len(address) > 1:
        host, port = address[:2]
        return f"{_name(host)}:{_name(port)}"
    return _name(address)


def _name(part: object) -> str:
    return part.decode(errors="replace") if isinstance(part, bytes) else str(part)


def connection_from_before(peer: object) -> NotSimulated:
    """The error for a use of a connection that the run did not make.

    Args:
        peer: The address of the other end; None if unknown.
    """
    whom = f" to {place_of(peer)}" if peer else ""
    return NotSimulated(f"a connection{whom} that was made before the run", ADVICE_ON_OLD)


def peer_of(opened: socket.socket) -> object:
    """The address of the other end of a socket; None if there is none."""
    try:
        return _stock["getpeername"](opened)
    except OSError:
        return None


# -- opening --------------------------------------------------------------------------------------------------


def _connect(_: World, __: socket.socket, address: object) -> NoReturn:
    raise NotSimulated(f"a connection to {place_of(address)}", ADVICE)


_ADVICE_TO_SERVERS = (
    "serve on asyncio (`asyncio.start_server`, uvicorn, aiohttp), which is simulated; or replace what opens it by a stand-in for "
    "the time of the test."
)


def _bind(_: World, __: socket.socket, address: object) -> NoReturn:
    raise NotSimulated(f"a server at {place_of(address)}", _ADVICE_TO_SERVERS)


def _listen(_: World, opened: socket.socket, *__: object) -> NoReturn:
    raise NotSimulated(f"a server at {place_of(opened.getsockname())}", _ADVICE_TO_SERVERS)


def _create_connection(_: World, address: object, *__: object, **___: object) -> NoReturn:
    raise NotSimulated(f"a connection to {place_of(address)}", ADVICE)


def _get_address(
    _: World, host: object, port: object = None, *__: object, **___: object
) -> NoReturn:
    place = _name(host) if port is None else place_of((host, port))
    raise NotSimulated(f"a look-up of the address of {place}", ADVICE)


def _look_up(_: World, host: object, *__: object) -> NoReturn:
    raise NotSimulated(f"a look-up of the address of {place_of(host)}", ADVICE)


def _pair(world: World, *args: Any, **kwargs: Any) -> tuple[socket.socket, socket.socket]:  # noqa: ANN401 - socket's
    both = _stock_pair(*args, **kwargs)
    world.descriptors.update(end.fileno() for end in both)
    return both


def _duplicate(world: World, opened: socket.socket) -> socket.socket:
    double: socket.socket = _stock["dup"](opened)
    if opened.fileno() in world.descriptors:
        world.descriptors.add(double.fileno())
    return double


# -- using ----------------------------------------------------------------------------------------------------


def _unless_own(name: str) -> Callable[..., object]:
    """What a method of a socket does in a world: its work on a socket that the run made, and on no other."""

    def use(world: World, opened: socket.socket, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - the method's
        if opened.fileno() not in world.descriptors:
            raise connection_from_before(peer_of(opened))
        if name.startswith("recv"):
            _wait_for_data(world, opened)
        return _stock[name](opened, *args, **kwargs)

    return use


def _wait_for_data(world: World, opened: socket.socket) -> None:
    """Only the program itself could send it, and the program waits."""
    timeout_s = opened.gettimeout()
    if timeout_s == 0 or _stock_select([opened], [], [], 0)[0]:
        return
    if timeout_s is None:
        raise NotSimulated("a wait for data on a socket", "read what has been written already")
    world.block(timeout_s)
    raise TimeoutError("timed out")


def _send_to(world: World, opened: socket.socket, *data_flags_address: object) -> Any:  # noqa: ANN401 - see above
    if opened.fileno() not in world.descriptors:
        raise NotSimulated(f"a packet to {place_of(data_flags_address[-1])}", ADVICE)
    return _stock["sendto"](opened, *data_flags_address)


def _send_message(
    world: World,
    opened: socket.socket,
    buffers: object,
    ancillary: object = (),
    flags: int = 0,
    address: object = None,
) -> Any:  # noqa: ANN401 - see above
    if opened.fileno() in world.descriptors:
        return _stock["sendmsg"](opened, buffers, ancillary, flags, address)
    if address is None:
        raise connection_from_before(peer_of(opened))
    raise NotSimulated(f"a packet to {place_of(address)}", ADVICE)


_USES = (
    "accept",
    "_accept",  # what `accept` calls, also under a name that was kept
    "send",
    "sendall",
    "sendfile",
    "sendmsg_afalg",
    "recv",
    "recv_into",
    "recvfrom",
    "recvfrom_into",
    "recvmsg",
    "recvmsg_into",
    "shutdown",
)
_stock: dict[str, Any] = {
    name: getattr(socket.socket, name)
    for name in (*_USES, "dup", "getpeername", "sendto", "sendmsg")
    if hasattr(socket.socket, name)
}
_stock_pair = socket.socketpair
_stock_select = select.select

_STANDARD_STREAMS = 3
"""Descriptors below it are the process's own, even where they are sockets."""


def is_foreign(world: World, descriptor: object) -> bool:
    """Whether a descriptor is a socket that the run did not make."""
    if not isinstance(descriptor, int) or descriptor < _STANDARD_STREAMS:
        return False
    if descriptor in world.descriptors:
        return False
    try:
        return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
    except OSError:
        return False  # its use raises the error that says what is wrong


def _unless_foreign(original: Callable[..., object], *, descriptors: int = 1) -> StandIn:
    """A stand-in for a function whose first arguments are descriptors."""

    def use(world: World, *args: object, **kwargs: object) -> Any:  # noqa: ANN401 - the function's
        for descriptor in args[:descriptors]:
            if is_foreign(world, descriptor):
                raise connection_from_before(None)
        return original(*args, **kwargs)

    return stand_in(original, use)


_OF_DESCRIPTORS = {"read": 1, "readv": 1, "write": 1, "writev": 1, "sendfile": 2, "splice": 2}

_FUNCTIONS: tuple[tuple[str, Callable[..., object]], ...] = (
    ("create_connection", _create_connection),
    ("getaddrinfo", _get_address),
    ("gethostbyaddr", _look_up),
    ("gethostbyname", _look_up),
    ("gethostbyname_ex", _look_up),
    ("getnameinfo", _look_up),
    ("socketpair", _pair),
)

STAND_INS: tuple[StandIn, ...] = (
    *(stand_in(getattr(socket, name), inside) for name, inside in _FUNCTIONS),
    *(
        _unless_foreign(getattr(os, name), descriptors=count)
        for name, count in _OF_DESCRIPTORS.items()
        if hasattr(os, name)
    ),
)
ATTRIBUTES: tuple[Attribute, ...] = (
    method(socket.socket, "connect", _connect),
    method(socket.socket, "connect_ex", _connect),
    method(socket.socket, "bind", _bind),
    method(socket.socket, "listen", _listen),
    method(socket.socket, "dup", _duplicate),
    method(socket.socket, "sendto", _send_to),
    method(socket.socket, "sendmsg", _send_message),
    *(method(socket.socket, name, _unless_own(name)) for name in _USES if name in _stock),
)


def attributes_if_loaded() -> tuple[Attribute, ...]:
    """Of the pipes of multiprocessing, which keep `os.read` and `os.write` in default arguments."""
    module = sys.modules.get("multiprocessing.connection")
    if module is None:
        return ()
    return tuple(_of_pipes(module.Connection, name) for name in ("_send", "_recv"))


def _of_pipes(owner: type, name: str) -> Attribute:
    stock = vars(owner)[name]

    def use(world: World, pipe: Any, *args: object) -> Any:  # noqa: ANN401 - a multiprocessing.connection.Connection
        if is_foreign(world, pipe.fileno()):
            raise connection_from_before(None)
        return stock(pipe, *args)

    return method(owner, name, use)


# -- what a program has kept from before ------------------------------------------------------------------------


def _sent(world: World, opened: socket.socket, address: object) -> None:
    if opened.fileno() in world.descriptors:
        return
    if address is None:
        raise connection_from_before(peer_of(opened))
    raise NotSimulated(f"a packet to {place_of(address)}", ADVICE)


def _opened(world: World, file: object, *_: object) -> None:
    if is_foreign(world, file):
        raise connection_from_before(None)


def _address_asked(world: World, host: object, port: object, *_: object) -> NoReturn:
    _get_address(world, host, port)


EVENTS: dict[str, Callable[..., None]] = {
    "open": _opened,
    "socket.connect": _connect,
    "socket.bind": _bind,
    "socket.sendto": _sent,
    "socket.sendmsg": _sent,
    "socket.getaddrinfo": _address_asked,
    "socket.gethostbyaddr": _look_up,
    "socket.gethostbyname": _look_up,
    "socket.getnameinfo": _look_up,
}
