"""`harness baseline save` without a scenario."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Cli = Callable[..., CompletedProcess[str]]

SAVE = ("baseline", "save", "--runs", "2")


@pytest.fixture(autouse=True)
def _two_scenarios() -> None:
    """Move the scenario to a folder, beside another."""
    Path("scenarios").mkdir()
    text = Path("scenario.yaml").read_text(encoding="utf-8")
    Path("scenario.yaml").rename("scenarios/first.yaml")
    Path("scenarios/second.yml").write_text(text.replace("base", "second"), "utf-8")


def test_the_scenario_of_the_newest_run_is_taken(harness: Cli) -> None:
    for name in ("first.yaml", "second.yml"):
        assert harness("simulate", f"scenarios/{name}", "--quiet").returncode == 0
    done = harness(*SAVE)
    assert (done.returncode, done.stdout) == (0, "saved 2 runs of second in baselines/second.json\n")  # fmt: skip


def test_newest_run_of_a_file_that_is_gone_is_passed_over(harness: Cli) -> None:
    assert harness("simulate", "scenarios/second.yml", "--quiet").returncode == 0
    Path("scenarios/second.yml").unlink()
    assert harness(*SAVE).stdout == "saved 2 runs of base in baselines/first.json\n"


def test_without_runs_it_is_the_only_one_in_the_folder(harness: Cli) -> None:
    Path("scenarios/second.yml").unlink()
    assert harness(*SAVE).stdout == "saved 2 runs of base in baselines/first.json\n"
    assert not Path("harness.duckdb").exists()


def test_several_are_named_in_one_message(harness: Cli) -> None:
    done = harness(*SAVE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "scenarios/first.yaml\n  scenarios/second.yml\n  How to fix: name one" in done.stderr


def test_none_is_one_message(harness: Cli) -> None:
    for file in Path("scenarios").iterdir():
        file.unlink()
    done = harness(*SAVE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "none stands in scenarios/" in done.stderr
