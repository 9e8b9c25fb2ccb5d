"""The program ends: it comes to no deadlock, and it does not go on for ever."""

from __future__ import annotations

import re

from harness.errors import Deadlock, LimitExceeded
from harness.explore.properties.api import Context, Failure

_PLACE = re.compile(r"[\w.-]+\.py:\d+")

ENDLESS = ("deadlock", "livelock")
"""The kinds of failure of a program that does not end."""


def ends(context: Context) -> Failure | None:
    """A deadlock, or a bound that was passed."""
    error = context.now.error
    if isinstance(error, Deadlock):
        report = context.now.stuck or error.report
        first = (report.strip().splitlines() or [""])[0].strip()
        return Failure("deadlock", f"nothing can ever run again: {first}", _place(report))
    if isinstance(error, LimitExceeded):
        first = str(error).splitlines()[0]
        return Failure("livelock", f"the program does not end: {first}", "", error.limit)
    return None


def _place(report: str) -> str:
    found = _PLACE.search(report)
    return found[0] if found else ""
