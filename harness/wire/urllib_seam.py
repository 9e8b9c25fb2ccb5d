"""The seams under `http.client` (and so urllib) and under urllib3 (and so requests): how a connection is opened.

`connect` is public in both; `_new_conn` of urllib3 is private (`harness/private_names.py`).
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from harness.errors import UnknownHost
from harness.private_names import URLLIB3, check_private_names
from harness.virtual.apart import Empty, always, emptied, set_apart
from harness.wire.memory_socket import MemorySocket
from harness.wire.network import Network, network_here

_TIMED_OUT_IN_TLS = "The read operation timed out"


def _opened(network: Network, client: Any, **rest: Any) -> MemorySocket:  # noqa: ANN401 - an HTTPConnection
    """A connection to where a client wants to go.

    Raises:
        UnknownHost: The host is not simulated.
    """
    found = network.connect(client.host, client.port)
    if isinstance(found, UnknownHost):
        raise found
    timeout_s = client.timeout
    if not isinstance(timeout_s, int | float | None):  # the client's word for "as usual"
        timeout_s = socket.getdefaulttimeout()
    return MemorySocket(found, network.kernel, timeout_s, **rest)


class HttpClientSeam:
    """`http.client`."""

    module = "http.client"

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Replace the way to open a connection."""
        plain, tls = module.HTTPConnection, module.HTTPSConnection
        real, real_tls = plain.connect, tls.connect

        def connect(self: Any) -> None:  # noqa: ANN401 - theirs
            network = network_here()
            if network is None:
                real(self)
                return
            words = {"timed_out": _TIMED_OUT_IN_TLS} if isinstance(self, tls) else {}
            self.sock = _opened(network, self, **words)
            if self._tunnel_host:
                self._tunnel()

        def connect_tls(self: Any) -> None:  # noqa: ANN401 - theirs
            (real_tls if network_here() is None else connect)(self)

        plain.connect, tls.connect = connect, connect_tls

        def put_back() -> None:
            plain.connect, tls.connect = real, real_tls

        return put_back


class Urllib3Seam:
    """urllib3."""

    module = "urllib3.connection"

    def put_in(self, module: ModuleType) -> Callable[[], None]:
        """Replace the way to open a connection."""
        check_private_names(URLLIB3)
        plain, tls = module.HTTPConnection, module.HTTPSConnection
        real, real_tls = plain._new_conn, tls.connect  # noqa: SLF001 - see above

        def new_conn(self: object) -> Any:  # noqa: ANN401 - theirs
            network = network_here()
            if network is None:
                return real(self)
            return _opened(network, self, not_connected=lambda error: _wrapped(module, self, error))

        def connect_tls(self: Any) -> None:  # noqa: ANN401 - theirs
            if network_here() is None:
                real_tls(self)
                return
            plain.connect(self)
            wanted = module.resolve_cert_reqs(self.cert_reqs)
            self.is_verified = wanted == ssl.CERT_REQUIRED or bool(self.assert_fingerprint)

        plain._new_conn, tls.connect = new_conn, connect_tls  # noqa: SLF001 - see above

        def put_back() -> None:
            plain._new_conn, tls.connect = real, real_tls  # noqa: SLF001 - see above

        return put_back


def _wrapped(module: ModuleType, client: Any, error: OSError) -> Exception:  # noqa: ANN401 - an HTTPConnection
    """What urllib3 makes of an error for which no connection comes about."""
    if isinstance(error, ssl.SSLError):
        return error
    if isinstance(error, socket.gaierror) and hasattr(module, "NameResolutionError"):  # not in 1.26
        unresolved: Exception = module.NameResolutionError(client.host, client, error)
        return unresolved
    if isinstance(error, TimeoutError):
        late: Exception = module.ConnectTimeoutError(client, f"Connection timed out: {error}")
        return late
    refused: Exception = module.NewConnectionError(
        client, f"Failed to establish a new connection: {error}"
    )
    return refused


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
    HttpClientSeam(),
    Urllib3Seam(),
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
