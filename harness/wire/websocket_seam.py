"""The seams under clients of websockets: what one is asked to connect to is refused by its name.

Only public names are replaced. A function that a program imported by its name before the run cannot be reached; its
connection is refused like any other (`harness/virtual/sockets.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from harness.wire.network import network_here


@dataclass(frozen=True, slots=True)
class WebsocketSeam:
    """A client of websockets.

    Args:
        module: Where its name is.
        name: What is given the URL, as the first argument of a function, or the second of a method.
    """

    module: str
    name: str

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Refuse every URL in a run."""
        holder, _, name = self.name.rpartition(".")
        owner = attrgetter(holder)(module) if holder else module
        real = getattr(owner, name)
        place = 1 if holder else 0

        @functools.wraps(real)
        def connect(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - theirs
            network = network_here()
            if network is not None:
                given = args[place] if len(args) > place else kwargs.get("uri", kwargs.get("url"))
                url = urlsplit(str(given))
                error = network.refuse_websocket(url.hostname or "", url.path or "/")
                network.kernel.fail(error)
                raise error
            return real(*args, **kwargs)

        setattr(owner, name, connect)
        return lambda: setattr(owner, name, real)


SEAMS = (
    WebsocketSeam("websockets.asyncio.client", "connect.__init__"),
    WebsocketSeam("websockets.legacy.client", "Connect.__init__"),
    WebsocketSeam("websockets.sync.client", "connect"),
    WebsocketSeam("websocket", "WebSocket.connect"),  # of websocket-client
)
