"""Workers whose subtasks wait for one another, as a scenario or the orchestrator's plan says."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ScenarioError
from harness.patterns.orchestrator_worker import OrchestratorWorker, PlanUnusable
from harness.run import Simulation
from tests.patterns.stage import FAILURE, Speaker, Stage

PLAN = "1. draw the schema\n2. write the API (after 1)\n3. read the manual\n4. test it (after 2, 3)"


def team(plan: str = PLAN, **more: Speaker) -> Stage:
    return Stage(
        lead=Speaker(1.0, plan), ann=Speaker(2.0, "from ann"), ben=Speaker(3.0, "from ben"), **more
    )


def planned(**more: object) -> OrchestratorWorker:
    return OrchestratorWorker(
        orchestrator="lead",
        workers=("ann", "ben"),
        tasks="from_plan",
        assign="least_loaded",
        **more,  # type: ignore[arg-type]  # fields of the record
    )


def test_subtask_begins_when_those_that_it_waits_for_have_ended_and_is_told_their_results() -> None:
    stage = team()
    stage.play(planned())
    # The schema (1-3 s) goes to ann, the manual (1-4 s) to ben; then the API (3-5 s), and the test last.
    assert stage.turns()[1:] == [
        ("ann", 1.0, 3.0, "ok"), ("ben", 1.0, 4.0, "ok"), ("ann", 3.0, 5.0, "ok"), ("ann", 5.0, 7.0, "ok"),
    ]  # fmt: skip
    assert [prompt.split("\n\n")[1:] for prompt in stage.speakers["ann"].prompts] == [
        ["draw the schema"],
        ["from ann", "write the API"],
        ["from ann", "from ben", "test it"],
    ]


def test_subtask_whose_predecessor_failed_does_without_its_result() -> None:
    stage = Stage(
        lead=Speaker(1.0, PLAN), ann=Speaker(2.0, FAILURE, "from ann"), ben=Speaker(3.0, "from ben")
    )
    stage.play(planned(on_failure="partial"))
    assert stage.speakers["ann"].prompts[1].split("\n\n")[1:] == ["write the API"]


@pytest.mark.parametrize(
    ("plan", "cycle"),
    [
        ("1. a (after 2)\n2. b (after 1)", "1 -> 2 -> 1"),
        ("1. a\n2. b (after 1, 4)\n3. c (depends on 2)\n4. d (after 3)", "2 -> 4 -> 3 -> 2"),
        ("1. a (after 1)", "1 -> 1"),
        ('[{"task": "a", "after": [2]}, {"task": "b", "after": [1]}]', "1 -> 2 -> 1"),
    ],
)
def test_plan_that_goes_in_a_circle_ends_the_task_before_anybody_works(
    plan: str, cycle: str
) -> None:
    stage = team(plan)
    with pytest.raises(PlanUnusable, match=f"wait for one another: {cycle}"):
        stage.play(planned())
    assert [name for name, *_ in stage.turns()] == ["lead"]


def test_plan_that_waits_for_a_subtask_that_is_not_there_ends_the_task() -> None:
    with pytest.raises(PlanUnusable, match="2 waits for 5, which is not there; there are 1, 2"):
        team("1. a\n2. b (after 5)").play(planned())


def scenario(folder: Path, tasks: str) -> Simulation:
    file = folder / "s.yaml"
    file.write_text(
        f"""
scenario: s
workload: {{tasks: 1}}
providers: {{p: {{}}}}
models: {{m: {{provider: p, name: m, latency: {{ttft_s: 1, itl_s: 0}}}}}}
agents: {{a: {{model: m}}, b: {{model: m}}}}
pattern:
  orchestrator_worker:
    workers: [a, b]
    tasks: {tasks}
""",
        encoding="utf-8",
    )
    return Simulation(file)


def test_subtasks_of_a_scenario_are_done_in_order(tmp_path: Path) -> None:
    result = scenario(tmp_path, "['test it (after 2)', 'write it (after 3)', 'plan it']").run(1)
    assert result.tally.makespan_s == 3.0


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        ("['one (after 2)', 'two (after 1)']", "these wait for one another: 1 -> 2 -> 1"),
        ("['one (after 1)']", "these wait for one another: 1 -> 1"),
        ("['one', 'two (after 3)']", "2 waits for 3, which is not there; there are 1, 2"),
    ],
)
def test_scenario_whose_subtasks_wait_for_one_another_is_refused_with_its_place(
    tasks: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(ScenarioError) as told:
        scenario(tmp_path, tasks)
    assert why in str(told.value)
    assert "s.yaml:9:" in str(told.value)
