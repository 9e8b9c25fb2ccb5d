"""What can be typed: commands, options, exit codes. What they do is in the siblings, imported when they are called.

Exit codes: 0 pass, 1 a budget or the gate failed, 2 usage, a wrong file, or output that cannot be written, 3 nothing to
compare with, 4 undecided, 70 a bug of ours; 129, 130 and 143 when interrupted, 141 when the output is closed.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import click

from harness.cli.calibrating import calibrate
from harness.cli.comparing import bakeoff, baseline, compare, gate, history
from harness.cli.exit_codes import (
    EXIT_BROKEN_PIPE,
    EXIT_BUG,
    EXIT_INTERRUPTED,
    EXIT_PASS,
    EXIT_USAGE,
)
from harness.cli.live_options import live_options, live_options_of
from harness.cli.options import COUNT_MAX, PATH, format_option, set_option, store_option
from harness.cli.process import interruption, own_process, say, why_no_output
from harness.cli.recording import cassette, record
from harness.cli.searching import explore
from harness.cli.showing import audit, export, import_, report, trace, whatif
from harness.cli.sweeping import sweep
from harness.errors import HarnessError
from harness.printable import printable
from harness.units import SEED_MAX


def run(arguments: Sequence[str]) -> int:
    """Do what a command line says.

    Args:
        arguments: The words after `harness`.

    Returns:
        The exit code.
    """
    with own_process():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        code = cli.main(args=list(arguments), prog_name="harness", standalone_mode=False)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt):  # the first is click's name for it
        say("interrupted; the runs that were done are stored")
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        return EXIT_USAGE
    except HarnessError as error:
        say(_message(error))
        return EXIT_USAGE
    except BrokenPipeError:  # the reader of our output has closed it, as `head` does
        return EXIT_BROKEN_PIPE
    except SystemExit as error:
        # Click and rich make an exit with 1 of a broken pipe; others are signals.
        return EXIT_BROKEN_PIPE if error.code == 1 else cast("int", error.code)
    except Exception as error:  # noqa: BLE001 - the last place that can say that this is our fault, and what to do
        return _unexpected(error)
    return code if isinstance(code, int) else EXIT_PASS


def _unexpected(error: Exception) -> int:
    match interruption(error):
        case SystemExit(code=int(code)):
            return code
        case KeyboardInterrupt():
            return EXIT_INTERRUPTED
    if isinstance(error, OSError) and (reason := why_no_output()) is not None:
        say(f"error: cannot write to the standard output: {reason}")
        return EXIT_USAGE
    say("".join(traceback.format_exception(error)))
    say("This is a bug in harness. Please report it with the lines above.")
    return EXIT_BUG


def _message(error: HarnessError) -> str:
    return printable("\n".join([f"error: {error}", *getattr(error, "__notes__", [])]))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="multiagent-harness", prog_name="harness")
def cli() -> None:
    """Deterministic simulation testing for multi-agent LLM systems.

    \b
    harness init                             write a first scenario
    harness simulate scenarios/hello.yaml    simulate it, and keep the runs
    harness show                             look into the last run
    harness report                           draw what was simulated last
    """  # noqa: D301 - click means the very character by it


@cli.command()
@click.argument("file", type=PATH)
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
@set_option
@click.option(
    "--jobs",
    type=click.IntRange(min=1, max=COUNT_MAX),
    help="Processes; as many as are worth it otherwise.",
)
@store_option
@format_option
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--otel", is_flag=True, help="Export traces as the OTEL_* variables say.")
@click.option(
    "--keep-texts",
    is_flag=True,
    help="Keep prompts and replies too, without secrets; reports show them.",
)
@live_options
def simulate(
    file: Path,
    runs: int | None,
    seed: int | None,
    overrides: tuple[str, ...],
    jobs: int | None,
    store: Path,
    output: str,
    quiet: bool,  # noqa: FBT001 - click passes options by name
    otel: bool,  # noqa: FBT001 - likewise
    keep_texts: bool,  # noqa: FBT001 - likewise
    **live: Any,  # noqa: ANN401 - the options of live runs
) -> int:
    """Simulate a scenario, keep the runs, and print what came out.

    Runs differ in their seed alone: the same scenario and seed give the same run on any machine. Exits with 1 if a
    budget of the scenario does not hold. With --live the same pattern runs on the real clock against the real APIs, and
    spends money.
    """
    from harness.cli.simulate import simulate_file

    options = live_options_of(live)
    if options is not None:
        from harness.cli.live import simulate_live

        return simulate_live(
            file,
            runs=runs,
            seed=seed,
            overrides=overrides,
            store=store,
            output="" if quiet else output,
            keep_texts=keep_texts,
            options=options,
        )

    return simulate_file(
        file,
        runs=runs,
        seed=seed,
        overrides=overrides,
        jobs=jobs,
        store=store,
        output="" if quiet else output,
        otel=otel,
        keep_texts=keep_texts,
    )


@cli.command()
@click.argument("file", type=PATH)
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
@store_option
def serve(file: Path, port: int, host: str, speed: float, store: Path) -> int:
    """Serve a scenario's providers on a real socket, for programs in other languages and for a look with curl."""
    from harness.cli.serve import serve_file

    return serve_file(file, host=host, port=port, speed=speed, store=store)


@cli.command()
@click.argument("file", type=PATH)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=SEED_MAX),
    help="The seed to check; the scenario's first otherwise.",
)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="PATH=VALUE",
    help="Change the scenario; may be repeated.",
)
@click.option("--digest", type=PATH, hidden=True)
def check(file: Path, seed: int | None, overrides: tuple[str, ...], digest: Path | None) -> int:
    """Check that one seed gives one execution, in this process and in others.

    Runs it twice in this process, twice in fresh ones under one hash seed, and once under another, and compares prompts,
    replies, tool arguments and spans. Exits with 1 if they differ, and names the first difference and its probable cause.
    """
    from harness.cli.check import check_file, write_digest

    if digest is not None:
        return write_digest(file, seed=seed, overrides=overrides, to=digest)
    return check_file(file, seed=seed, overrides=overrides)


@cli.command()
@click.argument("files", type=PATH, nargs=-1, required=True)
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
@click.argument("folder", type=PATH, default=".")
def init(folder: Path) -> int:
    """Write a first scenario and its stub into FOLDER; nothing is overwritten."""
    from harness.cli.files import write_first_scenario

    return write_first_scenario(folder)


@cli.command()
@store_option
@click.option("--scenario", help="Only runs of this scenario.")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=COUNT_MAX),
    default=30,
    show_default=True,
    help="Only the last so many.",
)
@format_option
def runs(store: Path, scenario: str | None, limit: int, output: str) -> int:
    """List the runs in a store, the last first."""
    from harness.cli.inspect import list_runs

    return list_runs(store, scenario=scenario, limit=limit, output=output)


@cli.command()
@click.argument(
    "run_id", metavar="[RUN]", type=click.IntRange(min=1, max=COUNT_MAX), required=False
)
@store_option
@click.option("--task", type=click.IntRange(min=1, max=COUNT_MAX), help="Only this task.")
@click.option(
    "--tasks",
    type=click.IntRange(min=0),
    help="Draw the spans of the first so many tasks; the slowest and a failed one otherwise.",
)
@click.option(
    "--by",
    type=click.Choice(
        ["agent", "customer", "kind", "model", "role", "level", "cause", "task", "coordination"]
    ),
    help="Show what it cost instead, divided so; the lines add up. Or how its agents worked together.",
)
@format_option
def show(
    run_id: int | None,
    store: Path,
    task: int | None,
    tasks: int | None,
    by: str | None,
    output: str,
) -> int:
    """Show one run: its tasks, and their spans as a tree. The last run if none is named.

    With --format json it prints one span a line, in the order of their numbers.
    """
    from harness.cli.account import show_account
    from harness.cli.inspect import show_run

    if by == "coordination":
        from harness.cli.coordination import show_coordination

        return show_coordination(store, run_id, output=output)
    if by is not None:
        return show_account(store, run_id, by=by, output=output)

    return show_run(store, run_id, task=task, tasks=tasks, output=output)


for _command in (
    audit,
    record,
    calibrate,
    cassette,
    explore,
    gate,
    baseline,
    compare,
    bakeoff,
    sweep,
    history,
    report,
    whatif,
    trace,
    export,
    import_,
):
    cli.add_command(_command)
