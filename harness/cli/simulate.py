"""`harness simulate`: run a scenario, store the runs, print the results."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from harness.cli.duration import Announcement
from harness.cli.exit_codes import EXIT_FAILED, EXIT_PASS
from harness.json_types import JsonObject
from harness.printable import printable
from harness.run import Outcome, Results, RunResult, default_jobs, simulate_each
from harness.run.keep import Keeping, write
from harness.run.many import whole
from harness.run.record import record
from harness.scenario import LoadedScenario, load_scenario
from harness.store import RunRecord, Store

_TASKS_WORTH_A_BAR = 5_000
"""Less takes about a second, which is too short for a progress bar."""


def simulate_file(
    file: Path,
    *,
    runs: int | None,
    seed: int | None,
    overrides: Sequence[str],
    jobs: int | None,
    store: Path,
    output: str,
    otel: bool = False,
    keep_texts: bool = False,
) -> int:
    """Simulate a scenario file.

    Args:
        file: The scenario.
        runs: How many runs; None means as many as the scenario says.
        seed: The first seed; None means the scenario's.
        overrides: Changes to the scenario, each as `path=value`.
        jobs: How many processes; None means as many as are worth it.
        store: Where the runs are kept.
        output: `table`, `json`, or nothing at all.
        otel: Whether traces of the runs are exported.
        keep_texts: Whether the store keeps prompts and replies.

    Returns:
        The exit code.
    """
    scenario = dataclasses.replace(load_scenario(file, overrides=overrides), keep_texts=keep_texts)
    seeds = scenario.spec.seeds(first=seed, runs=runs)
    kept = Store(store)
    write(kept, [])  # tells now, and not after the work, when it cannot be written
    results = Results(scenario)
    jobs = default_jobs(scenario, len(seeds)) if jobs is None else min(jobs, len(seeds))
    with (
        _traces(wanted=otel) as export,
        _progress(scenario, len(seeds), wanted=output == "table") as advance,
    ):
        announce = Announcement(len(seeds), jobs, scenario.spec.workload.tasks) if output else None

        def take(result: RunResult) -> None:
            if announce is not None:
                announce(result)
            results.add(result)
            run = record(scenario, result)
            keeping.add(run)
            export(run)
            advance()

        with Keeping(kept) as keeping:
            on_task_end = None if announce is None else announce.task_ended
            simulate_each(take, whole, scenario, seeds, jobs=jobs, on_task_end=on_task_end)
        run_ids = keeping.run_ids
    outcome = results.outcome()
    if output and not all(budget.passed for budget in outcome.budgets):
        outcome = _explained(outcome, kept, run_ids, scenario.spec.workload.warmup_tasks)
    if output == "json":
        results.check_stubs()
        print(json.dumps(_as_json(scenario, seeds[0], outcome, run_ids, store), indent=2))  # noqa: T201 - a command prints
    elif output == "table":
        from harness.cli.tables import print_outcome

        print_outcome(scenario, seeds, outcome, run_ids, store)
    results.check_stubs()
    return EXIT_PASS if outcome.passed else EXIT_FAILED


def _explained(
    outcome: Outcome, store: Store, run_ids: Sequence[int], warmup_tasks: int
) -> Outcome:
    """The outcome with the reason why budgets do not hold, from the spans that were stored."""
    from harness.metrics.because import because
    from harness.report.contents import Side

    with store.reading():
        spans = list(Side(store, tuple(run_ids)).spans.values())
    budgets = tuple(
        budget
        if budget.passed
        else dataclasses.replace(
            budget, why=because(spans, budget.metric, warmup_tasks=warmup_tasks)
        )
        for budget in outcome.budgets
    )
    return dataclasses.replace(outcome, budgets=budgets)


@contextmanager
def _traces(*, wanted: bool) -> Iterator[Callable[[RunRecord], None]]:
    """Gives the function that exports a run; tells at the end what could not be exported."""
    if not wanted:
        yield lambda _: None
        return
    from harness.trace.live import LiveExport
    from harness.trace.stored import recorded

    live = LiveExport()
    try:
        yield lambda run: live.export(recorded(run))
    finally:
        live.close()
        for warning in live.warnings:
            click.echo(printable(warning), err=True)


@contextmanager
def _progress(
    scenario: LoadedScenario, runs: int, *, wanted: bool
) -> Iterator[Callable[[], object]]:
    """A bar on the terminal, for work that takes a while; gives the function that moves it by one run."""
    tasks = scenario.spec.workload.tasks or _TASKS_WORTH_A_BAR
    if not wanted or runs == 1 or tasks * runs < _TASKS_WORTH_A_BAR or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        job = bar.add_task("runs", total=runs)
        yield lambda: bar.advance(job)


def _as_json(
    scenario: LoadedScenario, seed: int, outcome: Outcome, run_ids: list[int], store: Path
) -> JsonObject:
    failures = [dataclasses.asdict(failure) for failure in outcome.failures]
    return {
        "scenario": scenario.spec.scenario,
        "seed": seed,
        "runs": outcome.runs,
        "run_ids": run_ids,
        "store": str(store),
        "metrics": outcome.metrics,
        "agents": outcome.agents,
        **({"customers": outcome.customers} if outcome.customers else {}),
        "budgets": [
            {
                "metric": budget.metric,
                "value": budget.value,
                "limit": budget.limit.bounds(),
                "passed": budget.passed,
                **({"why": budget.why} if budget.why else {}),
            }
            for budget in outcome.budgets
        ],
        "notes": [*outcome.problems, *outcome.notes],
        "passed": outcome.passed,
        **({"failures": failures} if failures else {}),
    }
