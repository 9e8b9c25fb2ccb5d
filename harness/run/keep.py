"""Write runs to a store."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harness.run.one import RunResult
from harness.run.record import record
from harness.run.undisturbed import undisturbed
from harness.scenario import LoadedScenario
from harness.store import RunRecord, Store

_SPANS_A_WRITE = 200_000
"""Runs are written together until they hold so many spans: a transaction has its price, and memory too."""


def keep(
    store: Store,
    scenario: LoadedScenario,
    runs: Iterable[RunResult],
    export: Callable[[RunRecord], None] | None = None,
) -> list[int]:
    """Write runs as they come in, whole ones only, and those that are done even if the rest never comes.

    Args:
        store: Where to.
        scenario: What was simulated.
        runs: The runs.
        export: Told of each run, for traces.

    Returns:
        The numbers of the runs in the store.
    """
    run_ids: list[int] = []
    waiting: list[RunRecord] = []
    try:
        for result in runs:
            waiting.append(record(scenario, result))
            if export is not None:
                export(waiting[-1])
            if sum(len(one.spans) for one in waiting) >= _SPANS_A_WRITE:
                run_ids += write(store, waiting)
    finally:
        if waiting:
            run_ids += write(store, waiting)
    return run_ids


def write(store: Store, waiting: list[RunRecord]) -> list[int]:
    """Write runs, and take them off the list of those that wait."""
    with undisturbed():  # DuckDB would make an error of an interruption, and the runs be lost
        run_ids = store.write(waiting)
        waiting.clear()
    return run_ids
