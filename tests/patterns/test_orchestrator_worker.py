"""Subtasks: who gets which, how long they are waited for, and what is put together."""

from __future__ import annotations

import pytest

from harness.models import ModelError
from harness.patterns.aggregators import Majority
from harness.patterns.orchestrator_worker import OrchestratorWorker, PlanUnusable
from harness.spans import AGENT, TASK
from tests.patterns.simulated import metrics_of, rows, simulated
from tests.patterns.stage import FAILURE, Speaker, Stage

PLAN = "1. style: names\n2. security: injection\n3. style: layout\n4. sum up"


def office(**more: Speaker) -> Stage:
    speakers = {
        "lead": Speaker(1.0, PLAN, "whole"),
        "s1": Speaker(4.0, "S"),
        "s2": Speaker(1.0, "S"),
        "sec": Speaker(2.0, "safe"),
        "any": Speaker(1.0, "sum"),
    }
    return Stage(**{**speakers, **more})


def planned(**more: object) -> OrchestratorWorker:
    settings: dict[str, object] = {
        "orchestrator": "lead",
        "tasks": "from_plan",
        "roles": {"style": ("s1", "s2"), "security": ("sec",)},
        "workers": ("any",),
        "synthesizer": "lead",
    }
    return OrchestratorWorker(**{**settings, **more})  # type: ignore[arg-type]  # its fields


def test_plan_is_split_among_workers_of_the_roles_that_it_names() -> None:
    stage = office()
    assert stage.play(planned()).text == "whole"
    assert {name: stage.speakers[name].prompts for name in ("s1", "s2", "sec", "any")} == {
        "s1": ["the task\n\nnames"], "sec": ["the task\n\ninjection"], "s2": ["the task\n\nlayout"],
        "any": ["the task\n\nsum up"],
    }  # fmt: skip
    assert stage.speakers["lead"].prompts[1] == (
        "names: S\n\ninjection: safe\n\nlayout: S\n\nsum up: sum"
    )
    assert stage.kernel.now_s() == 1 + 4 + 1


def test_plan_may_be_json() -> None:
    plan = 'Here: [{"role": "security", "task": "injection"}, {"task": "sum up"}]'
    stage = office(lead=Speaker(1.0, plan, "whole"))
    stage.play(planned())
    assert stage.speakers["sec"].prompts == ["the task\n\ninjection"]
    assert stage.speakers["any"].prompts == ["the task\n\nsum up"]


def test_fixed_list_needs_no_orchestrator() -> None:
    stage = Stage(a=Speaker(1.0, "A"), b=Speaker(1.0, "B"))
    pattern = OrchestratorWorker(tasks=("left", "right", "middle"), workers=("a", "b"))
    assert stage.play(pattern).text == "left: A\n\nright: B\n\nmiddle: A"
    assert stage.speakers["a"].prompts == ["the task\n\nleft", "the task\n\nmiddle"]


@pytest.mark.parametrize(
    ("assign", "slow", "fast", "took_s"),
    [("round_robin", ["1", "3", "5"], ["2", "4", "6"], 12.0), ("least_loaded", ["1", "6"], ["2", "3", "4", "5"], 8.0)],
)  # fmt: skip
def test_least_loaded_worker_gets_what_waits_and_round_robin_waits_for_the_one_in_turn(
    assign: str, slow: list[str], fast: list[str], took_s: float
) -> None:
    stage = Stage(slow=Speaker(4.0, "x"), fast=Speaker(1.0, "y"))
    pattern = OrchestratorWorker(
        tasks=("1", "2", "3", "4", "5", "6"),
        workers=("slow", "fast"),
        assign=assign,  # type: ignore[arg-type]  # one of its literals
    )
    stage.play(pattern)
    assert [prompt.split()[-1] for prompt in stage.speakers["slow"].prompts] == slow
    assert [prompt.split()[-1] for prompt in stage.speakers["fast"].prompts] == fast
    assert stage.kernel.now_s() == took_s


def test_worker_has_as_many_subtasks_at_once_as_are_allowed() -> None:
    stage = Stage(a=Speaker(2.0, "A"))
    stage.play(OrchestratorWorker(tasks=("1", "2", "3", "4"), workers=("a",), at_once=2))
    assert [begin_s for _, begin_s, _, _ in stage.turns()] == [0.0, 0.0, 2.0, 2.0]


def test_synthesis_begins_at_the_deadline_with_what_there_is() -> None:
    stage = office()
    answer = stage.play(planned(synthesise_after_s=2.5))
    assert answer.text == "whole"
    assert stage.kernel.now_s() == 1 + 2.5 + 1
    assert stage.speakers["lead"].prompts[1].splitlines()[0] == (
        "names: no result (not there in time)"
    )
    assert ("s1", 1.0, 3.5, "cancelled") in stage.turns()


def test_default_text_stands_for_what_is_not_there_in_time() -> None:
    stage = office()
    stage.play(planned(synthesise_after_s=2.5, on_failure="default", default_text="sorry"))
    assert stage.speakers["lead"].prompts[1].splitlines()[0] == "sorry"


def test_deadline_without_any_result_fails_the_task() -> None:
    with pytest.raises(TimeoutError):
        office().play(planned(synthesise_after_s=0.5))


def test_timeout_of_a_worker_is_not_the_deadline() -> None:
    stage = office(sec=Speaker(2.0, TimeoutError()))
    with pytest.raises(TimeoutError):
        stage.play(planned(synthesise_after_s=60.0))
    assert stage.kernel.now_s() == 3.0


def test_synthesizer_is_told_why_a_result_is_missing() -> None:
    stage = office(sec=Speaker(2.0, FAILURE))
    assert stage.play(planned(on_failure="partial")).text == "whole"
    assert "injection: no result (api_error)" in stage.speakers["lead"].prompts[1]


def test_progress_is_told_by_updates_that_are_read_at_the_next_turn() -> None:
    stage = office(sec=Speaker(2.0, FAILURE))
    stage.play(planned(on_failure="partial", progress_to="lead"))
    updates = [row for row in stage.messages() if row[2] == "update"]
    assert updates == [(name, "lead", "update") for name in ("s2", "any", "sec", "s1")]
    assert stage.speakers["lead"].prompts[1].splitlines()[:7:2] == [
        "1 of 4: s2: done", "2 of 4: any: done", "3 of 4: sec: api_error", "4 of 4: s1: done",
    ]  # fmt: skip


def test_workers_that_disagree_are_counted() -> None:
    stage = Stage(a=Speaker(1.0, "yes"), b=Speaker(1.0, "no"), c=Speaker(1.0, "yes"))
    pattern = OrchestratorWorker(workers=("a", "b", "c"), aggregate=Majority())
    assert stage.play(pattern).text == "yes"


def test_synthesizer_reads_json_prose_and_nothing_beside_one_another() -> None:
    stage = office(
        s1=Speaker(4.0, '{"names": "bad"}'), s2=Speaker(1.0, ""), any=Speaker(1.0, "a\n\nb"),
        sec=Speaker(2.0, FAILURE),
    )  # fmt: skip
    assert stage.play(planned(on_failure="partial")).text == "whole"
    assert stage.speakers["lead"].prompts[1] == (
        'names: {"names": "bad"}\n\ninjection: no result (api_error)\n\nlayout: \n\nsum up: a\n\nb'
    )


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        ("", "there are no subtasks"),
        ("1. a 2. b 3. c", "3 subtasks are more than 2"),
        ("1. cook: soup", "no role is named by the subtask 'cook: soup'"),
    ],
)
def test_plan_that_cannot_be_used_fails_the_task(plan: str, says: str) -> None:
    stage = office(lead=Speaker(1.0, plan))
    with pytest.raises(PlanUnusable, match=says):
        stage.play(planned(workers=(), max_tasks=2))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "there is nobody in `workers` or `roles`"),
        ({"workers": ("a",), "roles": {"x": ("b",)}}, "`roles` needs `tasks`"),
        ({"workers": ("a",), "tasks": "from_plan"}, "needs an `orchestrator`"),
        ({"workers": ("a",), "synthesizer": "a", "aggregate": Majority()}, "one of `synthesizer` and `aggregate`"),
        ({"roles": {"x": ()}, "tasks": ("x: do",)}, "there is nobody in role 'x'"),
        ({"roles": {"x": ("a",)}, "tasks": ("y: do",)}, "no role is named by the subtask 'y: do'"),
    ],
)  # fmt: skip
def test_wrong_settings_are_told(settings: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        OrchestratorWorker(**settings)  # type: ignore[arg-type]  # its fields


def test_messages_of_a_fan_out_are_the_plan_and_the_results_of_each_worker() -> None:
    stage = Stage(lead=Speaker(1.0, "p", "sum"), a=Speaker(1.0, "A"), b=Speaker(1.0, "B"))
    answer = stage.play(
        OrchestratorWorker(orchestrator="lead", workers=("a", "b"), synthesizer="lead")
    )
    assert stage.messages() == [
        ("user", "lead", "request"), ("user", "a", "request"), ("lead", "a", "result"), ("user", "b", "request"),
        ("lead", "b", "result"), ("a", "lead", "result"), ("b", "lead", "result"),
    ]  # fmt: skip
    assert (answer.sender, answer.hop) == ("lead", 3)


def test_failure_of_all_workers_is_the_first_failure() -> None:
    stage = Stage(a=Speaker(3.0, TimeoutError()), b=Speaker(2.0, FAILURE))
    with pytest.raises(ModelError):
        stage.play(OrchestratorWorker(workers=("a", "b"), on_failure="partial"))


# -- scenarios --------------------------------------------------------------------------------------


def test_subtasks_of_a_release_note_are_shared_by_load_and_none_is_lost() -> None:
    result = simulated("orchestrator_worker")
    turns = [agent for (agent,) in rows(result, AGENT, "agent") if agent != "lead"]
    assert len(turns) == 5 * result.tally.tasks
    assert sum(name.startswith("api") for name in turns) == 2 * result.tally.tasks
    assert metrics_of(result)["success_rate"] == 1.0


def test_orchestrator_is_the_bottleneck_and_the_single_point_of_failure() -> None:
    """Calls of the lead come one after another; while it is down every task fails, and no worker's failure does that."""
    result = simulated("orchestrator_bottleneck")
    work = rows(result, "wait", "agent", "name")
    assert {agent for agent, name in work if name == "in_flight"} == {"lead"}
    failed = [(start, error) for start, error in rows(result, TASK, "arrival_s", "error") if error]
    assert {error for _, error in failed} == {"overloaded_error"}
    other = simulated("orchestrator_bottleneck", "faults[0].status.agent=w1")
    assert metrics_of(other)["success_rate"] == 1.0
