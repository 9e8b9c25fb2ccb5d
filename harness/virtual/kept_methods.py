"""Socket methods that a module bound before the run, as in `send = connection.send`.

Such a method is one of C, bound once and for all: what stands on the class during a run does not reach it. While a world is
open, the name in the module leads through the class. In other places (a closure, an attribute, a container) it is not
found.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import BuiltinMethodType, ModuleType
from typing import Any, NamedTuple

from harness.virtual.own_modules import own_modules


class _Seen(NamedTuple):
    """A module that was looked through."""

    module: ModuleType
    size: int
    """How many names it had; one that has more is looked through again."""
    names: tuple[str, ...]
    """Under which it had such a method."""


_seen: dict[str, _Seen] = {}
"""To look through all modules each time takes milliseconds."""


@contextmanager
def led_through_their_class() -> Iterator[None]:
    """Context manager: what the program's modules have kept under a name of their own asks the class of the socket."""
    _look_at_new_names()
    changed = [
        (vars(seen.module), name, kept, led)
        for seen in _seen.values()
        for name in seen.names
        if (led := stand_in_for_kept_method(kept := vars(seen.module).get(name))) is not None
    ]
    for namespace, name, _, led in changed:
        namespace[name] = led
    try:
        yield
    finally:
        for namespace, name, kept, led in changed:
            if namespace.get(name) is led:
                namespace[name] = kept


def _look_at_new_names() -> None:
    for module_name, module in own_modules().items():
        namespace = vars(module)
        seen = _seen.get(module_name)
        if seen is None or seen.module is not module or seen.size != len(namespace):
            names = [
                name
                for name, kept in namespace.copy().items()
                if stand_in_for_kept_method(kept) is not None
            ]
            _seen[module_name] = _Seen(module, len(namespace), tuple(names))


def stand_in_for_kept_method(kept: object) -> Callable[..., object] | None:
    """What takes the place of a bound method of C of a socket; None for anything else."""
    if type(kept) is not BuiltinMethodType or not isinstance(kept.__self__, socket.socket):
        return None
    opened, name = kept.__self__, kept.__name__

    def call(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - whatever the method takes and gives
        return getattr(opened, name)(*args, **kwargs)

    return call
