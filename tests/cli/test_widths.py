"""Every table at 60, 80 and 120 columns, on a terminal and piped: no line is too long, and no number is cut."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from rich.cells import cell_len

from harness import Memory, Simulation
from harness.run.record import record
from harness.store import Store

Cli = Callable[..., CompletedProcess[str]]

LONG = "security-reviewer-of-everything"

COMMANDS = {
    "simulate": ("simulate", "scenario.yaml", "--runs", "3", "--store", "other.duckdb"),
    "runs": ("runs",),
    "show": ("show", "2"),
    "show task": ("show", "2", "--task", "2"),
    "compare": ("compare", "1-4", "5-8"),
    "gate": ("gate", "scenario.yaml", "--baseline", "b.json", "--set", "agents.editor.output_tokens=900"),
    "history": ("history",),
    "simulate for customers": ("simulate", "customers.yaml", "--runs", "3", "--store", "other.duckdb"),
    "show resumed": ("show", "--store", "resumed.duckdb"),
    "bakeoff": ("bakeoff", "bakeoff.yaml", "--runs", "2", "--store", "other.duckdb"),
    "baseline": ("baseline", "show", "b.json"),
    "whatif": ("whatif", "scenario.yaml", "--runs", "2"),
    "whatif one": ("whatif", "scenario.yaml", "--runs", "2", "--faster", "editor=20%"),
}  # fmt: skip

NUMBER = re.compile(r"(?<![\w.…])[$+-]?\d[\d,]*(?:\.\d+)?%?(?![\w.…])")
"""A number that stands alone, as people read it."""

COPIED = ("stored as", "to replay")
"""Lines that hold a command are not folded, so that it can be copied."""


@pytest.fixture
def stored(harness: Cli) -> None:
    """Runs 1-4 with a long name and many digits, 5-8 that are slower, a baseline of the first, and a run that was resumed."""
    text = Path("scenario.yaml").read_text(encoding="utf-8").replace("writer", LONG)
    Path("scenario.yaml").write_text(text.replace("every_s: 5", "every_s: 54321.5"), "utf-8")
    teams = f"bakeoff: {{{LONG}: {{pipeline: {{stages: [{LONG}, editor]}}}}, single: {{agent: editor}}}}"
    one_way = text.partition("pattern:")[0] + "policies:" + text.partition("policies:")[2]
    Path("bakeoff.yaml").write_text(one_way + teams, "utf-8")
    kinds = f"{{kind: work, customer: {LONG}, priority: 2, "
    Path("customers.yaml").write_text(text.replace("{kind: work, ", kinds), "utf-8")
    simulation, storage = Simulation("scenario.yaml", keep_texts=True), Memory()
    simulation.run(1, checkpoint=storage, stop_at_event=30)
    resumed = simulation.run(1, checkpoint=storage)
    Store(Path("resumed.duckdb")).write([record(simulation.scenario, resumed)])
    simulate = ("simulate", "scenario.yaml", "--quiet", "--runs", "4")
    assert harness(*simulate).returncode == 0
    assert harness(*simulate, "--set", "agents.editor.output_tokens=900").returncode == 0
    assert harness("baseline", "save", "scenario.yaml", "-o", "b.json").returncode == 0


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("command", COMMANDS)
def test_tables_fit_and_numbers_are_whole(
    harness: Cli, monkeypatch: pytest.MonkeyPatch, command: str, columns: int
) -> None:
    piped = harness(*COMMANDS[command]).stdout
    assert "…" not in piped
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    shown = re.sub(r"\x1b\[[\d;]*m", "", harness(*COMMANDS[command]).stdout)
    lines = [line for line in shown.splitlines() if not line.startswith(COPIED)]
    assert max(map(cell_len, lines)) <= columns, shown
    left_out = "left out at this width" in shown
    for line in piped.splitlines():
        for number in [] if line.startswith(COPIED) or left_out else NUMBER.findall(line):
            assert number in shown, f"{number} is not whole:\n{shown}"


@pytest.mark.usefixtures("stored")
def test_a_pipe_is_not_folded_whatever_columns_says(
    harness: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = harness("runs").stdout
    monkeypatch.setenv("COLUMNS", "60")
    assert harness("runs").stdout == wide
