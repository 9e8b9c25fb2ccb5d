"""Nothing is held for ever: a lock or a permit that a task took and that nobody gave back when it ended."""

from __future__ import annotations

from harness.explore.properties.api import Context, Failure


def leak(context: Context) -> Failure | None:
    """A lock or permit that is still held at the end, and is given back in the passing run."""
    for held in context.now.leaks:
        if held not in context.passing.leaks:
            return Failure("leak", held, "", held)
    return None
