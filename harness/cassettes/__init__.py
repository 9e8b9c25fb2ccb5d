"""Cassettes: recorded exchanges with real APIs, in the format of vcrpy, with time in them.

`cassette.py` is the data, `reading.py` and `writing.py` are the file, `scrubbing.py` keeps secrets out of it, `matching.py` finds
the recording of a request, `nearest.py` says what differs where there is none, and `said.py` reads what a reply says.
"""

from __future__ import annotations

from harness.cassettes.cassette import (
    Cassette,
    Interaction,
    RecordedRequest,
    RecordedResponse,
    Timing,
)
from harness.cassettes.errors import CassetteError
from harness.cassettes.reading import load_cassette

__all__ = [
    "Cassette",
    "CassetteError",
    "Interaction",
    "RecordedRequest",
    "RecordedResponse",
    "Timing",
    "load_cassette",
]
