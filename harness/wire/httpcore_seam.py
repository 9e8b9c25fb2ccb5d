"""The seam under httpcore and httpcore2: their network backends, asynchronous and synchronous.

The names are private to those packages (`harness/private_names.py`). The public place next to them is the transport of httpx
(`AsyncHTTPTransport.handle_async_request`), where the pool and the parser of the client would be lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from harness.errors import UnknownHost
from harness.kernel.current_world import this_thread
from harness.kernel.kernel import Kernel
from harness.kernel.loop import running
from harness.kernel.sim_thread import Waiter
from harness.private_names import HTTPCORE, HTTPCORE2, check_private_names
from harness.virtual.apart import Empty, emptied, set_apart
from harness.wire.http import WORDS, Connection, Failure
from harness.wire.network import load, network_here
from harness.wire.ownership import abandon, refuse_closed, refuse_other_loop

_WOKEN = "woken"


class _Requests(list[Any]):
    """The requests that a pool works on in a run; one from before the run, whose answer ends in it, is none of them."""

    def remove(self, value: object) -> None:
        with suppress(ValueError):
            super().remove(value)


_OF_A_POOL: dict[str, Empty] = {"_connections": emptied, "_requests": lambda _: _Requests()}
"""What a pool knows of its connections; every run has its own."""


@dataclass(frozen=True, slots=True)
class HttpcoreSeam:
    """One of the two packages."""

    package: str
    """`httpcore` or `httpcore2`."""

    @property
    def module(self) -> str:
        """The package is whole when it has been imported."""
        return self.package

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Replace the way to open a connection."""
        check_private_names(HTTPCORE if self.package == "httpcore" else HTTPCORE2)
        auto = load(f"{self.package}._backends.auto").AutoBackend
        sync = load(f"{self.package}._backends.sync").SyncBackend
        real_async, real_sync = auto.connect_tcp, sync.connect_tcp
        async_stream, sync_stream = _async_stream(module), _sync_stream(module)

        async def connect_async(backend: object, host: str, port: int, **rest: object) -> Any:  # noqa: ANN401 - theirs
            network = network_here()
            if network is None:
                return await real_async(backend, host, port, **rest)
            found = network.connect(host, port)
            if isinstance(found, UnknownHost):
                raise module.ConnectError(str(found))
            return async_stream(found, network.kernel)

        def connect_sync(backend: object, host: str, port: int, **rest: object) -> Any:  # noqa: ANN401 - theirs
            network = network_here()
            if network is None:
                return real_sync(backend, host, port, **rest)
            found = network.connect(host, port)
            if isinstance(found, UnknownHost):
                raise module.ConnectError(str(found))
            return sync_stream(found, network.kernel)

        auto.connect_tcp, sync.connect_tcp = connect_async, connect_sync
        pools = [
            set_apart(pool, _OF_A_POOL)
            for pool in (module.AsyncConnectionPool, module.ConnectionPool)
        ]

        def put_back() -> None:
            auto.connect_tcp, sync.connect_tcp = real_async, real_sync
            for ends in pools:
                ends()

        return put_back


def _failed(core: Any, failure: Failure) -> Exception:  # noqa: ANN401 - one of two packages
    """What a client of that package gets."""
    kinds = {"reset": core.ReadError, "timeout": core.ConnectTimeout}
    error: Exception = kinds.get(failure, core.ConnectError)(WORDS[failure])
    return error


def _extra_info(connection: Connection, info: str) -> Any:  # noqa: ANN401 - theirs
    if (
        info == "is_readable"
    ):  # an idle connection that can be read has been closed: do not use it again
        return connection.has_news
    return ("10.0.0.1", 443) if info == "server_addr" else None


def _async_stream(core: Any) -> type[Any]:  # noqa: ANN401 - one of two packages
    class AsyncStream(core.AsyncNetworkStream):  # type: ignore[misc]  # its base is known only here
        """The client's end of a connection; it belongs to the loop that opened it, as a transport of asyncio's does."""

        def __init__(self, connection: Connection, kernel: Kernel) -> None:
            self._connection = connection
            self._kernel = kernel
            self._loop: Any = running.loop
            self._closed = False

        async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            connection = self._connection
            refuse_other_loop(self._loop)
            if not connection.has_news:
                env = self._kernel.env
                waiting = self._loop.sleep_until(math.inf if timeout is None else env.now + timeout)
                connection.reader = partial(waiting.end, _WOKEN)
                try:
                    if await waiting is None:
                        connection.timed_out = True
                        raise core.ReadTimeout
                finally:
                    connection.reader = None
            if connection.failure is not None:
                raise _failed(core, connection.failure)
            return connection.take(max_bytes)

        async def write(self, buffer: bytes, timeout: float | None = None) -> None:
            if buffer:
                self._connection.write(buffer)

        async def aclose(self) -> None:
            if self._closed:
                return
            self._closed = True
            if self._loop is running.loop:
                self._connection.hang_up()
            else:
                abandon(self._connection, self._kernel)
                refuse_closed(self._loop)

        async def start_tls(self, *_: object, **__: object) -> Any:  # noqa: ANN401 - itself
            return self

        def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - theirs
            return _extra_info(self._connection, info)

    return AsyncStream


def _sync_stream(core: Any) -> type[Any]:  # noqa: ANN401 - one of two packages
    class SyncStream(core.NetworkStream):  # type: ignore[misc]  # its base is known only here
        """The client's end of a connection, for a program that blocks."""

        def __init__(self, connection: Connection, kernel: Kernel) -> None:
            self._connection = connection
            self._kernel = kernel

        def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
            connection = self._connection
            if not connection.has_news:
                kernel, me = self._kernel, Waiter("a blocking call")
                connection.reader = lambda: kernel.wake(me)
                try:
                    began_s = kernel.now_s()
                    woken = kernel.park(me, math.inf if timeout is None else began_s + timeout)
                    if this_thread.world is not None:
                        this_thread.world.note_blocked(began_s, "call")
                    if not woken:
                        connection.timed_out = True
                        raise core.ReadTimeout
                finally:
                    connection.reader = None
            if connection.failure is not None:
                raise _failed(core, connection.failure)
            return connection.take(max_bytes)

        def write(self, buffer: bytes, timeout: float | None = None) -> None:
            if buffer:
                self._connection.write(buffer)

        def close(self) -> None:
            self._connection.hang_up()

        def start_tls(self, *_: object, **__: object) -> Any:  # noqa: ANN401 - itself
            return self

        def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - theirs
            return _extra_info(self._connection, info)

    return SyncStream


SEAMS = (HttpcoreSeam("httpcore"), HttpcoreSeam("httpcore2"))
