"""What all taps share: how a tap is made for a connection, and when there is nothing real to record."""

from __future__ import annotations

from harness.kernel.current_world import this_thread
from harness.recording.tap import Sink, Tap

_PORTS = {"http": 80, "https": 443}


def tap_of(sink: Sink, scheme: str, host: object, port: object) -> Tap:
    """The tap of a new connection.

    Args:
        sink: Who is told.
        scheme: `http` or `https`.
        host: Where it leads.
        port: The port; None for the usual one.
    """
    host = host.decode("ascii") if isinstance(host, bytes) else str(host)
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return Tap(sink, scheme, host if port in (None, _PORTS[scheme]) else f"{host}:{port}")


def is_simulated() -> bool:
    """Whether a run simulates what this thread does; then there is nothing real to record."""
    return this_thread.world is not None or this_thread.network is not None
