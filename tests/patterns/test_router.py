"""Which specialist a task goes to, and what specialists ask one another."""

from __future__ import annotations

from typing import Any

import pytest

from harness.patterns.decisions import DecisionUnreadable
from harness.patterns.router import NobodyCan, Router, TooManyDirectMessages
from harness.run import RunResult
from harness.spans import AGENT
from tests.patterns.simulated import metrics_of, rows, simulated
from tests.patterns.stage import Speaker, Stage


def desk(**more: Speaker) -> Stage:
    speakers = {
        "desk": Speaker(1.0, "route: billing"),
        "b1": Speaker(1.0, "B1"),
        "b2": Speaker(1.0, "B2"),
        "ship": Speaker(1.0, "S"),
    }
    return Stage(**{**speakers, **more})


def router(**more: Any) -> Router:  # noqa: ANN401 - its fields
    settings = {"router": "desk", "specialists": {"billing": ("b1", "b2"), "shipping": ("ship",)}}
    return Router(**{**settings, **more})


@pytest.mark.parametrize("said", ["billing", "Billing, I think.", "route: billing", '{"route": "billing"}'])  # fmt: skip
def test_router_names_a_capability(said: str) -> None:
    stage = desk(desk=Speaker(1.0, said))
    assert stage.play(router()).sender == "b1"
    assert stage.speakers["b1"].prompts == ["the task"]


def test_what_cannot_be_read_fails_the_task_or_goes_elsewhere() -> None:
    unclear = {"desk": Speaker(1.0, "hm, let me think")}
    with pytest.raises(DecisionUnreadable, match="hm, let me think"):
        desk(**unclear).play(router())
    assert desk(**unclear).play(router(otherwise="shipping")).sender == "ship"


def test_words_route_without_a_router() -> None:
    stage = desk()
    pattern = router(router=None, words={"shipping": ("the task",)})
    assert stage.play(pattern).sender == "ship"
    with pytest.raises(DecisionUnreadable):
        desk().play(router(router=None))


def test_instances_take_turns_by_the_number_of_the_task() -> None:
    stage = desk()
    stage.task.number = 2
    assert stage.play(router()).sender == "b2"


def test_specialist_may_decline_and_the_task_goes_back_to_the_router() -> None:
    stage = desk(desk=Speaker(1.0, "billing", "shipping"), b1=Speaker(1.0, "decline: not mine"))
    assert stage.play(router(max_reroutes=1)).sender == "ship"
    assert "decline: not mine" in stage.speakers["desk"].prompts[1]
    assert "Which of these is it for: shipping?" in stage.speakers["desk"].prompts[1]


def test_task_that_everybody_declines_fails() -> None:
    declining = Speaker(1.0, "decline")
    stage = desk(
        desk=Speaker(1.0, "billing", "shipping"), b1=declining, ship=Speaker(1.0, "decline")
    )
    with pytest.raises(NobodyCan):
        stage.play(router(max_reroutes=5))
    once = desk(desk=Speaker(1.0, "billing", "shipping"), b1=declining)
    assert once.play(router()).text == "decline"  # an answer like others


def test_specialist_asks_another_directly() -> None:
    stage = desk(
        b1=Speaker(1.0, "ask: ship, is it there?", "paid"), ship=Speaker(1.0, "it is there")
    )
    assert stage.play(router(max_direct=1)).text == "paid"
    assert stage.speakers["ship"].prompts == ["the task\n\nask: ship, is it there?"]
    assert ("b1", "ship", "request") in stage.messages()
    assert stage.speakers["b1"].prompts[1].endswith("it is there")


def test_direct_messages_are_bounded() -> None:
    stage = desk(b1=Speaker(1.0, "ask: ship, again?"))
    with pytest.raises(TooManyDirectMessages):
        stage.play(router(max_direct=3))
    assert len(stage.speakers["ship"].prompts) == 3
    quiet = desk(b1=Speaker(1.0, "ask: ship, again?"))
    assert quiet.play(router()).text == "ask: ship, again?"  # an answer like others


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"specialists": {"billing": ()}}, "nobody with the capability 'billing'"),
        ({"otherwise": "nothing"}, "there is no capability 'nothing'"),
        ({"router": None, "words": {"nothing": ()}}, "there is no capability 'nothing'"),
        ({"words": {"billing": ("pay",)}}, "one of `router` and `words`"),
    ],
)
def test_wrong_settings_are_told(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        router(**settings)


# -- scenarios --------------------------------------------------------------------------------------


def went(result: RunResult) -> dict[str, set[tuple[str, ...]]]:
    """For each kind of task, who had turns."""
    kinds = dict(rows(result, "task", "task", "name"))
    turns = rows(result, AGENT, "task", "agent")
    found: dict[str, set[tuple[str, ...]]] = {}
    for number, kind in kinds.items():
        path = tuple(agent for of_task, agent in turns if of_task == number)
        found.setdefault(kind, set()).add(path)
    return found


def test_tasks_go_to_the_specialist_who_can_and_instances_share_them() -> None:
    result = simulated("router")
    found = went(result)
    assert found["parcel"] == {("desk", "shipping")}
    assert found["other"] == {("desk", "sales")}
    assert found["refund"] == {
        ("desk", clerk, "shipping", clerk) for clerk in ("billing-1", "billing-2")
    }


def test_routing_error_sends_work_to_the_wrong_specialist_and_nobody_notices() -> None:
    result = simulated("router_wrong_specialist")
    assert went(result) == {
        "refund": {("desk", "billing")}, "parcel_refund": {("desk", "shipping")},
    }  # fmt: skip
    assert metrics_of(result)["success_rate"] == 1.0
    mended = simulated("router_wrong_specialist", "pattern.router.max_reroutes=1")
    assert went(mended)["parcel_refund"] == {("desk", "shipping", "desk", "billing")}
