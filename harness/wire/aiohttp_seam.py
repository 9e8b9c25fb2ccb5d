"""The seam under aiohttp: its connector.

`connect` is called by the task that makes a request; the request is written by another. What
it stands on is private to aiohttp (`harness/private_names.py`). The public place next to them is a connector of one's own, which only those can use who make the session.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from harness.errors import UnknownHost
from harness.kernel.current_world import lineage_here
from harness.kernel.lineage import Lineage
from harness.kernel.loop import running
from harness.private_names import AIOHTTP, check_private_names
from harness.virtual.apart import emptied, set_apart
from harness.wire.http import WORDS, Connection
from harness.wire.network import Network, network_here
from harness.wire.ownership import abandon, refuse_closed

_OF_A_POOL = ("_conns", "_acquired", "_acquired_per_host", "_waiters")
"""What a connector knows of its connections; every run has its own."""


class AiohttpSeam:
    """aiohttp."""

    module = "aiohttp.connector"

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Replace the way to open a connection."""
        check_private_names(AIOHTTP)
        connector = module.TCPConnector
        real = connector._create_connection  # noqa: SLF001 - see above
        connect = module.BaseConnector.connect

        async def create_connection(self: Any, req: Any, traces: Any, timeout: Any) -> Any:  # noqa: ANN401 - theirs
            network = network_here()
            if network is None:
                return await real(self, req, traces, timeout)
            refuse_closed(self._loop)
            host, port = req.url.raw_host, req.url.port
            found = network.connect(host, port)
            if isinstance(found, UnknownHost):
                raise module.ClientConnectorError(
                    req.connection_key, OSError(errno.ECONNREFUSED, str(found))
                )
            protocol = self._factory()
            protocol.connection_made(MemoryTransport(found, protocol, network))
            return protocol

        async def connect_and_note(self: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - theirs
            connection = await connect(self, *args, **kwargs)
            if isinstance(connection.transport, MemoryTransport):
                connection.transport.will_send_for(lineage_here())
            return connection

        connector._create_connection = create_connection  # noqa: SLF001 - see above
        end_pools = set_apart(module.BaseConnector, dict.fromkeys(_OF_A_POOL, emptied))
        module.BaseConnector.connect = connect_and_note

        def put_back() -> None:
            end_pools()
            connector._create_connection = real  # noqa: SLF001 - see above
            module.BaseConnector.connect = connect

        return put_back


class MemoryTransport(asyncio.Transport):
    """The client's end of a connection, for a client that is called back.

    Args:
        connection: The connection.
        protocol: Whom to call.
        network: The world it belongs to.
    """

    def __init__(self, connection: Connection, protocol: Any, network: Network) -> None:  # noqa: ANN401 - theirs
        super().__init__({"peername": ("10.0.0.1", 443), "socket": None})
        self._connection = connection
        self._protocol = protocol
        self._kernel = network.kernel
        self._loop: Any = running.loop
        self._closing = False
        self._called = False
        connection.reader = self._news

    def will_send_for(self, caller: Lineage | None) -> None:
        """Record the task that makes the next request."""
        self._connection.caller = caller

    def _news(self) -> None:
        """Call the protocol in the loop's next turn: it must not be called from inside its own `write`.

        A closed loop runs no callbacks, and nothing is reported.
        """
        if not self._called and not self._loop.is_closed():
            self._called = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._called = False
        if self._closing:
            return
        connection = self._connection
        if connection.failure is None and connection.received:
            self._protocol.data_received(connection.take(len(connection.received)))
        if connection.ended:
            self._closing = True
            error = None if connection.failure is None else OSError(WORDS[connection.failure])
            self._protocol.connection_lost(error)

    def write(self, data: Any) -> None:  # noqa: ANN401 - bytes, or something like it
        """Send to the server."""
        if not self._closing:
            self._connection.write(bytes(data))

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Send to the server."""
        self.write(b"".join(list_of_data))

    def is_closing(self) -> bool:
        """Whether this side is closed, or being so."""
        return self._closing

    def close(self) -> None:
        """Hang up."""
        if not self._closing:
            self._closing = True
            if self._loop is running.loop:
                self._connection.hang_up()
            else:
                abandon(self._connection, self._kernel)
                refuse_closed(self._loop)
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """Hang up."""
        self.close()

    def pause_reading(self) -> None:
        """What was sent is in memory either way."""

    def resume_reading(self) -> None:
        """What was sent is in memory either way."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever buffered."""

    def get_write_buffer_size(self) -> int:
        """Nothing is ever buffered."""
        return 0


SEAMS = (AiohttpSeam(),)
