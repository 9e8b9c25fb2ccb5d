"""`harness simulate`: what it prints, what it keeps, and with what it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from harness.metrics import AGENT_METRICS, METRICS
from harness.run import Simulation
from harness.store import Store, queries

Cli = Callable[..., CompletedProcess[str]]

STORE = "harness.duckdb"
UNKNOWN_PRICE = "models.fast={provider: anthropic, name: made-up, latency: {ttft_s: 1}}"


def stored_runs(store: str = STORE) -> list[dict[str, Any]]:
    return queries.runs(Store(store))


def with_stub(says: str) -> tuple[str, str]:
    """Write what the writer says, and give the words that make the scenario use it."""
    Path("replies.yaml").write_text(f"agents:\n  writer: {says}\n", encoding="utf-8")
    return "--set", "agents.writer.stub=replies.yaml"


# -- exit codes and what is said --------------------------------------------------------------------


def test_run_that_keeps_its_budgets_passes(harness: Cli) -> None:
    result = harness("simulate", "scenario.yaml")
    assert (result.returncode, result.stderr) == (0, "")
    assert "base: 1 run (seed 1), 4 tasks measured" in result.stdout
    assert "FAIL" not in result.stdout


def test_broken_budget_fails_and_is_said(harness: Cli) -> None:
    budget = "budgets.latency_s_p95={below: 0.5}"
    result = harness("simulate", "scenario.yaml", "--set", budget)
    assert (result.returncode, result.stderr) == (1, "")
    (line,) = [line for line in result.stdout.splitlines() if "FAIL" in line]
    assert line.split()[0] == "latency_s_p95"
    assert "below 0.5" in line
    assert len(stored_runs()) == 1


def test_budget_on_the_bound_is_decided_by_its_word(harness: Cli) -> None:
    for bound, code in {"at_least": 0, "above": 1, "at_most": 0, "below": 1}.items():
        budget = f"budgets={{calls_mean: {{{bound}: 2}}}}"
        assert harness("simulate", "scenario.yaml", "--set", budget).returncode == code, bound


def test_metric_that_was_not_measured_fails_its_budget(harness: Cli) -> None:
    budget = "budgets={quality_mean: {at_least: 0}}"
    result = harness("simulate", "scenario.yaml", "--set", budget)
    assert result.returncode == 1
    (line,) = [line for line in result.stdout.splitlines() if "FAIL" in line]
    assert "not measured" in line
    report = json.loads(
        harness("simulate", "scenario.yaml", "--set", budget, "--format", "json").stdout
    )
    assert report["budgets"] == [
        {"metric": "quality_mean", "value": None, "limit": {"at_least": 0}, "passed": False}
    ]
    assert report["passed"] is False


def test_run_in_which_nothing_was_measured_fails(harness: Cli) -> None:
    words = ("--set", "workload={arrivals: {at_s: [0]}, warmup_tasks: 1}", "--set", "budgets={}")
    result = harness("simulate", "scenario.yaml", *words)
    assert result.returncode == 1
    assert "No task was measured, so nothing was tested." in result.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Usage: harness"),
        (("frobnicate",), "No such command 'frobnicate'"),
        (("simulate",), "Missing argument 'FILE'"),
        (("simulate", "scenario.yaml", "--runs", "0"), "0 is not in the range 1<=x<=1000000000"),
        (("simulate", "scenario.yaml", "--runs", "many"), "'many' is not a valid integer range"),
        (("simulate", "scenario.yaml", "--seed", "-1"), "-1 is not in the range"),
        (("simulate", "scenario.yaml", "--seed", "9" * 30), "is not in the range"),
        (("simulate", "scenario.yaml", "--jobs", "0"), "0 is not in the range 1<=x<=1000000000"),
        (("simulate", "scenario.yaml", "--format", "xml"), "'xml' is not one of 'table', 'json'"),
        (("simulate", "scenario.yaml", "--sed", "5"), "No such option '--sed'"),
        (("simulate", "scenario.yaml", "other.yaml"), "unexpected extra argument (other.yaml)"),
        (("show", "0"), "0 is not in the range 1<=x<=1000000000"),
        (("validate",), "Missing argument 'FILES...'"),
    ],
)
def test_wrong_words_are_refused(harness: Cli, words: tuple[str, ...], says: str) -> None:
    result = harness(*words)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr
    assert not Path(STORE).exists()


def test_help_and_version_are_no_errors(harness: Cli) -> None:
    for words in (("--help",), ("-h",), ("simulate", "--help"), ("--version",)):
        result = harness(*words)
        assert (result.returncode, result.stderr) == (0, "")
        assert "harness" in result.stdout
        assert "\\b" not in result.stdout


def test_store_that_cannot_be_written_is_told_before_the_work(harness: Cli) -> None:
    Path("folder").mkdir()
    for store in ("folder", "/proc/nowhere/runs.duckdb"):
        result = harness("simulate", "scenario.yaml", "--store", store)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.startswith("error: ")
        assert "Traceback" not in result.stderr


def test_bug_of_ours_says_so(harness: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("harness.cli.simulate.load_scenario", broken)
    result = harness("simulate", "scenario.yaml")
    assert result.returncode == 70
    assert "ZeroDivisionError" in result.stderr
    assert "This is a bug in harness. Please report it" in result.stderr


# -- JSON -------------------------------------------------------------------------------------------


def test_json_has_the_documented_keys_and_nothing_else(harness: Cli) -> None:
    result = harness("simulate", "scenario.yaml", "--runs", "3", "--seed", "5", "--format", "json")
    assert (result.returncode, result.stderr) == (0, "")
    report = json.loads(result.stdout)
    assert set(report) == {
        "scenario", "seed", "runs", "run_ids", "store", "metrics", "agents", "budgets", "notes", "passed",
    }  # fmt: skip
    assert (report["scenario"], report["seed"], report["runs"]) == ("base", 5, 3)
    assert (report["run_ids"], report["store"]) == ([1, 2, 3], STORE)
    assert report["passed"] is True
    assert set(report["metrics"]) <= set(METRICS)
    assert set(report["agents"]) == {"writer", "editor"}
    assert all(set(mine) <= set(AGENT_METRICS) for mine in report["agents"].values())
    (budget,) = report["budgets"]
    assert set(budget) == {"metric", "value", "limit", "passed"}
    assert budget["value"] == report["metrics"]["success_rate"]


def test_json_is_what_the_python_face_says(harness: Cli) -> None:
    report = json.loads(
        harness("simulate", "scenario.yaml", "--runs", "3", "--format", "json").stdout
    )
    outcome = Simulation("scenario.yaml").run_many(runs=3)
    assert report["metrics"] == outcome.metrics
    assert report["agents"] == outcome.agents
    assert report["notes"] == list(outcome.notes)


def test_metrics_come_in_the_order_in_which_they_are_documented(harness: Cli) -> None:
    report = json.loads(harness("simulate", "scenario.yaml", "--format", "json").stdout)
    assert list(report["metrics"]) == [name for name in METRICS if name in report["metrics"]]


def test_cost_without_prices_is_absent_and_noted(harness: Cli) -> None:
    words = ("simulate", "scenario.yaml", "--set", UNKNOWN_PRICE)
    report = json.loads(harness(*words, "--format", "json").stdout)
    everything = {
        *report["metrics"],
        *(name for mine in report["agents"].values() for name in mine),
    }
    assert not [name for name in everything if "cost" in name]
    assert "latency_s_mean" in everything
    assert [
        note for note in report["notes"] if "The price of model 'fast' (made-up) is unknown" in note
    ]
    table = harness(*words).stdout
    assert "cost" not in table.partition("note: ")[0]
    assert "note: The price of model 'fast' (made-up) is unknown" in table
    assert "$" not in harness("show").stdout


def test_cost_of_zero_is_not_the_same_as_no_cost(harness: Cli) -> None:
    free = UNKNOWN_PRICE.replace(
        "}}", "}, prices: {input_usd_per_mtok: 0, output_usd_per_mtok: 0}}"
    )
    report = json.loads(
        harness("simulate", "scenario.yaml", "--set", free, "--format", "json").stdout
    )
    assert report["metrics"]["cost_usd_mean"] == 0
    assert not [note for note in report["notes"] if "price" in note]


def test_fault_that_met_nobody_fails_and_agent_that_did_nothing_is_noted(harness: Cli) -> None:
    changes = (
        "pattern={single: {agent: writer}}",
        "faults=[{hang: {agent: editor}}, {hang: {agent: writer, call: 1, for_s: 1}}]",
    )
    words = [word for change in changes for word in ("--set", change)]
    result = harness("simulate", "scenario.yaml", *words, "--format", "json")
    assert result.returncode == 1
    report = json.loads(result.stdout)
    unmet, idle = report["notes"]
    assert unmet.startswith("Fault 1 (hang) never met an attempt.")
    assert idle == "Never called: editor."


def test_horizon_that_cuts_tasks_is_noted(harness: Cli) -> None:
    result = harness("simulate", "scenario.yaml", "--set", "horizon_s=5.1", "--runs", "2")
    assert "note: 2 of 2 runs reached the horizon of 5.1 s with tasks left" in result.stdout


# -- options ----------------------------------------------------------------------------------------


def test_quiet_prints_nothing_and_still_tells_by_the_exit_code(harness: Cli) -> None:
    passed = harness("simulate", "scenario.yaml", "--quiet")
    assert (passed.returncode, passed.stdout, passed.stderr) == (0, "", "")
    budget = "budgets.latency_s_p95={below: 0.5}"
    failed = harness("simulate", "scenario.yaml", "--quiet", "--format", "json", "--set", budget)
    assert (failed.returncode, failed.stdout, failed.stderr) == (1, "", "")
    wrong = harness("simulate", "scenario.yaml", "--quiet", "--set", "runs=0")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "runs: must be" in wrong.stderr
    assert len(stored_runs()) == 2


def test_runs_and_seed_come_from_the_scenario_unless_they_are_given(harness: Cli) -> None:
    own = ("--set", "runs=2", "--set", "seed=40")
    harness("simulate", "scenario.yaml", "--quiet", *own)
    harness("simulate", "scenario.yaml", "--quiet", *own, "--runs", "1")
    harness("simulate", "scenario.yaml", "--quiet", *own, "--seed", "7")
    assert [run["seed"] for run in stored_runs()] == [40, 41, 40, 7, 8]


def test_run_ids_go_on_from_the_last(harness: Cli) -> None:
    first = json.loads(
        harness("simulate", "scenario.yaml", "--runs", "2", "--format", "json").stdout
    )
    second = json.loads(
        harness("simulate", "scenario.yaml", "--runs", "2", "--format", "json").stdout
    )
    assert (first["run_ids"], second["run_ids"]) == ([1, 2], [3, 4])


def test_store_may_come_from_the_environment(harness: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_STORE", "elsewhere/runs.duckdb")
    result = harness("simulate", "scenario.yaml")
    assert "harness show 1 --store elsewhere/runs.duckdb" in result.stdout
    assert len(stored_runs("elsewhere/runs.duckdb")) == 1
    assert not Path(STORE).exists()
    harness("simulate", "scenario.yaml", "--store", "given.duckdb", "--quiet")
    assert len(stored_runs("given.duckdb")) == 1


def test_replay_command_gives_the_same_run(harness: Cli) -> None:
    import shlex

    Path("my scenario.yaml").write_text(Path("scenario.yaml").read_text())
    change = "workload.kinds[0].text='a b; c'"
    printed = harness("simulate", "my scenario.yaml", "--runs", "2", "--set", change).stdout
    (line,) = [line for line in printed.splitlines() if line.startswith("to replay one: ")]
    program, *words = shlex.split(line.removeprefix("to replay one: "))
    assert program == "harness"
    assert harness(*words).returncode == 0
    assert [run["seed"] for run in stored_runs()] == [1, 2, 2]
    spans = [queries.spans(Store(STORE), run_id) for run_id in (2, 3)]
    assert [{**span, "run_id": 0} for span in spans[0]] == [
        {**span, "run_id": 0} for span in spans[1]
    ]


def test_long_commands_are_printed_in_one_line(harness: Cli) -> None:
    change = f"description={'long ' * 60}"
    result = harness("simulate", "scenario.yaml", "--set", change)
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("to replay one: ")]
    assert line.endswith("long '")


# -- stubs ------------------------------------------------------------------------------------------


def test_reply_that_no_run_asked_for_is_an_error_that_names_the_switch(harness: Cli) -> None:
    words = with_stub("{replies: [used, never used]}")
    result = harness("simulate", "scenario.yaml", "--runs", "2", *words)
    assert result.returncode == 2
    assert "replies.yaml:2: no call of agent 'writer' asked for 'never used'" in result.stderr
    assert "allow_unused: true" in result.stderr
    assert "2 runs" in result.stdout
    assert len(stored_runs()) == 2


def test_reply_that_one_of_the_runs_asked_for_is_used(harness: Cli) -> None:
    rules = "{rules: [{prompt: 'work 4', reply: last}, {reply: others}]}"
    result = harness("simulate", "scenario.yaml", *with_stub(rules))
    assert (result.returncode, result.stderr) == (0, "")


def test_switch_allows_unused_replies(harness: Cli) -> None:
    words = with_stub("{replies: [used, never used], allow_unused: true}")
    result = harness("simulate", "scenario.yaml", *words)
    assert (result.returncode, result.stderr) == (0, "")


def test_script_that_runs_out_is_an_error_that_names_the_switch(harness: Cli) -> None:
    stages = ("--set", "pattern.pipeline.stages=[writer, writer]")
    result = harness("simulate", "scenario.yaml", *stages, *with_stub("{replies: [only]}"))
    assert (result.returncode, result.stdout) == (2, "")
    assert "the replies of agent 'writer' ran out" in result.stderr
    assert "when_exhausted: repeat" in result.stderr
    assert "To replay: harness simulate scenario.yaml --seed 1 --runs 1" in result.stderr
    for switch in ("repeat", "cycle"):
        words = with_stub(f"{{replies: [only], when_exhausted: {switch}}}")
        assert harness("simulate", "scenario.yaml", *stages, *words).returncode == 0


def test_prompt_that_no_rule_answers_is_an_error_that_says_what_to_do(harness: Cli) -> None:
    words = with_stub("{rules: [{prompt: '*moon*', reply: tides}]}")
    result = harness("simulate", "scenario.yaml", *words)
    assert result.returncode == 2
    assert "no reply of agent 'writer' matches the prompt 'work 1'" in result.stderr
    assert "add a rule without `prompt` at the end" in result.stderr


def test_runs_before_the_one_that_failed_are_stored(harness: Cli) -> None:
    Path("answers_of_simulate.py").write_text(
        "from pathlib import Path\n"
        "calls = Path('calls')\n"
        "def answer(request):\n"
        "    with calls.open('a') as file:\n"  # a file is not undone between runs, as state in a module is
        "        file.write('.')\n"
        "    return 'fine' if calls.stat().st_size <= 10 else None\n",
        encoding="utf-8",
    )
    stub = "agents.writer.stub=answers_of_simulate:answer"
    result = harness("simulate", "scenario.yaml", "--runs", "9", "--jobs", "1", "--set", stub)
    assert (result.returncode, result.stdout) == (2, "")
    assert (
        "stub answers_of_simulate:answer for agent 'writer': expected a reply (got None)"
        in result.stderr
    )
    assert "--seed 3 --runs 1" in result.stderr
    assert [run["seed"] for run in stored_runs()] == [1, 2]
    for run in stored_runs():
        spans = queries.spans(Store(STORE), run["run_id"])
        assert sum(span["kind"] == "task" for span in spans) == run["tasks"] == 4


def test_function_answers_with_what_it_is_asked(harness: Cli) -> None:
    Path("answers_of_echo.py").write_text(
        "from harness.models import Reply\n"
        "def answer(request):\n"
        "    assert request.agent == 'writer'\n"
        "    return Reply(request.prompt.upper())\n",
        encoding="utf-8",
    )
    words = ("--set", "agents.writer.stub=answers_of_echo:answer")
    assert harness("simulate", "scenario.yaml", *words).returncode == 0


def test_a_budget_that_does_not_hold_says_why(harness: Cli) -> None:
    budget = ("--set", "budgets.latency_s_p95={below: 0.1}")
    result = harness("simulate", "scenario.yaml", *budget)
    assert result.returncode == 1
    assert "latency_s_p95: The slowest tasks take " in result.stdout
    found = json.loads(harness("simulate", "scenario.yaml", *budget, "--format", "json").stdout)
    why = {it["metric"]: it.get("why") for it in found["budgets"]}
    assert why["latency_s_p95"].startswith("The slowest tasks take ")
    assert why["success_rate"] is None


def test_numbers_of_all_tasks_are_told_apart_from_those_of_one_run(harness: Cli) -> None:
    assert "metric (all tasks)" in harness("simulate", "scenario.yaml", "--runs", 2).stdout
    assert "(all tasks)" not in harness("simulate", "scenario.yaml", "--runs", 1).stdout


def test_long_work_is_announced_after_the_first_run(
    harness: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.cli.duration._LONG_WALL_S", 1e-9)
    result = harness("simulate", "scenario.yaml", "--runs", 3, "--jobs", 1)
    assert result.stderr.startswith("3 runs take about ")
    assert harness("simulate", "scenario.yaml", "--runs", 3, "--quiet").stderr == ""
    assert harness("simulate", "scenario.yaml", "--runs", 1).stderr == ""


@pytest.mark.parametrize(("runs", "words"), [(1, "this run takes about "), (3, "3 runs take about ")])  # fmt: skip
def test_long_run_is_announced_by_its_first_tasks(
    harness: Cli, monkeypatch: pytest.MonkeyPatch, runs: int, words: str
) -> None:
    monkeypatch.setattr("harness.cli.duration._LONG_WALL_S", 1e-9)
    monkeypatch.setattr("harness.cli.duration._LOOK_WALL_S", 0.0)
    command = ("simulate", "scenario.yaml", "--runs", runs, "--set", "workload.tasks=50", "--set", "workload.warmup_tasks=0")  # fmt: skip
    result = harness(*command, "--jobs", 1)
    assert result.stderr.startswith(words)
    assert f", by the first 2 of {50 * runs} tasks\n" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert harness(*command, "--quiet").stderr == ""
