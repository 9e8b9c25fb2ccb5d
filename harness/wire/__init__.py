"""Bytes: simulated servers at the other end of the real HTTP clients of a program.

Read `server.py` for the life of a request, `api.py` for what an API is, `network.py` for how clients get here.
"""

from __future__ import annotations

from harness.wire import aiohttp_seam, httpcore_seam, urllib_seam, websocket_seam
from harness.wire.network import Seam, connected, network_here

SEAMS: tuple[Seam, ...] = (
    *httpcore_seam.SEAMS,
    *aiohttp_seam.SEAMS,
    *urllib_seam.SEAMS,
    *websocket_seam.SEAMS,
)
"""Every way by which clients reach the network."""

__all__ = ["SEAMS", "Seam", "connected", "network_here"]
