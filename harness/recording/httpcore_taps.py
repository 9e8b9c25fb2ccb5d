"""Taps under httpcore and httpcore2, and so under httpx, httpx2 and nearly every SDK.

What they stand on is private to those packages (`harness/private_names.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from harness.json_types import JsonObject
from harness.private_names import HTTPCORE, HTTPCORE2, check_private_names
from harness.recording.here import is_simulated, tap_of
from harness.recording.tap import Sink, Tap
from harness.wire.network import load


class HttpcoreTaps:
    """One of httpcore and httpcore2."""

    def __init__(self, sink: Sink, module: str) -> None:
        self._sink = sink
        self.module = module

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Wrap the streams that connecting gives."""
        check_private_names(HTTPCORE if self.module == "httpcore" else HTTPCORE2)
        auto = load(f"{self.module}._backends.auto").AutoBackend
        sync = load(f"{self.module}._backends.sync").SyncBackend
        real_async, real_sync = auto.connect_tcp, sync.connect_tcp
        async_stream, sync_stream = _async_stream(module), _sync_stream(module)
        sink = self._sink

        async def connect_async(
            backend: object, host: object, port: object, *args: object, **rest: object
        ) -> Any:  # noqa: ANN401 - theirs
            stream = await real_async(backend, host, port, *args, **rest)
            return (
                stream
                if is_simulated()
                else async_stream(stream, tap_of(sink, "http", host, port), port)
            )

        def connect_sync(
            backend: object, host: object, port: object, *args: object, **rest: object
        ) -> Any:  # noqa: ANN401 - theirs
            stream = real_sync(backend, host, port, *args, **rest)
            return (
                stream
                if is_simulated()
                else sync_stream(stream, tap_of(sink, "http", host, port), port)
            )

        auto.connect_tcp, sync.connect_tcp = connect_async, connect_sync

        def put_back() -> None:
            auto.connect_tcp, sync.connect_tcp = real_async, real_sync

        return put_back


def _secured(tap: Tap, arguments: tuple[Any, ...], named: JsonObject, port: Any) -> Tap:  # noqa: ANN401 - theirs
    """The tap inside of TLS; behind a proxy the name of the server is another than that of the connection."""
    host = named.get("server_hostname") or (arguments[1] if len(arguments) > 1 else None)
    if not host:
        return Tap(tap.sink, "https", tap.host)
    same = tap.host.partition(":")[0] == str(host)
    return tap_of(tap.sink, "https", host, port if same else None)


def _async_stream(core: Any) -> type[Any]:  # noqa: ANN401 - one of two packages
    class TappedStream(core.AsyncNetworkStream):  # type: ignore[misc]  # its base is known only here
        """A stream that is watched."""

        def __init__(self, stream: Any, tap: Tap, port: Any) -> None:  # noqa: ANN401 - theirs
            self._stream = stream
            self._tap = tap
            self._port = port

        async def read(self, *args: object, **named: object) -> bytes:
            data: bytes = await self._stream.read(*args, **named)
            self._tap.received(data)
            return data

        async def write(self, buffer: bytes, *args: object, **named: object) -> None:
            self._tap.sent(buffer)
            await self._stream.write(buffer, *args, **named)

        async def aclose(self) -> None:
            self._tap.closed()
            await self._stream.aclose()

        async def start_tls(self, *args: object, **named: object) -> Any:  # noqa: ANN401 - theirs
            stream = await self._stream.start_tls(*args, **named)
            return TappedStream(stream, _secured(self._tap, args, named, self._port), self._port)

        def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - theirs
            return self._stream.get_extra_info(info)

    return TappedStream


def _sync_stream(core: Any) -> type[Any]:  # noqa: ANN401 - one of two packages
    class TappedStream(core.NetworkStream):  # type: ignore[misc]  # its base is known only here
        """A stream that is watched, of a program that blocks."""

        def __init__(self, stream: Any, tap: Tap, port: Any) -> None:  # noqa: ANN401 - theirs
            self._stream = stream
            self._tap = tap
            self._port = port

        def read(self, *args: object, **named: object) -> bytes:
            data: bytes = self._stream.read(*args, **named)
            self._tap.received(data)
            return data

        def write(self, buffer: bytes, *args: object, **named: object) -> None:
            self._tap.sent(buffer)
            self._stream.write(buffer, *args, **named)

        def close(self) -> None:
            self._tap.closed()
            self._stream.close()

        def start_tls(self, *args: object, **named: object) -> Any:  # noqa: ANN401 - theirs
            stream = self._stream.start_tls(*args, **named)
            return TappedStream(stream, _secured(self._tap, args, named, self._port), self._port)

        def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - theirs
            return self._stream.get_extra_info(info)

    return TappedStream
