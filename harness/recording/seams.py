"""Where taps are put into HTTP clients: under httpx and httpx2 (httpcore), `http.client` (urllib, urllib3, requests), aiohttp.

Like the seams of `harness/wire`, they are at the connection, so that a client's own pool, parser and retries stay. What they
stand on is in `harness/private_names.py`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import ExitStack
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from harness.kernel.current_world import this_thread
from harness.private_names import AIOHTTP, HTTPCORE, HTTPCORE2, check_private_names
from harness.recording.tap import Sink, Tap
from harness.wire.network import Seam, load, put_in_now_or_later

_PORTS = {"http": 80, "https": 443}


def put_in(sink: Sink) -> ExitStack:
    """Put taps into the clients of this process, now or as soon as they are imported; closing takes them out."""
    stack = ExitStack()
    seams: tuple[Seam, ...] = (
        HttpcoreTaps(sink, "httpcore"),
        HttpcoreTaps(sink, "httpcore2"),
        HttpClientTaps(sink),
        AiohttpTaps(sink),
    )
    for seam in seams:
        put_in_now_or_later(seam, stack)
    return stack


def _tap(sink: Sink, scheme: str, host: Any, port: Any) -> Tap:  # noqa: ANN401 - as the client has them
    host = host.decode("ascii") if isinstance(host, bytes) else str(host)
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return Tap(sink, scheme, host if port in (None, _PORTS[scheme]) else f"{host}:{port}")


def _is_simulated() -> bool:
    """Whether a run simulates what this thread does; then there is nothing real to record."""
    return this_thread.world is not None or this_thread.network is not None


# -- httpcore -------------------------------------------------------------------------------------------------------


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

        async def connect_async(backend: Any, host: Any, port: Any, *args: Any, **rest: Any) -> Any:  # noqa: ANN401 - theirs
            stream = await real_async(backend, host, port, *args, **rest)
            return (
                stream
                if _is_simulated()
                else async_stream(stream, _tap(sink, "http", host, port), port)
            )

        def connect_sync(backend: Any, host: Any, port: Any, *args: Any, **rest: Any) -> Any:  # noqa: ANN401 - theirs
            stream = real_sync(backend, host, port, *args, **rest)
            return (
                stream
                if _is_simulated()
                else sync_stream(stream, _tap(sink, "http", host, port), port)
            )

        auto.connect_tcp, sync.connect_tcp = connect_async, connect_sync

        def put_back() -> None:
            auto.connect_tcp, sync.connect_tcp = real_async, real_sync

        return put_back


def _secured(tap: Tap, arguments: tuple[Any, ...], named: dict[str, Any], port: Any) -> Tap:  # noqa: ANN401 - theirs
    """The tap inside of TLS; behind a proxy the name of the server is another than that of the connection."""
    host = named.get("server_hostname") or (arguments[1] if len(arguments) > 1 else None)
    if not host:
        return Tap(tap.sink, "https", tap.host)
    same = tap.host.partition(":")[0] == str(host)
    return _tap(tap.sink, "https", host, port if same else None)


def _async_stream(core: Any) -> type[Any]:  # noqa: ANN401 - one of two packages
    class TappedStream(core.AsyncNetworkStream):  # type: ignore[misc]  # its base is known only here
        """A stream that is watched."""

        def __init__(self, stream: Any, tap: Tap, port: Any) -> None:  # noqa: ANN401 - theirs
            self._stream = stream
            self._tap = tap
            self._port = port

        async def read(self, *args: Any, **named: Any) -> bytes:  # noqa: ANN401 - theirs
            data: bytes = await self._stream.read(*args, **named)
            self._tap.received(data)
            return data

        async def write(self, buffer: bytes, *args: Any, **named: Any) -> None:  # noqa: ANN401 - theirs
            self._tap.sent(buffer)
            await self._stream.write(buffer, *args, **named)

        async def aclose(self) -> None:
            self._tap.closed()
            await self._stream.aclose()

        async def start_tls(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - theirs
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

        def read(self, *args: Any, **named: Any) -> bytes:  # noqa: ANN401 - theirs
            data: bytes = self._stream.read(*args, **named)
            self._tap.received(data)
            return data

        def write(self, buffer: bytes, *args: Any, **named: Any) -> None:  # noqa: ANN401 - theirs
            self._tap.sent(buffer)
            self._stream.write(buffer, *args, **named)

        def close(self) -> None:
            self._tap.closed()
            self._stream.close()

        def start_tls(self, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - theirs
            stream = self._stream.start_tls(*args, **named)
            return TappedStream(stream, _secured(self._tap, args, named, self._port), self._port)

        def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - theirs
            return self._stream.get_extra_info(info)

    return TappedStream


# -- http.client ----------------------------------------------------------------------------------------------------


class HttpClientTaps:
    """`http.client`, and with it urllib, urllib3 and requests."""

    module = "http.client"

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Watch what connections send, and what responses read."""
        plain, tls, response = module.HTTPConnection, module.HTTPSConnection, module.HTTPResponse
        real_send, real_begin, real_close = plain.send, response.__init__, plain.close
        taps: WeakKeyDictionary[Any, Tap] = WeakKeyDictionary()
        sink = self._sink

        def send(self: Any, data: Any) -> None:  # noqa: ANN401 - theirs
            if _is_simulated():
                real_send(self, data)
                return
            if self.sock is None and self.auto_open:
                self.connect()
            data = _as_bytes(data)
            if self.sock is not None and data is not None:
                tap = taps.get(self.sock)
                if tap is None:
                    scheme = (
                        "https"
                        if isinstance(self, tls) or getattr(self, "is_verified", False)
                        else "http"
                    )
                    host, port = self.host, self.port
                    if getattr(self, "_tunnel_host", None):
                        host, port = self._tunnel_host, getattr(self, "_tunnel_port", None)
                    tap = taps[self.sock] = _tap(sink, scheme, host, port)
                tap.sent(data)
            real_send(self, data)

        def begin(self: Any, sock: Any, *args: Any, **named: Any) -> None:  # noqa: ANN401 - theirs
            real_begin(self, sock, *args, **named)
            try:
                tap = taps.get(sock)
            except TypeError:  # a socket of another kind
                tap = None
            if tap is not None:
                self.fp = _Watched(self.fp, tap)

        def close(self: Any) -> None:  # noqa: ANN401 - theirs
            response_now = getattr(self, "_HTTPConnection__response", None)
            if self.sock is not None and response_now is None and (tap := taps.get(self.sock)):
                tap.closed()
            real_close(self)

        plain.send, response.__init__, plain.close = send, begin, close

        def put_back() -> None:
            plain.send, response.__init__, plain.close = real_send, real_begin, real_close

        return put_back


def _as_bytes(data: Any) -> Any:  # noqa: ANN401 - whatever `send` takes
    """What is sent, in one piece: a file or an iterator can be read only once."""
    if hasattr(data, "read"):
        read = data.read()
        return read.encode("iso-8859-1") if isinstance(read, str) else read
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    return b"".join(data)


class _Watched(io.BufferedReader):
    """The file that a response is read from, watched below its buffer."""

    def __init__(self, file: Any, tap: Tap) -> None:  # noqa: ANN401 - what `makefile` gives
        super().__init__(_Raw(file, tap))


class _Raw(io.RawIOBase):
    def __init__(self, file: Any, tap: Tap) -> None:  # noqa: ANN401 - see above
        self._file = file
        self._raw = getattr(file, "raw", file)
        self._tap = tap

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - a buffer
        count: int | None = self._raw.readinto(buffer)
        if count is not None:
            self._tap.received(bytes(memoryview(buffer)[:count]))
        return count

    def fileno(self) -> int:
        number: int = self._file.fileno()
        return number

    def close(self) -> None:
        if not self.closed:
            self._tap.closed()
            self._file.close()
        super().close()


# -- aiohttp --------------------------------------------------------------------------------------------------------


class AiohttpTaps:
    """aiohttp."""

    module = "aiohttp.connector"

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Watch what the protocols of new connections are given."""
        check_private_names(AIOHTTP)
        connector = module.TCPConnector
        real = connector._create_connection  # noqa: SLF001 - see above
        sink = self._sink

        async def create_connection(self: Any, req: Any, *args: Any, **named: Any) -> Any:  # noqa: ANN401 - theirs
            protocol = await real(self, req, *args, **named)
            if not _is_simulated() and protocol.transport is not None:
                _watch(protocol, _tap(sink, req.url.scheme, req.url.raw_host, req.url.port))
            return protocol

        connector._create_connection = create_connection  # noqa: SLF001 - see above

        def put_back() -> None:
            connector._create_connection = real  # noqa: SLF001 - see above

        return put_back


def _watch(protocol: Any, tap: Tap) -> None:  # noqa: ANN401 - theirs
    real_received, real_lost = protocol.data_received, protocol.connection_lost

    def received(data: bytes) -> None:
        if data:  # aiohttp calls itself with nothing when it reads on
            tap.received(data)
        real_received(data)

    def lost(error: BaseException | None) -> None:
        tap.received(b"")
        tap.closed()
        real_lost(error)

    protocol.data_received, protocol.connection_lost = received, lost
    protocol.transport = _WatchedTransport(protocol.transport, tap)


class _WatchedTransport:
    """A transport that is watched; all but writing is the transport's own."""

    def __init__(self, transport: Any, tap: Tap) -> None:  # noqa: ANN401 - theirs
        self._transport = transport
        self._tap = tap

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the transport's
        return getattr(self._transport, name)

    def write(self, data: Any) -> None:  # noqa: ANN401 - bytes, or something like it
        self._tap.sent(bytes(data))
        self._transport.write(data)

    def writelines(self, pieces: Any) -> None:  # noqa: ANN401 - an iterable of bytes
        self.write(b"".join(pieces))
