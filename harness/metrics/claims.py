"""What the events of claims say: which outputs hold claims, and how many of those are false."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.spans import CLAIMS, Table


@dataclass(slots=True)
class ClaimTally:
    """The claims in the outputs of some tasks."""

    outputs: int = 0
    """Outputs of tasks in which claims were made; 0 where there are none, so that there is nothing to say of them."""
    contaminated: int = 0
    """Outputs that hold a false claim."""
    qualities: array[float] = field(default_factory=lambda: array("d"))
    """Of each output that holds claims: the share that is true."""

    def add(self, other: ClaimTally) -> None:
        """Count another tally in."""
        self.outputs += other.outputs
        self.contaminated += other.contaminated
        self.qualities.extend(other.qualities)


def tally_claims(events: Table, warmup_tasks: int = 0) -> ClaimTally:
    """Count what one run's events say.

    Args:
        events: The events of the run.
        warmup_tasks: How many of the first tasks are left out.
    """
    found = ClaimTally()
    if CLAIMS not in events.texts:
        return found
    for name, task, detail in events.rows("name", "task", "detail"):
        if name != CLAIMS or task <= warmup_tasks:
            continue
        said = json.loads(detail)
        found.outputs += 1
        found.contaminated += said["false"] > 0
        if said["claims"]:
            found.qualities.append(1 - said["false"] / said["claims"])
    return found


def of_claims(tallies: Iterable[ClaimTally]) -> dict[str, float]:
    """The metrics of some tallies; empty where nothing was claimed."""
    total = ClaimTally()
    for one in tallies:
        total.add(one)
    if not total.outputs:
        return {}
    found = {"contaminated_rate": total.contaminated / total.outputs}
    if total.qualities:
        found["quality_mean"] = math.fsum(total.qualities) / len(total.qualities)
    return found
