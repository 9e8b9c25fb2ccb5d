"""Connections opened before the run that the methods of `socket.socket` do not guard.

A TLS socket speaks to its C object, and a transport of asyncio writes at once, whichever loop runs; when a write of it
fails, it closes its connection, which would be lost after the run too. So they are refused a step earlier.
"""

from __future__ import annotations

import asyncio
import ssl
from asyncio import selector_events, sslproto
from collections.abc import Callable
from typing import Any, NoReturn

from harness.kernel.current_world import World, this_thread
from harness.kernel.loop import SimLoop
from harness.virtual.patching import Attribute, method
from harness.virtual.sockets import connection_from_before, peer_of

_TLS = "_sslobj"
"""Where a TLS socket keeps what encrypts, reads and writes: all of its methods, also those that were bound before, ask here."""


class _TlsObject:
    """A data descriptor, which is asked before the socket's `__dict__`."""

    def __get__(self, opened: Any, owner: type) -> Any:  # noqa: ANN401 - an ssl.SSLSocket
        if opened is None:
            return self
        try:
            found = vars(opened)[_TLS]
        except KeyError:
            raise AttributeError(_TLS) from None
        world = this_thread.world
        if world is None or found is None or opened.fileno() in world.descriptors:
            return found
        raise connection_from_before(peer_of(opened))

    def __set__(self, opened: Any, value: object) -> None:  # noqa: ANN401 - see above
        vars(opened)[_TLS] = value


def _refuse(_: World, transport: asyncio.BaseTransport, *__: object) -> NoReturn:
    raise connection_from_before(transport.get_extra_info("peername"))


def _unless_simulated(name: str) -> Callable[..., object]:
    """What a method of `asyncio.StreamWriter` does in a world; under it may be a transport in C, such as uvloop's."""
    stock = getattr(asyncio.StreamWriter, name)

    def use(_: World, writer: Any, *args: object) -> Any:  # noqa: ANN401 - an asyncio.StreamWriter
        if not isinstance(writer._loop, SimLoop):  # noqa: SLF001 - no public way to ask
            raise connection_from_before(writer.get_extra_info("peername"))
        return stock(writer, *args)

    return use


_SELECTOR: Any = selector_events  # whose transports have no public names
_TLS_LAYER: Any = sslproto
_WRITERS: tuple[tuple[type, tuple[str, ...]], ...] = (
    (_SELECTOR._SelectorSocketTransport, ("write", "writelines", "write_eof")),  # noqa: SLF001
    (_SELECTOR._SelectorDatagramTransport, ("sendto",)),  # noqa: SLF001
    # Closing TLS says so to the other end.
    (_TLS_LAYER._SSLProtocolTransport, ("write", "writelines", "close")),  # noqa: SLF001
)

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(ssl.SSLSocket, _TLS, _TlsObject()),
    *(method(owner, name, _refuse) for owner, names in _WRITERS for name in names),
    *(
        method(asyncio.StreamWriter, name, _unless_simulated(name))
        for name in ("write", "writelines", "write_eof")
    ),
)
