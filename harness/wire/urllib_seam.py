"""The seams under `http.client` and urllib3 (and so requests): no connection of before the run is seen in it.

New connections of these clients are refused by name (`harness.kernel.sockets`). The names `pool` and those of `HTTPConnection`
are the ones that the two packages keep to themselves; tests/wire/test_seams.py says so when they move.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from harness.kernel.apart import Empty, always, emptied, set_apart


@dataclass(frozen=True, slots=True)
class ApartSeam:
    """A client whose connections every run has for itself.

    Args:
        module: Where its class is.
        owner: The class.
        names: What its objects know of their connections.
    """

    module: str
    owner: str
    names: Mapping[str, Empty]

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Let every world have its own."""
        return set_apart(getattr(module, self.owner), self.names)


def _without_connections(queue: Any) -> Any:  # noqa: ANN401 - a queue.Queue of whatever kind
    """A pool as urllib3 makes it: as many places as it may have connections; None once it is closed."""
    if queue is None:
        return None
    new = type(queue)(queue.maxsize)
    for _ in range(queue.maxsize):
        new.put_nowait(None)
    return new


SEAMS = (
    ApartSeam(
        "http.client",
        "HTTPConnection",
        {
            "sock": always(None),
            "_HTTPConnection__state": always("Idle"),
            "_HTTPConnection__response": always(None),
            "_buffer": emptied,
        },
    ),
    ApartSeam("urllib3.connectionpool", "HTTPConnectionPool", {"pool": _without_connections}),
)
