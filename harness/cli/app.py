"""What can be typed: commands, options, exit codes. What they do is in the siblings, imported when they are called.

Exit codes: 0 pass, 1 a budget or the gate failed, 2 usage or a wrong file, 3 nothing to compare with, 4 undecided, 70 a
bug of ours; 130 and 143 when interrupted, 141 when nobody reads what is printed.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NoReturn

import click

from harness.errors import HarnessError
from harness.units import SEED_MAX

DEFAULT_STORE = "harness.duckdb"

COUNT_MAX = 10**9
"""The largest number of anything that can be asked for; more would not fit where it is counted."""

EXIT_PASS = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
EXIT_TERMINATED = 143
"""128 and the number of the signal, as shells have it."""

Format = Literal["table", "json", "markdown", "junit", "github"]

_Path = click.Path(path_type=Path)

_store = click.option(
    "--store",
    type=_Path,
    default=DEFAULT_STORE,
    envvar="HARNESS_STORE",
    show_default=True,
    help="The DuckDB file that keeps the runs; also from HARNESS_STORE.",
)
_format = click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)


def run(arguments: Sequence[str]) -> int:
    """Do what a command line says.

    Args:
        arguments: The words after `harness`.

    Returns:
        The exit code.
    """
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = cli.main(args=list(arguments), prog_name="harness", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:  # click's name for Ctrl-C
        click.echo("interrupted; the runs that were done are stored", err=True)
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except HarnessError as error:
        click.echo(_message(error), err=True)
        return EXIT_USAGE
    except (BrokenPipeError, SystemExit) as error:
        # Whoever read our output has had enough, as `head` does; click and rich make an exit with 1 of it.
        if isinstance(error, SystemExit) and error.code != 1:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still in it
        return EXIT_BROKEN_PIPE
    except Exception:  # noqa: BLE001 - the last place that can say that this is our fault, and what to do
        traceback.print_exc()
        click.echo("\nThis is a bug in harness. Please report it with the lines above.", err=True)
        return EXIT_BUG
    return code if isinstance(code, int) else EXIT_PASS


def printable(text: str) -> str:
    """A text from outside, without the control characters that would move somebody's cursor; lines stay lines."""
    return "".join(
        char if char.isprintable() or char == "\n" or unicodedata.category(char) == "Zs" else "?"
        for char in text
    )


def _message(error: HarnessError) -> str:
    return printable("\n".join([f"error: {error}", *getattr(error, "__notes__", [])]))


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(EXIT_TERMINATED)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="multiagent-harness", prog_name="harness")
def cli() -> None:
    """Deterministic simulation testing for multi-agent LLM systems.

    \b
    harness init                             write a first scenario
    harness simulate scenarios/hello.yaml    simulate it, and keep the runs
    harness show                             look into the last run
    """  # noqa: D301 - click means the very character by it


@cli.command()
@click.argument("file", type=_Path)
@click.option(
    "--runs",
    type=click.IntRange(min=1, max=COUNT_MAX),
    help="How many runs; the scenario says so otherwise.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=SEED_MAX),
    help="The first seed; the scenario says so otherwise.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change the scenario; may be repeated.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1, max=COUNT_MAX),
    help="Processes; as many as are worth it otherwise.",
)
@_store
@_format
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def simulate(
    file: Path,
    runs: int | None,
    seed: int | None,
    overrides: tuple[str, ...],
    jobs: int | None,
    store: Path,
    output: str,
    quiet: bool,  # noqa: FBT001 - click passes options by name
) -> int:
    """Simulate a scenario, keep the runs, and print what came out.

    Runs differ in their seed alone: the same scenario and seed give the same run on any machine. Exits with 1 if a
    budget of the scenario does not hold.
    """
    from harness.cli.simulate import simulate_file

    return simulate_file(
        file,
        runs=runs,
        seed=seed,
        overrides=overrides,
        jobs=jobs,
        store=store,
        output="" if quiet else output,
    )


@cli.command()
@click.argument("file", type=_Path)
@click.option("--port", type=click.IntRange(0, 65535), default=8123, show_default=True)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address; loopback by default."
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Virtual seconds in a real one.",
)
@_store
def serve(file: Path, port: int, host: str, speed: float, store: Path) -> int:
    """Serve a scenario's providers on a real socket, for programs in other languages and for a look with curl."""
    from harness.cli.serve import serve_file

    return serve_file(file, host=host, port=port, speed=speed, store=store)


_runs = click.option(
    "--runs", type=click.IntRange(min=1, max=COUNT_MAX), help="How many seeds at most."
)
_seed = click.option("--seed", type=click.IntRange(min=0, max=SEED_MAX), help="The first seed.")
_limit = click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=CHANGE",
    help="How much worse a metric may become, such as cost_usd_mean=1%; may be repeated.",
)


@cli.command()
@click.argument("file", type=_Path)
@click.option("--baseline", type=_Path, help="Compare with this file; see `harness baseline`.")
@click.option("--base", metavar="REF", help="Compare with the same files of this commit.")
@_limit
@_runs
@_seed
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json", "markdown", "junit", "github"]),
    default="table",
    show_default=True,
)
@click.option(
    "--no-baseline",
    type=click.Choice(["pass", "fail"]),
    default="pass",
    show_default=True,
    help="What a baseline that is not there yet means.",
)
def gate(
    file: Path,
    baseline: Path | None,
    base: str | None,
    limits: tuple[str, ...],
    runs: int | None,
    seed: int | None,
    output: Format,
    no_baseline: Literal["pass", "fail"],
) -> int:
    """Compare a scenario, and the program it runs, with how it was before.

    Both sides meet the same seeds, so that a change of one percent is seen and chance raises no alarm. Exits with 1 if a
    metric became worse than allowed or a budget fails, with 3 if nothing could be compared, with 4 if it is undecided.
    """
    from harness.cli.gate import gate_file

    return gate_file(
        file,
        baseline=baseline,
        base=base,
        limits=limits,
        runs=runs,
        seed=seed,
        output=output,
        no_baseline=no_baseline,
    )


@cli.command()
@click.argument("base", metavar="BASE")
@click.argument("candidate", metavar="CAND")
@_limit
@click.option("--scenario", help="Which scenario to compare, when the sides hold several.")
@click.option(
    "--engine",
    type=click.Choice(["simulated", "wall-clock"]),
    default="simulated",
    show_default=True,
    help="What moved time in the runs; a seed decides nothing in real time, so those are not paired.",
)
@_store
@click.option(
    "--format",
    "output",
    type=click.Choice(["table", "json", "markdown", "junit", "github"]),
    default="table",
    show_default=True,
)
def compare(
    base: str,
    candidate: str,
    limits: tuple[str, ...],
    scenario: str | None,
    engine: str,
    store: Path,
    output: Format,
) -> int:
    """Compare runs that are there already: the candidate's with the base's, seed by seed.

    Each side is a run (12), several runs (1-8,11), a store (old.duckdb), runs of a store (old.duckdb:1-8) or a baseline
    file (baselines/x.json). Exit codes are those of `harness gate`.
    """
    from harness.cli.compare import compare_sides

    return compare_sides(
        base,
        candidate,
        limits=limits,
        scenario=scenario,
        engine=engine.replace("-", " "),
        store=store,
        output=output,
    )


@cli.group()
def baseline() -> None:
    """Save and show the numbers that `harness gate` compares with."""


@baseline.command("save")
@click.argument("file", type=_Path)
@click.option("-o", "--output", "target", type=_Path, required=True, help="The file to write.")
@click.option("--reason", default="", help="Why this is the baseline; needed when there is one.")
@_limit
@_runs
@_seed
def baseline_save(
    file: Path,
    target: Path,
    reason: str,
    limits: tuple[str, ...],
    runs: int | None,
    seed: int | None,
) -> int:
    """Simulate FILE, and make its numbers the baseline; commit the file that is written."""
    from harness.cli.gate import save_file

    return save_file(file, runs=runs, seed=seed, target=target, reason=reason, limits=limits)


@baseline.command("show")
@click.argument("file", type=_Path)
def baseline_show(file: Path) -> int:
    """Print what a baseline holds."""
    from harness.cli.gate import show_file

    return show_file(file)


@cli.command()
@click.argument("files", type=_Path, nargs=-1, required=True)
def validate(files: tuple[Path, ...]) -> int:
    """Check scenario files, and everything that they refer to, without running them."""
    from harness.cli.files import validate_files

    return validate_files(files)


@cli.command()
@click.option("--reference", is_flag=True, help="As a page of Markdown instead.")
def schema(reference: bool) -> int:  # noqa: FBT001 - click passes options by name
    """Print the JSON Schema of scenario files, for editors."""
    from harness.cli.files import print_schema

    return print_schema(as_reference=reference)


@cli.command()
@click.argument("folder", type=_Path, default=".")
def init(folder: Path) -> int:
    """Write a first scenario and its stub into FOLDER; nothing is overwritten."""
    from harness.cli.files import write_first_scenario

    return write_first_scenario(folder)


@cli.command()
@_store
@click.option("--scenario", help="Only runs of this scenario.")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=COUNT_MAX),
    default=30,
    show_default=True,
    help="Only the last so many.",
)
@_format
def runs(store: Path, scenario: str | None, limit: int, output: str) -> int:
    """List the runs in a store, the last first."""
    from harness.cli.inspect import list_runs

    return list_runs(store, scenario=scenario, limit=limit, output=output)


@cli.command()
@click.argument(
    "run_id", metavar="[RUN]", type=click.IntRange(min=1, max=COUNT_MAX), required=False
)
@_store
@click.option("--task", type=click.IntRange(min=1, max=COUNT_MAX), help="Only this task.")
@click.option(
    "--tasks",
    type=click.IntRange(min=0),
    default=3,
    show_default=True,
    help="Draw the spans of so many tasks.",
)
@_format
def show(run_id: int | None, store: Path, task: int | None, tasks: int, output: str) -> int:
    """Show one run: its tasks, and their spans as a tree. The last run if none is named.

    With --format json it prints one span a line, in the order of their numbers.
    """
    from harness.cli.inspect import show_run

    return show_run(store, run_id, task=task, tasks=tasks, output=output)


@cli.command()
@click.option("--metric", required=True, metavar="NAME", help="Such as latency_s_p95.")
@click.option("--scenario", help="Only runs of this scenario.")
@_store
@click.option(
    "--last",
    type=click.IntRange(min=1, max=COUNT_MAX),
    help="Only the last so many versions of each scenario.",
)
@_format
def history(metric: str, scenario: str | None, store: Path, last: int | None, output: str) -> int:
    """Show a metric over the stored runs and versions, and the first commit at which it changed.

    Runs of the same scenario, harness and commit are one line. Values are compared seed for seed with those before.
    """
    from harness.cli.history import print_history

    return print_history(store, metric=metric, scenario=scenario, last=last, output=output)
