"""Taps under `http.client`, and so under urllib, urllib3 and requests."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from harness.recording.here import is_simulated, tap_of
from harness.recording.tap import Sink, Tap


class HttpClientTaps:
    """`http.client`, and with it urllib, urllib3 and requests."""

    module = "http.client"

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Watch what connections send, and what responses read."""
        plain, response = module.HTTPConnection, module.HTTPResponse
        real_send, real_begin, real_close = plain.send, response.__init__, plain.close
        taps: WeakKeyDictionary[Any, Tap] = WeakKeyDictionary()
        sink = self._sink

        def send(self: Any, data: Any) -> None:  # noqa: ANN401 - theirs
            if is_simulated():
                real_send(self, data)
                return
            if self.sock is None and self.auto_open:
                self.connect()
            data = _as_bytes(data)
            if self.sock is not None and data is not None:
                tap = taps.get(self.sock)
                if tap is None:
                    scheme = "https" if hasattr(self.sock, "getpeercert") else "http"
                    host, port = self.host, self.port
                    if getattr(self, "_tunnel_host", None):
                        host, port = self._tunnel_host, None
                    tap = taps[self.sock] = tap_of(sink, scheme, host, port)
                tap.sent(data)
            real_send(self, data)

        def begin(self: Any, sock: Any, *args: object, **named: object) -> None:  # noqa: ANN401 - theirs
            real_begin(self, sock, *args, **named)
            try:
                tap = taps.get(sock)
            except TypeError:  # a socket of another kind
                tap = None
            if tap is not None:
                self.fp = _Watched(self.fp, tap)

        def close(self: Any) -> None:  # noqa: ANN401 - theirs
            tap = None if self.sock is None else taps.get(self.sock)
            if (
                tap is not None and tap.is_waiting
            ):  # else the response is still read, and ends by itself
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
