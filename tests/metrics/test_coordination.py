"""How agents worked together: waits, messages, round trips, the bottleneck, failures together, health over time."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from harness.metrics.coordination import HEALTH_BINS, coordination
from harness.run import RunResult, Simulation

TEAM: dict[str, Any] = {
    "scenario": "team",
    "workload": {"tasks": 6, "warmup_tasks": 1, "arrivals": {"every_s": 100}},
    "providers": {"here": {}},
    "models": {"m": {"provider": "here", "name": "m", "latency": {"ttft_s": 1, "itl_s": 0.01}, "prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 5}}},
    "agents": {"lead": {"model": "m", "output_tokens": 100}, "ant": {"model": "m", "output_tokens": 100}, "bee": {"model": "m", "output_tokens": 900}},
    "pattern": {"orchestrator_worker": {"orchestrator": "lead", "workers": ["ant", "bee"], "synthesizer": "lead"}},
}  # fmt: skip


def run(**more: object) -> RunResult:
    return Simulation.from_spec({**TEAM, **more}).run(1)


def test_bottleneck_is_the_agent_that_the_critical_path_is_on_longest() -> None:
    made = run()
    found = coordination(made.spans, made.events, warmup_tasks=1)
    assert (found.tasks, found.bottleneck) == (5, "bee")
    assert sum(it.path_share for it in found.agents.values()) == pytest.approx(1)
    assert found.agents["bee"].work_s == pytest.approx(5 * 10)
    assert found.agents["bee"].wait_s == 0
    assert {(it.agent, it.waited_for) for it in found.waits} == {("bee", "lead"), ("lead", "bee")}
    assert found.waits[0].wait_s == pytest.approx(5 * 10)


def test_messages_are_counted_by_pair_with_round_trips() -> None:
    made = run()
    found = coordination(made.spans, made.events, warmup_tasks=1)
    by_pair = {(it.sender, it.recipient): it for it in found.traffic}
    assert by_pair["lead", "bee"].messages == by_pair["bee", "lead"].messages == 5
    asked = by_pair["lead", "bee"]
    assert asked.round_trips == 5
    assert asked.round_trip_s == pytest.approx(10)
    assert by_pair["bee", "lead"].tokens == 5 * 900
    assert not {"", "user"} & {name for pair in by_pair for name in pair}


def test_agents_that_fail_together_are_told_against_chance() -> None:
    faults = [
        {"status": {"agent": name, "status": 400, "task": task}}
        for name, tasks in (("ant", (2, 3)), ("bee", (2, 3)))
        for task in tasks
    ]
    made = run(faults=faults, policies={})
    found = coordination(made.spans, made.events)
    pairs = {it.agents: it for it in found.together}
    one = pairs.get(("ant", "bee"))
    assert one is not None
    assert one.tasks > one.expected


def test_teams_do_not_fail_together_with_their_own_members() -> None:
    inner = {"name": "duo", "pattern": {"pipeline": {"stages": ["ant", "bee"]}}}
    outer = {"name": "all", "pattern": {"pipeline": {"stages": ["lead", inner]}}}
    made = run(pattern={"single": {"agent": outer}}, faults=[{"status": {"status": 400, "agent": "bee"}}])  # fmt: skip
    assert made.tally.succeeded == 0
    assert coordination(made.spans, made.events, warmup_tasks=1).together == []


def test_health_falls_while_a_fault_lasts() -> None:
    faults = [{"status": {"agent": "bee", "status": 400, "from_s": 300}}]
    made = run(faults=faults)
    found = coordination(made.spans, made.events)
    assert len(found.agents["bee"].health) == HEALTH_BINS
    health = [it for it in found.agents["bee"].health if it is not None]
    assert (health[0], health[-1]) == (1.0, 0.0)
    assert set(found.agents["ant"].health) <= {1.0, None}


def test_run_without_calls_has_nothing_to_tell() -> None:
    made = run(workload={"tasks": 1, "warmup_tasks": 0})
    found = coordination(made.spans, made.events, warmup_tasks=1)
    assert (found.tasks, found.bottleneck, found.traffic) == (0, "", [])


def test_it_is_shown_and_given_as_json(
    harness: Callable[..., CompletedProcess[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    tmp_path.joinpath("x.yaml").write_text(json.dumps(TEAM))
    harness("simulate", "x.yaml", "--quiet")
    shown = harness("show", "--by", "coordination").stdout
    assert "bottleneck: bee, " in shown
    assert "who waits for whom" in shown
    found = json.loads(harness("show", "--by", "coordination", "--format", "json").stdout)
    assert found["bottleneck"] == "bee"
    assert not any(math.isnan(it["round_trip_s"] or 0) for it in found["traffic"])
