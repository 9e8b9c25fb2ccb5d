"""`harness report`: stored runs as pages, pictures and numbers in files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from harness.cli.exit_codes import EXIT_PASS
from harness.cli.run_ids import id_ranges, named_runs
from harness.cli.trace import write_trace
from harness.errors import HarnessError
from harness.printable import printable
from harness.report import Contents, Side, write_index, write_report, write_task_page
from harness.store import Store, queries
from harness.store.asking import Row

_NAME_LENGTH_MAX: Final = 80
"""Maximum length of a file name."""

_TRACED_SPANS_MAX: Final = 50_000
"""A trace of more is 20 MB; `harness trace` writes it on request."""


def report_runs(
    words: Sequence[str],
    *,
    base: str | None,
    limits: Sequence[str],
    target: Path,
    store: Path,
) -> int:
    """Draw a report of some runs, and the index of all reports.

    Args:
        words: The runs, each as `run_ids.RUNS` says; none means those of what was simulated last.
        base: What they are compared with, as `harness compare` takes it; None means nothing.
        limits: Changes to the default limits of the comparison, each as `name=change`.
        target: The folder.
        store: Where the runs are.

    Returns:
        The exit code.

    Raises:
        HarnessError: The runs are not there, are of several scenarios, or the folder cannot be written.
    """
    kept = Store(store)
    with kept.reading():
        wanted = _wanted(words, kept)
        name = _name(wanted, base)
        side = Side(kept, wanted)
        contents = Contents(side=side) if base is None else _compared(side, base, limits, store)
        contents = replace(contents, trace=_trace(contents, name))
        files = write_report(contents, target, name)
        if contents.trace:
            write_trace(kept, [contents.shown["run_id"]], target / contents.trace)
        index = write_index(kept, target)
    click.echo(printable(f"wrote {files[0]}, {len(files) - 1} files beside it, and {index}"))
    return EXIT_PASS


def report_task(
    words: Sequence[str], task: int, *, base: str | None, target: Path, store: Path
) -> int:
    """Draw a short page of one task of one run, and the index of all reports.

    Args:
        words: The run; none means the newest.
        task: The task.
        base: What runs would be compared with; a task is compared with nothing.
        target: The folder.
        store: Where the run is.

    Returns:
        The exit code.

    Raises:
        HarnessError: There is no such run or task, several runs are named, or the folder cannot be written.
    """
    kept = Store(store)
    with kept.reading():
        wanted = _wanted(words, kept) if words else _wanted(words, kept)[-1:]
        if len(wanted) > 1 or base is not None:
            raise HarnessError(
                "--task draws one task of one run, without a base\n"
                f"  How to fix: name the run, such as: harness report {wanted[-1]} --task {task}"
            )
        files = write_task_page(kept, wanted[0], task, target)
        index = write_index(kept, target)
    click.echo(printable(f"wrote {files[0]}, {len(files) - 1} files beside it, and {index}"))
    return EXIT_PASS


def _wanted(words: Sequence[str], store: Store) -> tuple[int, ...]:
    """The runs that the command line names, ascending; each seed once if it names none."""
    rows = queries.runs(store)
    if not rows:
        raise HarnessError(
            f"the store {store.path} holds no runs\n"
            "  How to fix: write some with `harness simulate FILE --store ...`, or name another store"
        )
    if not words:
        return _last(rows)
    return tuple(named_runs(words, [row["run_id"] for row in rows], store))


def _last(rows: Sequence[Row]) -> tuple[int, ...]:
    """The runs of the version that was simulated last; of each seed the last one, as equal runs are equal."""
    latest = rows[-1]
    same = {
        row["seed"]: row["run_id"]
        for row in rows
        if (row["scenario"], row["scenario_hash"]) == (latest["scenario"], latest["scenario_hash"])
    }
    return tuple(sorted(same.values()))


def _compared(side: Side, base: str, limits: Sequence[str], store: Path) -> Contents:
    """The runs with what they are compared with; only then is the gate loaded."""
    from harness.cli.sides import StoredSide, explained, of_scenario, samples_of_side, side_of
    from harness.gate import Samples, gate, limits_of
    from harness.gate.output.page import judgement

    candidate = StoredSide(f"runs {id_ranges(side.run_ids)}", side.store, side.runs)
    old, new = of_scenario(side_of(base, store), candidate, None)
    result = explained(
        gate(samples_of_side(old, ""), samples_of_side(new, ""), limits_of(options=limits)), old, new
    )  # fmt: skip
    if isinstance(old, Samples):
        return Contents(side=side, judgement=judgement(result))
    base_ids = tuple(sorted(row["run_id"] for row in old.rows))
    return Contents(side=side, base=Side(old.store, base_ids), judgement=judgement(result))


def _trace(contents: Contents, name: str) -> str:
    """The file for the trace of the run whose course is drawn; empty if it would be long."""
    spans = contents.side.sizes[contents.shown["run_id"]]["spans"]
    return f"{name}.trace.json" if spans <= _TRACED_SPANS_MAX else ""


def _name(wanted: Sequence[int], base: str | None) -> str:
    """What the files begin with: the runs, and what they are compared with."""
    ranges = id_ranges(wanted).replace(",", "_")
    name = f"run-{ranges}" if len(wanted) == 1 else f"runs-{ranges}"
    if base is not None:
        name += "-against-" + "".join(
            it if it.isalnum() or it in "-_." else "_" for it in Path(base).name
        )
    if len(name) <= _NAME_LENGTH_MAX:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _NAME_LENGTH_MAX - 9]}-{digest}"
