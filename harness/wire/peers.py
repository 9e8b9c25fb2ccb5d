"""Hosts of a run that are no providers of models, such as MCP servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from harness.wire.http import Connection, HttpRequest

OnRequest = Callable[[Connection, HttpRequest], None]
"""Begins to answer a request."""


class Peers(Protocol):
    """Where they are."""

    @property
    def places(self) -> Sequence[str]:
        """Their hosts, each with its port."""

    def at(self, host: str, port: int) -> OnRequest | None:
        """Who answers at a host and a port; None if nobody does."""


class NoPeers:
    """None at all."""

    places: Sequence[str] = ()

    def at(self, host: str, port: int) -> OnRequest | None:
        """Nobody."""


class AllPeers:
    """Those of several kinds; the first that is at a place answers there.

    Args:
        kinds: The kinds.
    """

    def __init__(self, kinds: Sequence[Peers]) -> None:
        self._kinds = kinds

    @property
    def places(self) -> list[str]:
        """Their hosts, each with its port."""
        return [each for kind in self._kinds for each in kind.places]

    def at(self, host: str, port: int) -> OnRequest | None:
        """Who answers at a host and a port."""
        found = (kind.at(host, port) for kind in self._kinds)
        return next((each for each in found if each is not None), None)


NO_PEERS = NoPeers()
