"""Nothing is held for ever: a lock or a permit that a task took and that nobody gave back when it ended."""

from __future__ import annotations

from harness.explore.properties.api import Context, Failure


def leak(context: Context) -> Failure | None:
    """A lock or permit that is still held when the program has ended well, and is given back in the passing run."""
    if context.now.error is not None:
        return None
    for held in context.now.leaks:
        if held not in context.passing.leaks:
            return Failure("leak", held)
    return None
