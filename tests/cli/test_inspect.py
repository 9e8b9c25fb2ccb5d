"""`harness runs` and `harness show`: looking into a store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness.run import Simulation
from harness.spans import as_json_lines

Cli = Callable[..., CompletedProcess[str]]

ROOT = Path(__file__).parents[2]

FAULTY = (
    "--set",
    "faults=[{hang: {agent: editor, call: 2, for_s: 2}}, {malformed: {agent: editor, call: 3}}]",
)


@pytest.fixture
def stored(harness: Cli) -> None:
    """Runs 1 and 2 of `base`, and run 3 of `other`, in which things go wrong."""
    harness("simulate", "scenario.yaml", "--quiet", "--runs", "2")
    harness("simulate", "scenario.yaml", "--quiet", "--set", "scenario=other", *FAULTY)


# -- runs -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stored")
def test_runs_are_listed_the_last_first(harness: Cli) -> None:
    result = harness("runs")
    assert (result.returncode, result.stderr) == (0, "")
    rows = [line.split()[:4] for line in result.stdout.splitlines() if "0.1.0" in line]
    assert rows == [["3", "other", "1", "4"], ["2", "base", "2", "4"], ["1", "base", "1", "4"]]


@pytest.mark.usefixtures("stored")
def test_runs_can_be_narrowed_down(harness: Cli) -> None:
    def ids(*words: str) -> list[int]:
        return [
            run["run_id"] for run in json.loads(harness("runs", "--format", "json", *words).stdout)
        ]

    assert ids() == [3, 2, 1]
    assert ids("--scenario", "base") == [2, 1]
    assert ids("--limit", "1") == [3]
    assert ids("--scenario", "base", "--limit", "1") == [2]
    assert ids("--scenario", "nothing") == []


@pytest.mark.usefixtures("stored")
def test_runs_as_json_say_where_each_comes_from(harness: Cli) -> None:
    last, *_ = json.loads(harness("runs", "--format", "json").stdout)
    assert (last["scenario"], last["seed"], last["status"]) == ("other", 1, "done")
    assert last["source"] == "scenario.yaml"
    assert last["command"].startswith(
        "harness simulate scenario.yaml --seed 1 --runs 1 --set scenario=other"
    )
    assert last["metrics"]["success_rate"] == 0.75


@pytest.mark.usefixtures("stored")
def test_no_runs_are_said_to_be_none(harness: Cli) -> None:
    assert (
        harness("runs", "--scenario", "nothing").stdout == "no runs of nothing in harness.duckdb\n"
    )


def test_store_that_is_not_there_is_not_made_by_looking(harness: Cli) -> None:
    for command in ("runs", "show"):
        result = harness(command)
        assert (result.returncode, result.stdout) == (2, "")
        assert "there is no store" in result.stderr
        assert not Path("harness.duckdb").exists()


def test_file_that_is_no_store_is_refused(harness: Cli) -> None:
    for command in ("runs", "show"):
        result = harness(command, "--store", "scenario.yaml")
        assert (result.returncode, result.stdout) == (2, "")
        assert "scenario.yaml" in result.stderr
        assert "Traceback" not in result.stderr


# -- show -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("stored")
def test_last_run_is_shown_unless_one_is_named(harness: Cli) -> None:
    assert harness("show").stdout.startswith("run 3: other, seed 1, 4 tasks, done\n")
    assert harness("show", "2").stdout.startswith("run 2: base, seed 2, 4 tasks, done\n")


def test_show_tells_which_limit_refused_attempts_and_runs_their_engine(harness: Cli) -> None:
    limit = "providers.anthropic.limits={requests_per_min: 5}"
    harness("simulate", "scenario.yaml", "--quiet", "--set", limit)
    shown = harness("show").stdout
    assert "attempts refused by the limit of requests a minute." in shown
    assert "429, limit of requests a minute, retry after" in " ".join(shown.split())
    assert "simulated" in harness("runs").stdout
    assert json.loads(harness("runs", "--format", "json").stdout)[0]["engine"] == "simulated"


@pytest.mark.usefixtures("stored")
def test_show_draws_spans_as_a_tree_with_what_went_wrong(harness: Cli) -> None:
    result = harness("show", "3", "--task", "3")
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line.strip() for line in result.stdout.splitlines()]
    tree = [line for line in lines if line.startswith(("task 3", "├─", "└─", "│"))]
    assert [line.split("  ")[0] for line in tree][:2] == ["task 3 work", "├─ agent writer"]
    assert len(tree) == 7
    assert tree[0].endswith("malformed_reply")
    assert tree[-1].endswith("malformed_reply, 200, fault: malformed")
    assert lines[-1].startswith("to replay: harness simulate scenario.yaml --seed 1 --runs 1")


@pytest.mark.usefixtures("stored")
def test_show_lists_all_tasks_and_draws_some(harness: Cli) -> None:
    def trees(*words: str) -> int:
        lines = harness("show", "3", *words).stdout.splitlines()
        return sum(line.strip().startswith("task ") and "work" in line for line in lines)

    assert [trees(), trees("--tasks", "0"), trees("--tasks", "9"), trees("--task", "2")] == [
        2,
        0,
        4,
        1,
    ]
    listed = [line.split() for line in harness("show", "3", "--tasks", "0").stdout.splitlines()]
    assert [row[0] for row in listed if "work" in row] == ["1", "2", "3", "4"]
    assert [row[-1] for row in listed if "work" in row] == ["ok", "hang", "malformed", "ok"]


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("9",), "there is no run 9 in the store"),
        (("1", "--task", "9"), "run 1 has no task 9; it has 4"),
        (("one",), "'one' is not a valid integer range"),
    ],
)
def test_what_is_not_there_cannot_be_shown(harness: Cli, words: tuple[str, ...], says: str) -> None:
    result = harness("show", *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr


@pytest.mark.parametrize(
    "name", ["hang", "tool_agent", "research_assistant", "overload", "azure_code_trace"]
)
def test_spans_as_json_are_those_of_the_python_face(harness: Cli, name: str) -> None:
    file = ROOT / "scenarios" / f"{name}.yaml"
    harness("simulate", file, "--runs", "1", "--seed", "3", "--quiet")
    printed = harness("show", "--format", "json").stdout
    expected = as_json_lines(Simulation(file).run(3).spans)
    assert [json.loads(line) for line in printed.splitlines()] == [
        json.loads(line) for line in expected.splitlines()
    ]
    assert printed.endswith("}\n")


@pytest.mark.usefixtures("stored")
def test_spans_of_one_task_can_be_had_alone(harness: Cli) -> None:
    everything = [
        json.loads(line) for line in harness("show", "3", "--format", "json").stdout.splitlines()
    ]
    some = [
        json.loads(line)
        for line in harness("show", "3", "--task", "2", "--format", "json").stdout.splitlines()
    ]
    assert some == [span for span in everything if span["task"] == 2] != []
    assert [span["span_id"] for span in everything] == list(range(1, len(everything) + 1))


@pytest.mark.usefixtures("stored")
def test_looking_leaves_no_mark(harness: Cli) -> None:
    before = Path("harness.duckdb").read_bytes()
    harness("runs")
    harness("show", "1")
    assert Path("harness.duckdb").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["harness.duckdb", "scenario.yaml"]


@pytest.mark.parametrize(
    ("faults", "headings"),
    [
        ("[{overloaded: {agent: writer, call: 2}}]", ["the slowest task", "task 2, the task that failed"]),
        (
            "[{overloaded: {agent: writer, call: 2}}, {overloaded: {agent: writer, call: 3}}]",
            ["the slowest task", "task 2, the first of 2 tasks that failed"],
        ),
        ("[{hang: {agent: writer, call: 2, for_s: 90}}]", ["task 2, the slowest task, and the task that failed"]),
    ],
)  # fmt: skip
def test_the_slowest_and_a_failed_task_are_drawn_and_said_to_be(
    harness: Cli, faults: str, headings: list[str]
) -> None:
    harness("simulate", "scenario.yaml", "--quiet", "--runs", 1, "--set", f"faults={faults}")
    said = [line for line in harness("show").stdout.splitlines() if line.startswith("task ")]
    assert len(said) == len(headings)
    assert all(heading in line for heading, line in zip(headings, said, strict=True))


def test_variants_are_marked_and_their_changes_shown(harness: Cli) -> None:
    harness("simulate", "scenario.yaml", "--quiet", "--runs", 1)
    plain = harness("runs").stdout
    assert "variant" not in plain
    assert "--set" not in plain
    harness(
        "simulate",
        "scenario.yaml",
        "--quiet",
        "--runs",
        1,
        "--set",
        "agents.writer.output_tokens=60",
    )
    rows = [line.split() for line in harness("runs").stdout.splitlines() if " base " in line]
    assert [row[:3] for row in rows] == [["2", "base", "b"], ["1", "base", "a"]]
    assert "agents.writer.output_tokens=60" in rows[0]
