"""Taps under aiohttp; what they stand on is private to it (`harness/private_names.py`)."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from harness.private_names import AIOHTTP, check_private_names
from harness.recording.here import is_simulated, tap_of
from harness.recording.tap import Sink, Tap


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

        async def create_connection(self: Any, req: Any, *args: object, **named: object) -> Any:  # noqa: ANN401 - theirs
            protocol = await real(self, req, *args, **named)
            if not is_simulated() and protocol.transport is not None:
                _watch(protocol, tap_of(sink, req.url.scheme, req.url.raw_host, req.url.port))
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
