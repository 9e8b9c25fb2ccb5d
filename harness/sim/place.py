"""Where a peer of the program is reached over HTTP."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from harness.errors import HarnessError
from harness.run.program_world import WireProvider

_PORTS = {"http": 80, "https": 443}
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - nothing is bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A URL."""

    host: str
    port: int
    path: str

    @property
    def host_and_port(self) -> str:
        """The host and the port."""
        return place(self.host, self.port)

    @classmethod
    def of(cls, what: str, url: str) -> Place:
        """The place of a URL.

        Args:
            what: What is there; for the error.
            url: The URL.

        Raises:
            HarnessError: It is none.
        """
        parts = urlsplit(str(url))
        if parts.scheme not in _PORTS or not parts.hostname:
            raise HarnessError(
                f"{what}: url is where clients connect, such as 'http://files.test/mcp' (got {url!r})"
            )
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            path=parts.path.rstrip("/") or "/",
        )


def place(host: str, port: int) -> str:
    """A host and a port; the names of this machine are one."""
    plain = host.lower().rstrip(".")
    return f"{'localhost' if plain in _THIS_MACHINE else plain}:{port}"


def check_no_provider(what: str, where: Place, providers: Iterable[WireProvider]) -> None:
    """Check that no provider has the host of a peer.

    Raises:
        HarnessError: One has.
    """
    for provider in providers:
        if where.host in provider.hosts:
            raise HarnessError(
                f"{what}: {where.host} is a host of the provider {provider.name!r}\n"
                "  How to fix: give it a host of its own"
            )


def check_free(what: str, where: Place, others: Iterable[tuple[str, Place | None]]) -> None:
    """Check that nothing else is at the host and port of a peer.

    Args:
        what: The peer; for the error.
        where: Where it is.
        others: What else there is, and where, if it is reached over HTTP.

    Raises:
        HarnessError: Something is.
    """
    for other, its in others:
        if its is not None and its.host_and_port == where.host_and_port:
            raise HarnessError(
                f"{what}: {other} is at {where.host_and_port} already\n"
                "  How to fix: give it a host or a port of its own"
            )
