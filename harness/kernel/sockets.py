"""The last wall before the network: in a world, no socket gets out.

HTTP is intercepted far above. What comes down to here would reach the real network, and so it is refused by name.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import NoReturn

from harness.errors import NotSimulated
from harness.kernel.captured import Attribute, StandIn, method, stand_in
from harness.kernel.here import World

_ADVICE = (
    "replace what opens it by a stand-in for the time of the test; nothing may reach the network, and only HTTP requests "
    "that harness intercepts are answered."
)


def _place(address: object) -> str:
    if isinstance(address, tuple) and len(address) > 1:
        host, port = address[:2]
        return f"{_name(host)}:{_name(port)}"
    return _name(address)


def _name(part: object) -> str:
    return part.decode(errors="replace") if isinstance(part, bytes) else str(part)


def _connect(_: World, __: socket.socket, address: object) -> NoReturn:
    raise NotSimulated(f"a connection to {_place(address)}", _ADVICE)


def _bind(_: World, __: socket.socket, address: object) -> NoReturn:
    raise NotSimulated(f"a server at {_place(address)}", _ADVICE)


def _send_to(_: World, __: socket.socket, *data_flags_address: object) -> NoReturn:
    raise NotSimulated(f"a packet to {_place(data_flags_address[-1])}", _ADVICE)


def _create_connection(_: World, address: object, *__: object, **___: object) -> NoReturn:
    raise NotSimulated(f"a connection to {_place(address)}", _ADVICE)


def _get_address(
    _: World, host: object, port: object = None, *__: object, **___: object
) -> NoReturn:
    place = _name(host) if port is None else _place((host, port))
    raise NotSimulated(f"a look-up of the address of {place}", _ADVICE)


def _look_up(_: World, host: object, *__: object) -> NoReturn:
    raise NotSimulated(f"a look-up of the address of {_place(host)}", _ADVICE)


_FUNCTIONS: tuple[tuple[str, Callable[..., NoReturn]], ...] = (
    ("create_connection", _create_connection),
    ("getaddrinfo", _get_address),
    ("gethostbyaddr", _look_up),
    ("gethostbyname", _look_up),
    ("gethostbyname_ex", _look_up),
    ("getnameinfo", _look_up),
)

STAND_INS: tuple[StandIn, ...] = tuple(
    stand_in(getattr(socket, name), refuse) for name, refuse in _FUNCTIONS
)
ATTRIBUTES: tuple[Attribute, ...] = (
    method(socket.socket, "connect", _connect),
    method(socket.socket, "connect_ex", _connect),
    method(socket.socket, "bind", _bind),
    method(socket.socket, "sendto", _send_to),
)
