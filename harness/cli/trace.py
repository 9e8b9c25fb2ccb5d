"""`harness trace`: export stored runs as traces for other tools."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from harness.cli.exit_codes import EXIT_FAILED, EXIT_PASS
from harness.cli.run_ids import id_ranges, named_runs
from harness.errors import HarnessError, StoreError
from harness.printable import printable
from harness.store import Store, queries
from harness.trace.chrome import chrome_text
from harness.trace.names import GEN_AI
from harness.trace.openinference import OPEN_INFERENCE
from harness.trace.otlp import otlp_bodies, otlp_text
from harness.trace.post import post
from harness.trace.run import TracedRun
from harness.trace.stored import stored_runs

_VOCABULARIES: Final = {"otlp": GEN_AI, "openinference": OPEN_INFERENCE}

_STDOUT: Final = Path("-")

_OPEN: Final = {
    "chrome": "open it at https://ui.perfetto.dev",
    "otlp": "Jaeger opens it: Search, Upload",
    "openinference": "for Phoenix, send it through an OpenTelemetry collector with --endpoint",
}
"""What to do with a file of each format."""


def trace_runs(
    words: Sequence[str],
    *,
    form: str | None,
    target: Path | None,
    endpoint: str | None,
    task: int | None,
    store: Path,
) -> int:
    """Write runs of a store as a trace, or send them to a collector.

    Args:
        words: The runs, each as `run_ids.RUNS` says; none means the last run.
        form: `chrome`, `otlp` or `openinference`; None means what fits where it goes.
        target: The file to write, or `-` for standard output; None means a file by the runs' name.
        endpoint: The collector to send to instead.
        task: Only this task; None means all.
        store: Where the runs are.

    Returns:
        The exit code: 1 when the collector has rejected some spans.
    """
    kept = Store(store)
    wanted = _wanted(words, kept)
    runs: Iterable[TracedRun] = stored_runs(kept, wanted)
    if task is not None:
        runs = [
            _part(run, task) for run in runs
        ]  # small, and all are there before anything is written
    if endpoint is not None:
        if target is not None or form == "chrome":
            what = "-o writes a file" if target is not None else "collectors take no Chrome traces"
            raise HarnessError(
                f"--endpoint sends a trace, and {what}\n  How to fix: leave one of them out"
            )
        return _send(endpoint, runs, form or "otlp")
    form = form or "chrome"
    text = chrome_text(runs) if form == "chrome" else otlp_text(runs, _VOCABULARIES[form])
    if target is None:
        target = _file_name(wanted)
    if target == _STDOUT:
        sys.stdout.writelines(text)
        return EXIT_PASS
    _write(target, text)
    click.echo(printable(f"wrote {target}; {_OPEN[form]}"))
    return EXIT_PASS


def write_trace(store: Store, run_ids: Sequence[int], target: Path) -> None:
    """Write a Chrome trace of some runs of a store into a file."""
    _write(target, chrome_text(stored_runs(store, run_ids)))


def _wanted(words: Sequence[str], store: Store) -> list[int]:
    """The runs that the command line names, ascending."""
    if not words:
        latest = queries.latest_run_id(store)
        if latest is None:
            raise StoreError(
                f"the store {store.path} holds no runs\n"
                "  How to fix: write some with `harness simulate FILE --store ...`, or name another store"
            )
        return [latest]
    return named_runs(words, [row["run_id"] for row in queries.runs(store)], store)


def _part(run: TracedRun, task: int) -> TracedRun:
    """The part of a run that is about one task."""
    part = run.of_task(task)
    if not len(part.spans):
        numbers = sorted(set(run.spans["task"]))
        held = f"it has tasks {id_ranges(numbers)}" if numbers else "it has none"
        raise StoreError(f"run {run.run_id} has no task {task}\n  How to fix: {held}")
    return part


def _file_name(run_ids: Sequence[int]) -> Path:
    first, last = run_ids[0], run_ids[-1]
    return Path(f"run-{first}.trace.json" if first == last else f"runs-{first}-{last}.trace.json")


def _write(target: Path, text: Iterable[str]) -> None:
    """Write a file elsewhere first, so that there is never half a trace under its name."""
    try:
        with tempfile.TemporaryDirectory(prefix=".harness-", dir=target.parent) as elsewhere:
            draft = Path(elsewhere, "trace.json")
            with draft.open("w", encoding="ascii") as file:
                file.writelines(text)
            draft.replace(target)
    except OSError as error:
        raise HarnessError(
            f"cannot write {target}: {error.strerror or error}\n"
            "  How to fix: name a file in a folder that you may write to"
        ) from error


def _send(endpoint: str, runs: Iterable[TracedRun], form: str) -> int:
    sent = post(endpoint, otlp_bodies(runs, _VOCABULARIES[form]))
    said = printable(sent.message).replace("\n", " ")
    if sent.rejected:
        click.echo(f"the collector rejected {sent.rejected:,} of {sent.spans:,} spans: {said or 'no reason given'}", err=True)  # fmt: skip
        return EXIT_FAILED
    if said:
        click.echo(f"the collector says: {said}", err=True)
    click.echo(f"sent {sent.spans:,} spans")
    return EXIT_PASS
