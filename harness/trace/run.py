"""The data of a run that trace writers need."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.spans import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedRun:
    """One scenario executed with one seed, wherever it comes from."""

    run_id: int | None
    """Its number in its store; None while it is in none."""
    scenario: str
    """Name of the scenario."""
    scenario_hash: str
    """Of all that determines the run but its seed."""
    seed: int
    """The one integer that all randomness of the run derives from."""
    status: str
    """Whether the work was `done`, or the `horizon` was reached before."""
    harness_version: str
    """The harness that ran it."""
    commit_id: str
    """The git commit of the scenario's folder; "" without git."""
    spans: Table
    """With `SPAN_COLUMNS`."""
    events: Table
    """With `EVENT_COLUMNS`."""

    def of_task(self, task: int) -> TracedRun:
        """The part of the run that is about one task; empty if there is no such task."""
        return replace(self, spans=_of_task(self.spans, task), events=_of_task(self.events, task))


def _of_task(table: Table, task: int) -> Table:
    part = Table(table.columns)
    rows = [row for number, row in zip(table["task"], table.rows(), strict=True) if number == task]
    if rows:
        part.extend(*map(list, zip(*rows, strict=True)))
    return part
