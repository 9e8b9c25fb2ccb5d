"""`harness validate`, `schema` and `init`: scenario files without running them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import click

from harness.cli.app import EXIT_PASS, EXIT_USAGE
from harness.errors import HarnessError, ScenarioError
from harness.scenario import json_schema, load_scenario
from harness.scenario.reference import reference

_FIRST_FILES = ("scenarios/hello.yaml", "stubs/hello.yaml")


def validate_files(files: Sequence[Path]) -> int:
    """Check scenario files, each for itself; the exit code says whether all are right."""
    wrong = 0
    for file in files:
        try:
            scenario = load_scenario(file)
        except HarnessError as error:
            wrong += 1
            click.echo(f"error: {error}", err=True)
        else:
            click.echo(
                f"{file}: ok, {scenario.spec.scenario} with {len(scenario.spec.agents)} agents"
            )
    return EXIT_USAGE if wrong else EXIT_PASS


def print_schema(*, as_reference: bool) -> int:
    """Print what a scenario file may say, for editors or for people."""
    click.echo(
        reference() if as_reference else json.dumps(json_schema(), indent=2), nl=not as_reference
    )
    return EXIT_PASS


def write_first_scenario(folder: Path) -> int:
    """Write a scenario to start from; all of it or nothing."""
    there = [name for name in _FIRST_FILES if (folder / name).exists()]
    if there:
        raise ScenarioError(f"{folder / there[0]} exists already; nothing was written")
    templates = resources.files("harness.cli").joinpath("first")
    try:
        for name in _FIRST_FILES:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(
                templates.joinpath(name).read_text(encoding="utf-8"), encoding="utf-8"
            )
    except OSError as error:
        raise ScenarioError(f"{folder}: {error.strerror or error}") from None
    click.echo(f"wrote {' and '.join(str(folder / name) for name in _FIRST_FILES)}")
    click.echo(f"next: harness simulate {folder / _FIRST_FILES[0]}")
    return EXIT_PASS
