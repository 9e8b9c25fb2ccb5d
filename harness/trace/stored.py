"""Runs for traces, from a store or before they are written to one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.store import RunRecord, Store, queries
from harness.trace.run import TracedRun


def stored_runs(store: Store, run_ids: Iterable[int]) -> Iterator[TracedRun]:
    """Some runs of a store, each read when its turn comes.

    Raises:
        StoreError: One of the runs does not exist.
    """
    for run_id in run_ids:
        with (
            store.reading()
        ):  # one opening for the three questions, and none while the run is written
            row = queries.run(store, run_id)
            spans = queries.span_table(store, run_id)
            events = queries.event_table(store, run_id)
        yield TracedRun(
            run_id=run_id,
            scenario=row["scenario"],
            scenario_hash=row["scenario_hash"],
            seed=row["seed"],
            status=row["status"],
            harness_version=row["harness_version"],
            commit_id=row["commit_id"] or "",
            spans=spans,
            events=events,
        )


def recorded(record: RunRecord) -> TracedRun:
    """A run that is about to be written to a store, and has no number yet."""
    return TracedRun(
        run_id=None,
        scenario=record.scenario,
        scenario_hash=record.scenario_hash,
        seed=record.seed,
        status=record.status,
        harness_version=record.harness_version,
        commit_id=record.commit_id,
        spans=record.spans,
        events=record.events,
    )
