"""The times of two timelines in columns of one width, so that lines are equal where the runs are."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TIMES = re.compile(r" *(\S+) -> +(\S+)(?=  )")


def in_columns(*timelines: Sequence[str]) -> list[list[str]]:
    """The lines of timelines, with the times in columns as wide as the widest of them all.

    Each timeline alone is as wide as its own longest time, so a run that takes 10 s has other blanks than one that takes 9 s.
    """
    times = [match.groups() for lines in timelines for match in map(_TIMES.match, lines) if match]
    width = max((len(time) for pair in times for time in pair), default=0)

    def padded(match: re.Match[str]) -> str:
        return f"{match[1]:>{width}} -> {match[2]:>{width}}"

    return [[_TIMES.sub(padded, line, count=1) for line in lines] for lines in timelines]


def times_of(line: str) -> tuple[float, ...]:
    """When what a line tells of began and ended [virtual s]; without the end of what is still open."""
    match = _TIMES.match(line)
    return tuple(float(time) for time in match.groups() if time != "open") if match else ()
