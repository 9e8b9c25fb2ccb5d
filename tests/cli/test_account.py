"""`harness show --by` and `harness audit`: what a run cost, and who decided what from which input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli.app import run
from harness.store import Store, queries

SCENARIO = Path(__file__).parents[2] / "scenarios" / "code_review.yaml"


@pytest.fixture(autouse=True)
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = [
        "simulate",
        str(SCENARIO),
        "--runs",
        "1",
        "--set",
        "workload.tasks=3",
        "--keep-texts",
    ]
    assert run([*command, "--store", "r.duckdb", "--quiet"]) == 0


def test_lines_of_an_account_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["show", "--store", "r.duckdb", "--by", "agent", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["lines"]) == {"lead", "style", "security", "performance", "tests"}
    for name in ("calls", "attempts", "input_tokens", "output_tokens"):
        assert found["whole"][name] == sum(line[name] for line in found["lines"].values())
    assert run(["show", "1", "--store", "r.duckdb", "--by", "cause"]) == 0
    assert "first try" in capsys.readouterr().out


def test_an_audit_tells_who_decided_what_from_which_input(
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert run(["audit", "1", "--task", "2", "--store", "r.duckdb", "--format", "json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["agent"] for row in (rows[0], rows[-1])] == ["lead", "lead"]
    assert rows[0]["source"] == "user (request)"
    assert rows[-1]["source"] == (
        "performance (result), security (result), style (result), tests (result)"
    )
    assert {"prompt", "reply"} <= rows[0].keys()
    assert run(["audit", "--store", "r.duckdb"]) == 0
    assert "lead (result), user (request)" in " ".join(capsys.readouterr().out.split())


def test_the_audit_is_a_view_of_the_store() -> None:
    found = queries.data_frame(
        Store("r.duckdb"), "SELECT agent, count(*) AS n FROM audit WHERE task = 1 GROUP BY agent"
    )
    assert dict(zip(found["agent"], found["n"], strict=True))["lead"] == 2


def test_a_task_that_is_not_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "1", "--task", "9", "--store", "r.duckdb"]) == 2
    assert "has no decisions of task 9" in capsys.readouterr().err


def test_show_tells_a_cascade_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    changes = ["faults=[{status: {agent: lead, status: 529, probability: 0.5}}]", "policies={}"]
    command = ["simulate", str(SCENARIO), "--runs", "1", "--set", "workload.tasks=8"]
    for change in changes:
        command += ["--set", change]
    run([*command, "--store", "r.duckdb", "--quiet"])
    capsys.readouterr()
    assert run(["show", "2", "--store", "r.duckdb"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "lead failed at " in told
    assert "of 8 tasks lost." in told
