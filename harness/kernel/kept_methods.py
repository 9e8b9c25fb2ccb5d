"""Methods of sockets that a module of the program has kept from before the run, as in `send = connection.send`.

Such a method is one of C, bound once and for all: what stands on the class during a run does not reach it. While a world is
open, the name in the module leads through the class. In other places (a closure, an attribute, a container) it is not
found.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import BuiltinMethodType
from typing import Any

from harness.kernel.own_modules import own_modules


@contextmanager
def led_through_their_class() -> Iterator[None]:
    """While inside, what the program's modules have kept under a name of their own asks the class of the socket."""
    changed = [
        (namespace, name, kept, _by_name(kept.__self__, kept.__name__))
        for namespace in [vars(module) for module in own_modules().values()]
        for name, kept in list(namespace.items())
        if type(kept) is BuiltinMethodType and isinstance(kept.__self__, socket.socket)
    ]
    for namespace, name, _, led in changed:
        namespace[name] = led
    try:
        yield
    finally:
        for namespace, name, kept, led in changed:
            if namespace.get(name) is led:
                namespace[name] = kept


def _by_name(opened: socket.socket, name: str) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - whatever the method takes and gives
        return getattr(opened, name)(*args, **kwargs)

    return call
