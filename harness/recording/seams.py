"""Put taps into the HTTP clients of this process.

Like the seams of `harness/wire`, they are at the connection, so that a client's own
pool, parser and retries stay.
"""

from __future__ import annotations

from contextlib import ExitStack

from harness.recording.aiohttp_taps import AiohttpTaps
from harness.recording.http_client_taps import HttpClientTaps
from harness.recording.httpcore_taps import HttpcoreTaps
from harness.recording.tap import Sink
from harness.wire.network import Seam, put_in_now_or_later


def put_in(sink: Sink) -> ExitStack:
    """Put taps into the clients of this process, now or as soon as they are imported; closing takes them out."""
    stack = ExitStack()
    seams: tuple[Seam, ...] = (
        HttpcoreTaps(sink, "httpcore"),
        HttpcoreTaps(sink, "httpcore2"),
        HttpClientTaps(sink),
        AiohttpTaps(sink),
    )
    for seam in seams:
        put_in_now_or_later(seam, stack)
    return stack
