"""`harness whatif`: what an agent's speed is worth, on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

Cli = Callable[..., CompletedProcess[str]]


def lines(done: CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, "")
    return [line.rstrip() for line in done.stdout.splitlines()]


def found(done: CompletedProcess[str]) -> dict[str, Any]:
    assert (done.returncode, done.stderr) == (0, "")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_one_agent_is_told_metric_by_metric(harness: Cli) -> None:
    said = lines(harness("whatif", "scenario.yaml", "--faster", "writer=20%"))
    assert said[0] == "base: writer 20 % faster, seeds 1-8"
    assert said[2].split() == [
        "metric",
        "(mean",
        "of",
        "seeds)",
        "now",
        "then",
        "change",
        "interval",
    ]
    assert [line.split()[0] for line in said[4:7]] == [
        "latency_s_mean",
        "latency_s_p95",
        "cost_usd_mean",
    ]
    assert said[-1].startswith("writer has ")
    assert said[-1].endswith("% of the critical path as it is now")


def test_every_agent_in_turn_when_none_is_named(harness: Cli) -> None:
    said = lines(harness("whatif", "scenario.yaml", "--runs", 2, "--seed", 5))
    assert said[0] == "base: every agent in turn 20 % faster, seeds 5-6"
    assert said[2].split()[:4] == ["agent", "critical", "path", "latency_s_mean"]
    result = found(harness("whatif", "scenario.yaml", "--runs", 2, "--seed", 5, "--format", "json"))
    changes = [it["metrics"]["latency_s_mean"]["change"] for it in result["what_ifs"]]
    assert changes == sorted(changes)
    assert changes[0] < 0
    order = [next(iter(it["latency_factors"])) for it in result["what_ifs"]]
    assert [line.split()[0] for line in said[4:6]] == order


def test_json_is_one_object_with_both_sides_and_the_interval(harness: Cli) -> None:
    words = ("--faster", "writer=50%", "--slower", "editor=12.5%", "--format", "json")
    result = found(harness("whatif", "scenario.yaml", *words))
    assert (result["scenario"], result["seed"], result["runs"]) == ("base", 1, 8)
    (what_if,) = result["what_ifs"]
    assert what_if["latency_factors"] == {"writer": 0.5, "editor": 1.125}
    assert set(what_if["path_shares"]) == {"writer", "editor"}
    latency = what_if["metrics"]["latency_s_mean"]
    assert latency["low"] <= latency["change"] <= latency["high"]
    assert latency["method"] == "paired"
    assert result["unvaried"] == []


def test_single_seed_has_a_change_and_no_interval(harness: Cli) -> None:
    words = ("whatif", "scenario.yaml", "--faster", "writer=20%", "--runs", 1)
    assert lines(harness(*words))[0] == "base: writer 20 % faster, seed 1"
    (what_if,) = found(harness(*words, "--format", "json"))["what_ifs"]
    latency = what_if["metrics"]["latency_s_mean"]
    assert (latency["low"], latency["high"], latency["method"]) == (None, None, "none")
    assert latency["change"] < 0


def test_same_words_give_the_same_bytes(harness: Cli) -> None:
    first = harness("whatif", "scenario.yaml", "--runs", 3, "--format", "json")
    assert (
        first.stdout == harness("whatif", "scenario.yaml", "--runs", 3, "--format", "json").stdout
    )


def test_nothing_is_written(harness: Cli) -> None:
    before = sorted(Path().iterdir())
    lines(harness("whatif", "scenario.yaml", "--runs", 1))
    assert sorted(Path().iterdir()) == before


def test_agent_s_name_cannot_move_the_cursor(harness: Cli) -> None:
    done = harness("whatif", "scenario.yaml", "--faster", "wri\x1b[2Jter=20%")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--faster", "writr=20%"), "has no agent 'writr'; did you mean 'writer'?"),
        (("--slower", "nobody=20%"), "has no agent 'nobody'; known are writer, editor"),
        (("--faster", "writer=0%"), "--faster writer=0%: 0 % faster, which changes nothing"),
        (("--faster", "writer=100%"), "100 % faster, which would take no time at all"),
        (("--faster", "writer=250%"), "give another percentage, such as --faster writer=20%"),
        (("--slower", "writer=0.0%"), "0 % slower, which changes nothing"),
        (("--faster", "writer=fast"), "write it as NAME=PERCENT, such as --faster reviewer=20%"),
        (("--faster", "writer=-20%"), "not an agent with a percentage"),
        (("--faster", "writer=20"), "not an agent with a percentage"),
        (("--faster", "writer"), "not an agent with a percentage"),
        (("--faster", "=20%"), "not an agent with a percentage"),
        (("--faster", "writer=nan%"), "not an agent with a percentage"),
        (("--slower", f"writer={'9' * 400}%"), "not an agent with a percentage"),
        (
            ("--faster", "writer=20%", "--slower", "writer=20%"),
            "the speed of writer is stated twice",
        ),
        (("--runs", "0"), "0 is not in the range"),
    ],
)
def test_wrong_words_are_told_with_what_would_be_right(
    harness: Cli, words: tuple[str, ...], says: str
) -> None:
    done = harness("whatif", "scenario.yaml", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_scenario_that_is_not_there_is_told(harness: Cli) -> None:
    done = harness("whatif", "gone.yaml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "gone.yaml: the file does not exist" in done.stderr


def test_set_changes_both_sides(harness: Cli) -> None:
    words = ("whatif", "scenario.yaml", "--faster", "writer=20%", "--format", "json")
    plain = found(harness(*words))["what_ifs"][0]["metrics"]["latency_s_mean"]
    longer = found(harness(*words, "--set", "agents.writer.output_tokens=5000"))
    changed = longer["what_ifs"][0]["metrics"]["latency_s_mean"]
    assert changed["now"] > plain["now"]
    assert changed["then"] < changed["now"]
