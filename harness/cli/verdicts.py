"""What a comparison found, printed in the format that was asked for; and why, from the spans of both sides."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from harness.cli.options import Format
from harness.cli.tables import console
from harness.errors import HarnessError
from harness.gate import GateResult
from harness.gate.output import as_annotations, as_json, as_junit, as_markdown, print_result
from harness.gate.why import why
from harness.spans import Table
from harness.units import render


def print_verdict(result: GateResult, output: Format, *, file: str = "") -> None:
    """Print what was found, and add it to the summary of the job at GitHub if this is one.

    Args:
        result: What was found.
        output: The format.
        file: Where annotations are shown.

    Raises:
        HarnessError: The summary cannot be written.
    """
    if output == "json":
        click.echo(as_json(result), nl=False)
    elif output == "markdown":
        click.echo(as_markdown(result), nl=False)
    elif output == "junit":
        click.echo(as_junit(result), nl=False)
    else:
        print_result(result, console())
        if output == "github":
            click.echo(as_annotations(result, file=file), nl=False)
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        _append(Path(summary), as_markdown(result))


def why_lines(
    base: Sequence[Table], candidate: Sequence[Table], metric: str, *, warmup_tasks: int
) -> list[str]:
    """Say why a metric changed: a sentence, and the lines of a table; nothing if spans do not tell.

    Args:
        base: The spans of each run of the base.
        candidate: Those of the candidate, in the order of the same seeds.
        metric: The metric.
        warmup_tasks: How many of the first tasks of a run are left out.
    """
    found = why(base, candidate, metric, warmup_tasks=warmup_tasks)
    if not found.sentence or not found.rows:
        return [found.sentence] if found.sentence else []
    cells = [
        (row.kind, row.agent, row.name, render(metric, row.base), render(metric, row.candidate))
        for row in found.rows
    ]
    wide = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = [
        f"{kind:<{wide[0]}}  {agent:<{wide[1]}}  {name:<{wide[2]}}  {old:>{wide[3]}} -> {new:>{wide[4]}}"
        for kind, agent, name, old, new in cells
    ]
    return [found.sentence, *rows]


def _append(page: Path, text: str) -> None:
    try:
        with page.open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise HarnessError(
            f"cannot write the summary {page}: {error.strerror or error}\n"
            "  How to fix: GITHUB_STEP_SUMMARY names a file that can be written, or unset it"
        ) from error
