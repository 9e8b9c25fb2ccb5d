"""`harness calibrate`: from measured calls to a latency profile."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from harness.calibrate.calls import MeasuredCall
from harness.calibrate.goodness import Interval
from harness.calibrate.model import Calibrated, Refusal, calibrate
from harness.calibrate.profile import profile_text
from harness.calibrate.sources import calls_of_file, calls_of_store
from harness.cli.exit_codes import EXIT_PASS
from harness.columns import Column, Grid
from harness.errors import HarnessError
from harness.printable import printable
from harness.store import Store
from harness.units import render


def calibrate_files(
    files: Sequence[Path], *, store: Path | None, output: Path, plot: Path | None
) -> int:
    """Fit profiles to measured calls, write them, and say how well they hold.

    Args:
        files: Cassettes and tables of calls.
        store: A store whose attempts are fitted as well.
        output: The profile that is written.
        plot: The picture that is drawn; None means none.

    Returns:
        The exit code.
    """
    if not files and store is None:
        raise HarnessError(
            "there is nothing to fit\n  How to fix: name cassettes or tables of calls, or a store with --store"
        )
    calls: list[MeasuredCall] = [call for file in files for call in calls_of_file(file)]
    if store is not None:
        calls += calls_of_store(Store(store))
    calibrated, refused = calibrate(calls)
    _write(output, profile_text(calibrated, refused).encode())
    _print(calibrated)
    for fitted in calibrated:
        for note in fitted.notes:
            click.echo(printable(f"{fitted.name}: {note}"))
    measured: list[Calibrated | Refusal] = [*calibrated, *refused]
    for one in measured:
        for kind, share in one.errors.items():
            click.echo(printable(f"{one.name}: {share.value:.1%} of {one.calls:,} calls failed with {kind}, {share.low:.1%} to {share.high:.1%}"))  # fmt: skip
    for refusal in refused:
        click.echo(printable(f"not fitted: {refusal}"), err=True)
    if plot is not None:
        from harness.calibrate.plot import plot_png

        _write(plot, plot_png(calibrated))
    click.echo(
        printable(
            f"wrote {output}; a scenario takes it as latency: {{profile: {output.name}}}, and as faults: [{{profile: {output.name}}}]"
        )
    )
    return EXIT_PASS


def _print(calibrated: Sequence[Calibrated]) -> None:
    from rich.console import Console

    grid = Grid(
        [
            Column("model", "name"),
            Column("calls"),
            Column("mean"),
            Column("p50"),
            Column("p95"),
            Column("p99"),
            Column("fit p"),
            Column("draws", "words"),
        ]
    )
    for one in calibrated:
        grid.add(
            one.name,
            str(len(one.measured.tokens)),
            *(_shown(interval) for interval in one.quantities.values()),
            f"{one.goodness.p_value:.3f}",
            "whole calls" if one.draws_whole_calls else "fit",
        )
    grid.print(Console(file=sys.stdout))


def _shown(of: Interval) -> str:
    return f"{render('latency_s', of.value)}\n{of.low:.3g}-{of.high:.3g}"


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise HarnessError(f"cannot write {file}: {error.strerror or error}") from None
