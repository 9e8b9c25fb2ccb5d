"""The trail of a run: a rolling hash of its timeline, a byte a line, so that a replay can say where it parts from the run of its token."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence

_LINES_MAX = 96
"""So many lines are in a trail; a token shall be short."""


def trail_of(lines: Sequence[str]) -> str:
    """The trail of a timeline, as text."""
    return base64.b64encode(bytes(_rolling(lines))).decode()


def parted(trail: str, lines: Sequence[str]) -> str:
    """Where a timeline parts from that of a trail, in words; empty if it does not within the lines of the trail."""
    before = base64.b64decode(trail)
    for place, (was, now) in enumerate(zip(before, _rolling(lines), strict=False)):
        if was != now:
            return f"they part at line {place + 1} of its timeline: {lines[place]}"
    if len(before) > len(lines):
        return f"it ends after line {len(lines)} of its timeline, and the other goes on"
    if len(lines) > len(before) and len(before) < _LINES_MAX:
        return f"it goes on at line {len(before) + 1} of its timeline: {lines[len(before)]}"
    return ""


def parted_here(before: Sequence[str], now: Sequence[str]) -> str:
    """Where two timelines part, in words; empty if they do not."""
    place = common(before, now)
    was, is_ = (run[place] if place < len(run) else "nothing more" for run in (before, now))
    return "" if was == is_ else f"they part at line {place + 1}: {was!r}, then {is_!r}"


def common(before: Sequence[str], now: Sequence[str]) -> int:
    """How many lines two timelines have in common until they part."""
    place = 0
    while place < min(len(before), len(now)) and before[place] == now[place]:
        place += 1
    return place


def _rolling(lines: Sequence[str]) -> Iterator[int]:
    rolling = hashlib.blake2b(digest_size=1)
    for line in lines[:_LINES_MAX]:
        rolling.update(line.encode("utf-8", "surrogatepass") + b"\n")
        yield rolling.digest()[0]
