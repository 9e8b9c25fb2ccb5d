"""Ways to the network."""

from __future__ import annotations

import socket

from tests.isolation.way import Way

WAYS = (
    Way(
        what="`socket.create_connection`",
        outcome="refused",
        program=lambda _: socket.create_connection(("example.com", 443)),
        names="example.com:443",
    ),
)
