"""`harness serve`: the simulated providers of a scenario, on a real socket."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import click

from harness.cli.exit_codes import EXIT_PASS
from harness.errors import HarnessError
from harness.printable import printable
from harness.run.record import record
from harness.run.serving import serve_scenario
from harness.scenario import load_scenario
from harness.store import Store


def serve_file(file: Path, *, host: str, port: int, speed: float, store: Path) -> int:
    """Serve a scenario until it is interrupted, then store the run."""
    scenario = load_scenario(file)
    keeper = Store(store)
    keeper.write([])  # tells early whether it can be written

    def ready(actual_port: int) -> None:
        url = f"http://{host}:{actual_port}"
        click.echo(printable(f"serving {scenario.spec.scenario} at {url}; stop with Ctrl-C"))
        click.echo(f"  ANTHROPIC_BASE_URL={url}  OPENAI_BASE_URL={url}/v1")

    def tell(line: str) -> None:
        click.echo(printable(line), err=True)

    try:
        result = serve_scenario(scenario, host=host, port=port, speed=speed, ready=ready, tell=tell)
    except OSError as error:
        raise HarnessError(
            f"cannot listen at {host}:{port}: {error.strerror or error}\n"
            "  How to fix: choose another port with --port, or 0 for any that is free"
        ) from None
    command = shlex.join(["harness", "serve", str(file), "--speed", f"{speed:g}"])
    (run_id,) = keeper.write([dataclasses.replace(record(scenario, result), command=command)])
    calls = sum(mine.calls for mine in result.tally.agents.values())
    click.echo(
        printable(
            f"\n{calls} calls; stored as run {run_id} in {store}; look into it with: harness show"
        )
    )
    return EXIT_PASS
