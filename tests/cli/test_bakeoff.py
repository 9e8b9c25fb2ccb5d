"""`harness bakeoff`: the same tasks through several patterns, on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from harness.store import Store, queries

Cli = Callable[..., CompletedProcess[str]]

SCENARIO = """
scenario: ways
description: Two writers and a lead.
runs: 3
workload: {tasks: 8, arrivals: {poisson: {rate_per_s: 0.5}}}
providers: {anthropic: {concurrency: 2}}
models: {fast: {provider: anthropic, name: claude-haiku-4-5}}
agents:
  lead: {model: fast, system: You lead., output_tokens: 50}
  ann: {model: fast, system: You are Ann., output_tokens: {lognormal: {median: 200, sigma: 0.5}}, accuracy: 0.8}
  ben: {model: fast, system: You are Ben., output_tokens: 300, accuracy: 0.9}
policies: {default: {retry: {attempts: 2}}}
faults: [{overloaded: {agent: ben, probability: 0.3}}]
bakeoff:
  single: {agent: ann}
  pipeline: {stages: [ann, ben]}
  team: {orchestrator_worker: {orchestrator: lead, workers: [ann, ben], on_failure: partial}}
"""

PROGRAM = """
from anthropic import Anthropic

def work(task):
    client = Anthropic(max_retries=1)
    for system in ("You are Ann.", "You are Ben."):
        client.messages.create(model="claude-haiku-4-5", max_tokens=2000, system=system,
                               messages=[{"role": "user", "content": task}])
"""


@pytest.fixture(autouse=True)
def _file() -> None:
    Path("ways.yaml").write_text(SCENARIO)
    Path("ways_program.py").write_text(PROGRAM)


def found(done: CompletedProcess[str]) -> dict[str, Any]:
    assert (done.returncode, done.stderr) == (0, "")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_every_way_has_the_numbers_of_harness_simulate(harness: Cli) -> None:
    several = found(harness("bakeoff", "ways.yaml", "--format", "json"))

    assert [it["name"] for it in several["patterns"]] == ["single", "pipeline", "team"]
    for way in several["patterns"]:
        choice = f"pattern={way['name']}"
        alone = found(harness("simulate", "ways.yaml", "--set", choice, "--format", "json"))
        metrics = dict(way["metrics"])
        assert metrics.pop("waiting_share") == 1 - metrics["work_share"]
        assert metrics == alone["metrics"]
        assert way["agents"] == alone["agents"]


def test_a_table_marks_what_is_pareto_optimal(harness: Cli) -> None:
    done = harness("bakeoff", "ways.yaml", "--runs", 2, "--seed", 4)

    assert (done.returncode, done.stderr) == (0, "")
    said = [line.split() for line in done.stdout.splitlines()]
    assert said[0] == ["ways:", "3", "ways,", "seeds", "4-5"]
    assert said[2][:5] == ["way", "latency", "p95", "cost", "success"]
    assert said[2][-3:] == ["calls", "messages", "waiting"]
    assert said[4][:2] == ["*", "single"]  # the fastest and the cheapest
    assert [line[0] for line in said if line and line[0] in ("pipeline", "team")][-2:] == [
        "pipeline",
        "team",
    ]
    result = found(harness("bakeoff", "ways.yaml", "--runs", 2, "--seed", 4, "--format", "json"))
    marked = [line[1] for line in said if line[:1] == ["*"] and line[1] != "Pareto-optimal:"]
    assert marked == result["pareto_optimal"]


def test_differences_are_paired_by_seed_and_against_the_first(harness: Cli) -> None:
    result = found(
        harness("bakeoff", "ways.yaml", "--patterns", "team, single", "--format", "json")
    )

    assert result["base"] == "team"
    team, single = result["patterns"]
    assert team["differences"] == {}
    change = single["differences"]["latency_s_mean"]
    assert change["method"] == "paired"
    assert change["low"] < change["change"] < change["high"] < 0
    assert set(single["differences"]) >= {"cost_usd_mean", "success_rate", "quality_mean"}


def test_a_program_takes_part_with_the_same_agents_and_the_same_luck(harness: Cli) -> None:
    options = ("--patterns", "pipeline", "--target", "ways_program:work", "--format", "json")
    pipeline, program = found(
        harness(
            "bakeoff", "ways.yaml", *options,
            "--set", "faults=[]", "--set", "policies={}", "--set", "providers.anthropic.concurrency=null",
        )
    )["patterns"]  # fmt: skip

    assert program["name"] == "ways_program:work"
    # The second stage of the pipeline also reads what the first has written, which takes milliseconds.
    same = pytest.approx(pipeline["metrics"]["latency_s_mean"], rel=1e-3)
    assert program["metrics"]["latency_s_mean"] == same
    assert program["metrics"]["output_tokens_mean"] == pipeline["metrics"]["output_tokens_mean"]
    for agent in (
        "ann",
        "ben",
    ):  # as a whole they differ: in the program, no agent reads what another has written
        ours, theirs = program["agents"][agent], pipeline["agents"][agent]
        assert ours["quality_mean"] == theirs["quality_mean"]
    assert "messages_mean" not in program["metrics"]


def test_a_file_with_one_pattern_is_compared_with_a_program(harness: Cli) -> None:
    head, _, _ = SCENARIO.partition("bakeoff:")
    Path("one.yaml").write_text(head + "pattern: {pipeline: {stages: [ann, ben]}}\n")

    result = found(
        harness("bakeoff", "one.yaml", "--target", "ways_program:work", "--format", "json")
    )

    assert [it["name"] for it in result["patterns"]] == ["pipeline", "ways_program:work"]


def test_runs_are_stored_with_the_name_of_their_pattern(harness: Cli) -> None:
    result = found(harness("bakeoff", "ways.yaml", "--runs", 2, "--format", "json"))

    assert [it["run_ids"] for it in result["patterns"]] == [[1, 2], [3, 4], [5, 6]]
    rows = queries.runs(Store(Path("harness.duckdb")))
    assert [row["command"].split()[-1] for row in rows] == [
        *["pattern=single"] * 2,
        *["pattern=pipeline"] * 2,
        *["pattern=team"] * 2,
    ]
    assert "pattern=team" in harness("runs").stdout
    assert harness(*rows[-1]["command"].split()[1:]).returncode == 0


def test_the_same_seeds_give_the_same_numbers_and_page(harness: Cli) -> None:
    def run() -> tuple[str, bytes]:
        Path("harness.duckdb").unlink(missing_ok=True)
        done = harness("bakeoff", "ways.yaml", "--format", "json")
        return done.stdout, Path("reports/bakeoff-ways.html").read_bytes()

    assert run() == run()


def test_the_page_stands_in_the_index_and_says_what_to_trust(harness: Cli) -> None:
    done = harness("bakeoff", "ways.yaml", "-o", "pages")

    assert "drawn in pages/bakeoff-ways.html" in done.stdout
    page = Path("pages/bakeoff-ways.html").read_text()
    assert "Pareto-optimal: single" in page
    assert "an order is worth more than a size" in page
    assert "Two writers and a lead." in page
    assert "bakeoff-ways.html" in Path("pages/index.html").read_text()
    assert Path("pages/bakeoff-ways-tradeoff.png").is_file()


def test_a_way_with_which_nothing_ends_well_is_not_optimal_and_is_noted(harness: Cli) -> None:
    done = harness(
        "bakeoff", "ways.yaml", "--patterns", "single,pipeline", "--format", "json",
        "--set", "faults=[{status: {status: 400, agent: ben}}]",
    )  # fmt: skip

    result = found(done)
    assert result["pareto_optimal"] == ["single"]
    pipeline = result["patterns"][1]
    assert pipeline["metrics"]["success_rate"] == 0
    assert "No task succeeded in any of the 3 runs." in pipeline["notes"]


def test_scripted_replies_count_as_used_when_one_way_uses_them(harness: Cli) -> None:
    Path("stub.yaml").write_text("agents: {ann: {reply: Yes.}, ben: {reply: No.}}\n")
    head = SCENARIO.replace("system: You are Ann.", "stub: stub.yaml").replace(
        "system: You are Ben.", "stub: stub.yaml"
    )
    Path("ways.yaml").write_text(head)

    assert harness("bakeoff", "ways.yaml").returncode == 0
    assert harness("simulate", "ways.yaml").returncode == 0  # which never asks Ben


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--patterns", "single"], "a bake-off needs two patterns or more, and this is single"),
        (["--patterns", "single,taem"], "--patterns taem: ways.yaml has no such entry under bakeoff; did you mean 'team'?"),
        (["--patterns", ""], "a name is empty"),
        (["--patterns", "single,,team"], "a name is empty"),
        (["--patterns", "single,single"], "single is named twice"),
        (["--target", "work"], "--target work: it is no function"),
        (["--target", "ways_program:walk"], "cannot be loaded"),
        (["--target", "ways_program:work", "--target", "ways_program:work"], "is named twice"),
        (["--set", "pattern=team"], "choose with --patterns"),
        (["--set", "agents.ann.model=slow"], "there is no 'slow' under models"),
        (["--set", "bakeoff.team.orchestrator_worker.workers=[cid]"], "there is no 'cid' under agents"),
    ],
)  # fmt: skip
def test_bad_input_is_one_message_before_anything_runs(
    harness: Cli, options: list[str], message: str
) -> None:
    done = harness("bakeoff", "ways.yaml", *options)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("error:") == 1
    assert message in done.stderr
    assert not Path("harness.duckdb").exists()


def test_a_file_without_a_choice_says_how_to_make_one(harness: Cli) -> None:
    done = harness("bakeoff", "scenario.yaml")

    assert done.returncode == 2
    assert "a bake-off needs two patterns or more" in done.stderr


def test_a_program_whose_calls_no_agent_answers_is_told_apart(harness: Cli) -> None:
    Path("ways_program.py").write_text(PROGRAM.replace("You are Ann.", "You are Zoe."))

    done = harness("bakeoff", "ways.yaml", "--target", "ways_program:work")

    assert done.returncode == 2
    assert "no described agent matches this call" in done.stderr
    assert "--set target=ways_program:work" in done.stderr
