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


NO_PEERS = NoPeers()
