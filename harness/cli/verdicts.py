"""Print the result of a comparison in the requested format."""

from __future__ import annotations

import os
from pathlib import Path

import click

from harness.cli.options import Format
from harness.cli.tables import console
from harness.errors import HarnessError
from harness.gate import GateResult
from harness.gate.output import as_annotations, as_json, as_junit, as_markdown, print_result


def print_verdict(result: GateResult, output: Format, *, file: str = "") -> None:
    """Print the result, and add it to the job summary in GitHub Actions.

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


def _append(page: Path, text: str) -> None:
    try:
        with page.open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise HarnessError(
            f"cannot write the summary {page}: {error.strerror or error}\n"
            "  How to fix: GITHUB_STEP_SUMMARY names a file that can be written, or unset it"
        ) from error
