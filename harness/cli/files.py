"""`harness validate`, `schema` and `init`: scenario files without running them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import click

from harness.cli.exit_codes import EXIT_PASS, EXIT_USAGE
from harness.errors import HarnessError, ScenarioError
from harness.printable import printable
from harness.scenario import load_scenario
from harness.scenario.json_schema import json_schema
from harness.scenario.reference import reference

_SCHEMA = "scenarios/scenario.schema.json"
"""What an editor checks a scenario with; the first line of the scenario names it."""

_FIRST_FILES = ("scenarios/hello.yaml", "stubs/hello.yaml", _SCHEMA)


def validate_files(files: Sequence[Path]) -> int:
    """Check scenario files separately; the exit code is 0 if all are valid."""
    wrong = 0
    for file in files:
        try:
            scenario = load_scenario(file)
        except HarnessError as error:
            wrong += 1
            click.echo(printable(f"error: {error}"), err=True)
        else:
            agents = len(scenario.spec.agents)
            click.echo(printable(f"{file}: ok, {scenario.spec.scenario} with {agents} agents"))
    return EXIT_USAGE if wrong else EXIT_PASS


def print_schema(*, as_reference: bool) -> int:
    """Print the JSON Schema or the reference of scenario files."""
    click.echo(
        reference() if as_reference else json.dumps(json_schema(), indent=2), nl=not as_reference
    )
    return EXIT_PASS


def write_first_scenario(folder: Path) -> int:
    """Write a first scenario; all of its files or none."""
    templates = resources.files("harness.cli").joinpath("first")
    written: list[Path] = []
    try:
        for name in _FIRST_FILES:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as file:
                written.append(target)
                file.write(
                    json.dumps(json_schema(), indent=2) + "\n"
                    if name == _SCHEMA
                    else templates.joinpath(name).read_text(encoding="utf-8")
                )
    except OSError as error:
        for target in written:
            target.unlink()
        raise ScenarioError(
            f"{error.filename or folder}: {error.strerror or error}; nothing was written"
        ) from None
    click.echo(printable(f"wrote {', '.join(str(target) for target in written)}"))
    click.echo(printable(f"next: harness simulate {shlex.quote(str(written[0]))}"))
    return EXIT_PASS
