"""What the events of shared state say: lost updates, values that were out of date when they were used, conflicts."""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.spans import STATE_CONFLICT, STATE_READ, STATE_WRITE, Table

_NAMES = frozenset({STATE_READ, STATE_WRITE, STATE_CONFLICT})


@dataclass(slots=True)
class StateTally:
    """What happened to the shared state of some tasks."""

    events: int = 0
    """Reads, writes and conflicts; 0 when no state is shared, so that there is nothing to say of it."""
    lost_updates: int = 0
    """Updates that were overwritten by a writer that had not read them."""
    stale_reads: int = 0
    """Writes that took effect although the value had changed since the writer read it."""
    conflicts: int = 0
    """Writes that were refused because the value had changed."""

    def add(self, other: StateTally) -> None:
        """Count another tally in."""
        self.events += other.events
        self.lost_updates += other.lost_updates
        self.stale_reads += other.stale_reads
        self.conflicts += other.conflicts


def tally_state(events: Table, warmup_tasks: int = 0) -> StateTally:
    """Count what one run's events say.

    Args:
        events: The events of the run.
        warmup_tasks: How many of the first tasks are left out.
    """
    found = StateTally()
    if not _NAMES & set(events.texts):
        return found
    for name, task, detail in events.rows("name", "task", "detail"):
        if task <= warmup_tasks or name not in _NAMES:
            continue
        found.events += 1
        found.conflicts += name == STATE_CONFLICT
        if name == STATE_WRITE:
            said = json.loads(detail)
            found.lost_updates += said["lost"]
            found.stale_reads += said["stale"]
    return found
