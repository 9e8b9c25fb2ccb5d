"""A metric that does not exist is refused wherever it is named, with the name that was meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness import HarnessError
from harness.gate import parse_limit
from harness.gate.by_test import options_of
from harness.metrics import no_such_metric
from harness.run import Simulation

Cli = Callable[..., CompletedProcess[str]]

SIMULATE = ("simulate", "scenario.yaml", "--quiet", "--runs", "1")
BUDGET = ("--set", "budgets.{}.below=3")
GATE = ("--set", "gate.{}.percent=3")
LIMIT = ("--limit", "{}=3%")

COMMANDS = {
    "budget": (*SIMULATE, *BUDGET),
    "gate of the file": (*SIMULATE, *GATE),
    "gate": ("gate", "scenario.yaml", "--baseline", "b.json", *LIMIT),
    "compare": ("compare", "1", "2", *LIMIT),
    "baseline": ("baseline", "save", "scenario.yaml", *LIMIT),
    "history": ("history", "--metric", "{}"),
    "bakeoff": ("bakeoff", "scenario.yaml", *BUDGET),
    "whatif": ("whatif", "scenario.yaml", *BUDGET),
}

MEANT = {
    "latency_p95": "latency_s_p95",
    "latency": "latency_s_mean",
    "cost": "cost_usd_mean",
    "sucess_rate": "success_rate",
}


@pytest.mark.parametrize(("wrong", "meant"), MEANT.items(), ids=MEANT)
@pytest.mark.parametrize("command", COMMANDS)
def test_commands_suggest_the_metric_that_was_meant(
    harness: Cli, command: str, wrong: str, meant: str
) -> None:
    if command == "compare":
        assert harness("simulate", "scenario.yaml", "--quiet", "--runs", 2).returncode == 0
    done = harness(*(word.format(wrong) for word in COMMANDS[command]))
    assert done.returncode == 2
    assert f"there is no metric {wrong!r}; did you mean {meant!r}?" in done.stderr


@pytest.mark.parametrize(("wrong", "meant"), MEANT.items(), ids=MEANT)
def test_python_suggests_the_metric_that_was_meant(wrong: str, meant: str) -> None:
    outcome = Simulation(Path("scenario.yaml")).run_many(runs=1)
    says = f"there is no metric '{wrong}'; did you mean '{meant}'"
    for metrics in (outcome.metrics, outcome.agents["writer"]):
        with pytest.raises(KeyError, match=says):
            metrics[wrong]
        assert metrics.get(wrong) is None
        assert wrong not in metrics
    with pytest.raises(HarnessError, match=says):
        parse_limit(f"{wrong}=5%")
    with pytest.raises(HarnessError, match=says):
        options_of({wrong: "5%"})


def test_metric_that_was_not_measured_is_told_from_one_that_does_not_exist() -> None:
    outcome = Simulation(Path("scenario.yaml")).run_many(runs=1)
    with pytest.raises(KeyError, match="quality_mean was not measured"):
        outcome.metrics["quality_mean"]


def test_what_is_like_no_metric_is_told_all_of_them() -> None:
    assert no_such_metric("xyz").startswith("there is no metric 'xyz'; known are latency_s_mean, ")
