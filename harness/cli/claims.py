"""False claims, as `harness show` tells them: origin, cause and way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.metrics.claims_told import Noted, claims_told
from harness.printable import printable_line
from harness.store.asking import Row


def claim_lines(events: Sequence[Row], task: int | None) -> Iterator[str]:
    """What to say of the claims of a run, or of one task; nothing where nothing was claimed.

    Args:
        events: The events of the run.
        task: The task; None means all.
    """
    mine = [
        Noted(event["task"], event["agent"] or "", event["name"], event["detail"] or "")
        for event in events
        if task in (None, event["task"])
    ]
    yield from map(printable_line, claims_told(mine))
