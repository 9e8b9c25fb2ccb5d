"""The client's end of a simulated connection, as a socket, for the standard library and clients built on it.

It has what these clients use of `socket.socket`, with its errors; waiting takes virtual time.
"""

from __future__ import annotations

import errno
import math
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any

from harness.errors import NotSimulated
from harness.kernel.current_world import this_thread
from harness.kernel.kernel import Kernel
from harness.kernel.sim_thread import Waiter
from harness.wire.http import WORDS, Connection, Failure

_stock: Any = socket.socket
_EXPIRED = 10  # X509_V_ERR_CERT_HAS_EXPIRED


def _error(failure: Failure) -> OSError:
    """The error that the operating system or the TLS library raises."""
    if failure == "refused":
        return ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
    if failure == "reset":
        return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
    if failure == "timeout":
        return TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
    if failure == "dns":
        return socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    error = ssl.SSLCertVerificationError(1, WORDS["tls"])
    error.verify_code, error.verify_message = _EXPIRED, "certificate has expired"
    return error


def _itself(error: OSError) -> Exception:
    return error


class MemorySocket:
    """One end of a connection in memory.

    Args:
        connection: The connection.
        kernel: The clock.
        timeout_s: How long a read may wait [s]; None means for ever.
        timed_out: What the error says when it has waited so long.
        not_connected: What the client makes of an error for which no connection comes about.
    """

    family, type, proto = socket.AF_INET, socket.SOCK_STREAM, 0

    # Files on a socket, and when it is closed with them, are its own code, which is Python.
    makefile = _stock.makefile
    close = _stock.close
    _decref_socketios = _stock._decref_socketios  # noqa: SLF001 - `makefile` needs it
    __enter__ = _stock.__enter__
    __exit__ = _stock.__exit__

    def __init__(
        self,
        connection: Connection,
        kernel: Kernel,
        timeout_s: float | None = None,
        *,
        timed_out: str = "timed out",
        not_connected: Callable[[OSError], Exception] = _itself,
    ) -> None:
        self._connection = connection
        self._kernel = kernel
        self._timeout_s = timeout_s
        self._timed_out = timed_out
        self._not_connected = not_connected
        self._io_refs = 0
        self._closed = False
        self._number = -1
        self.waiting: dict[Waiter, None] = {}
        """What waits until there is something to read."""
        world = this_thread.world
        if world is not None:
            self._number = world.add_simulated_socket(self)
        connection.reader = self._wake

    # -- data ---------------------------------------------------------------------------------------------------------

    @property
    def has_news(self) -> bool:
        """Whether a read would not wait."""
        return self._connection.has_news

    def sendall(self, data: Any, flags: int = 0) -> None:  # noqa: ANN401 - anything with a buffer
        """Send to the server.

        Raises:
            OSError: The socket is closed, or there is no connection, which is known only now; or what the client makes of it.
        """
        _refuse_flags(flags)
        self._check_open()
        connection = self._connection
        sent = bytes(memoryview(data))
        if connection.ended:
            return  # the other end has closed, and the answer will say so
        connection.write(sent)
        if connection.is_answering:
            # The server looks at a request after what runs now.
            self._kernel.park(Waiter("a server"), self._kernel.now_s())
        if connection.is_unreachable:
            self._wait(math.inf)
            assert connection.failure is not None, "a connection that fails says how"
            error = _error(connection.failure)
            made = self._not_connected(error)
            raise made from (None if made is error else error)

    def send(self, data: Any, flags: int = 0) -> int:  # noqa: ANN401 - see above
        """Send to the server; all of it."""
        self.sendall(data, flags)
        return memoryview(data).nbytes

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Read what is there, as soon as something is; nothing at the end.

        Raises:
            TimeoutError: Nothing came in time.
            BlockingIOError: Nothing is there, and the socket may not wait.
            OSError: The connection broke, or the socket is closed.
        """
        _refuse_flags(flags)
        self._check_open()
        if not self.has_news:
            if self._timeout_s == 0:
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            limit_s = math.inf if self._timeout_s is None else self._timeout_s
            if not self._wait(self._kernel.now_s() + limit_s):
                raise TimeoutError(self._timed_out)
        if self._connection.failure is not None:
            raise _error(self._connection.failure)
        return self._connection.take(bufsize)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:  # noqa: ANN401 - see above
        """Read into a buffer; see `recv`."""
        view = memoryview(buffer).cast("B")
        data = self.recv(nbytes or view.nbytes, flags)
        view[: len(data)] = data
        return len(data)

    def _wait(self, until_s: float) -> bool:
        """Wait for news; whether there are any."""
        me = Waiter(f"an answer from {self._connection.host}")
        self.waiting[me] = None
        began_s = self._kernel.now_s()
        try:
            while not self.has_news:
                if not self._kernel.park(me, until_s):
                    return self.has_news
            return True
        finally:
            del self.waiting[me]
            if this_thread.world is not None:
                this_thread.world.note_blocked(began_s, "call")

    def _wake(self) -> None:
        for waiter in list(self.waiting):
            self._kernel.wake(waiter)

    # -- the end ------------------------------------------------------------------------------------------------------

    def shutdown(self, how: int) -> None:
        """Stop reading, which ends a read that waits; nothing is done about writing alone."""
        self._check_open()
        if how != socket.SHUT_WR:
            self._connection.hang_up()
            self._wake()

    def _real_close(self) -> None:
        self._number = -1
        self._connection.hang_up()

    def _check_open(self) -> None:
        if self._closed and self._io_refs <= 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    # -- what it is ---------------------------------------------------------------------------------------------------

    def fileno(self) -> int:
        """A number that `select` knows in the run, and the operating system does not; -1 once it is closed."""
        return self._number

    def settimeout(self, value: float | None) -> None:
        """Set how long a read may wait [s]."""
        if value is not None and value < 0:
            raise ValueError("Timeout value out of range")
        self._timeout_s = value

    def gettimeout(self) -> float | None:
        """Timeout of a read [s]."""
        return self._timeout_s

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - socket's
        """Let reads wait for ever, or not at all."""
        self._timeout_s = None if flag else 0.0

    def getblocking(self) -> bool:
        """Whether reads wait."""
        return self._timeout_s != 0

    @property
    def timeout(self) -> float | None:
        """Timeout of a read [s]."""
        return self._timeout_s

    def setsockopt(self, *_: object) -> None:
        """Ignored: there is no real socket."""

    def getsockopt(self, *_: object) -> int:
        """Nothing is wrong with it."""
        return 0

    def getpeername(self) -> tuple[str, int]:
        """A made-up address."""
        return "10.0.0.1", 443

    def getsockname(self) -> tuple[str, int]:
        """A made-up address."""
        return "10.0.0.2", 49_152


def _refuse_flags(flags: int) -> None:
    if flags:
        raise NotSimulated("a flag of `send` or `recv`", "send and receive without flags")
