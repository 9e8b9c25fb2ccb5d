"""Control that passes from agent to agent: with what context, to whom, and for how long."""

from __future__ import annotations

import pytest

from harness.models import ModelError
from harness.patterns.handoff import Handoff, TooManyHandoffs, UnknownRecipient
from harness.spans import AGENT, TASK
from tests.patterns.simulated import rows, simulated
from tests.patterns.stage import FAILURE, Answer, Speaker, Stage

TO_B = "Answer, or hand over with a line `handoff: NAME` to one of: b, c."
TO_C = "Answer, or hand over with a line `handoff: NAME` to one of: a, c."
TO_NONE = "Answer, or hand over with a line `handoff: NAME` to one of: a, b."


def desk(
    a: Answer = "handoff: b", b: Answer = "handoff: c\nit is law", c: Answer = "done"
) -> Stage:
    return Stage(
        a=Speaker(1.0, a), b=Speaker(1.0, b), c=Speaker(1.0, c), clerk=Speaker(1.0, "in short")
    )


def test_answer_without_a_handoff_ends_the_task() -> None:
    stage = desk(a="done")
    assert stage.play(Handoff(start="a", agents=("b", "c"))).text == "done"
    assert stage.speakers["a"].prompts == [f"the task\n\n{TO_B}"]


def test_control_passes_on_with_all_that_was_said() -> None:
    stage = desk()
    answer = stage.play(Handoff(start="a", agents=("b", "c")))
    assert (answer.sender, answer.text) == ("c", "done")
    assert stage.speakers["b"].prompts == [f"the task\n\nhandoff: b\n\n{TO_C}"]
    assert stage.speakers["c"].prompts == [
        f"the task\n\nhandoff: b\n\nhandoff: c\nit is law\n\n{TO_NONE}"
    ]
    assert [turn[0] for turn in stage.turns()] == ["a", "b", "c"]


def test_only_what_was_said_last_can_be_handed_over() -> None:
    stage = desk()
    stage.play(Handoff(start="a", agents=("b", "c"), carry="last"))
    assert stage.speakers["c"].prompts == [f"handoff: c\nit is law\n\n{TO_NONE}"]


def test_summary_can_be_handed_over() -> None:
    stage = desk()
    stage.play(Handoff(start="a", agents=("b", "c"), carry="summary", summarizer="clerk"))
    assert stage.speakers["clerk"].prompts[1] == (
        "the task\n\nhandoff: b\n\nhandoff: c\nit is law\n\nSummarise this for c."
    )
    assert stage.speakers["c"].prompts == [f"in short\n\n{TO_NONE}"]
    assert stage.kernel.now_s() == 5.0  # it takes time as well


@pytest.mark.parametrize(
    "reply", ["Handoff: b", '{"handoff": "b", "reason": "law"}', "It is law.\n**Handoff:** B"]
)
def test_handoff_is_a_field_of_the_reply(reply: str) -> None:
    stage = desk(a=reply, b="done")
    assert stage.play(Handoff(start="a", agents=("b", "c"))).sender == "b"


@pytest.mark.parametrize("reply", ["handoff: none", '{"handoff": null}', "no handoff is needed"])
def test_handoff_to_nobody_is_an_answer(reply: str) -> None:
    assert desk(a=reply).play(Handoff(start="a", agents=("b", "c"))).sender == "a"


def test_recipient_who_is_not_there_fails_the_task() -> None:
    with pytest.raises(UnknownRecipient, match=r"^a hands over to 'the boss', who is not there$"):
        desk(a="handoff: the boss").play(Handoff(start="a", agents=("b", "c")))


def test_two_agents_that_hand_over_to_each_other_are_stopped() -> None:
    stage = desk(b="handoff: a")
    with pytest.raises(TooManyHandoffs, match=r"^more than 3 handoffs: a > b > a > b > a$"):
        stage.play(Handoff(start="a", agents=("b", "c"), max_handoffs=3))
    assert len(stage.turns()) == 4


def test_summary_needs_a_summarizer_and_the_other_way_round() -> None:
    for settings in ({"carry": "summary"}, {"summarizer": "clerk"}):
        with pytest.raises(
            ValueError, match=r"^`carry: summary` and `summarizer` need each other$"
        ):
            Handoff(start="a", agents=("b",), **settings)  # type: ignore[arg-type]  # its fields


def test_failure_of_whoever_has_control_ends_the_task() -> None:
    with pytest.raises(ModelError):
        desk(b=FAILURE).play(Handoff(start="a", agents=("b", "c")))


def paths(name: str, *overrides: str) -> dict[str, tuple[list[str], str]]:
    """Who had control, and the error, for each kind of task; the same in all tasks of a kind."""
    result = simulated(name, *overrides)
    turns = rows(result, AGENT, "task", "agent")
    found: dict[str, tuple[list[str], str]] = {}
    for task, kind, error in rows(result, TASK, "task", "name", "error"):
        path = [agent for of_task, agent in turns if of_task == task]
        assert found.setdefault(kind, (path, error)) == (path, error)
    return found


def test_context_that_is_handed_over_leads_to_an_answer() -> None:
    assert paths("handoff") == {"refund": (["triage", "billing"], "")}


def test_context_that_is_lost_makes_two_agents_hand_over_for_ever() -> None:
    """Billing no longer sees the order's number, and sends the task back to triage, which sends it to billing."""
    assert paths("handoff_lost_context") == {
        "question": (["triage"], ""),
        "refund": (["triage", "billing"] * 3, "TooManyHandoffs"),
    }
    assert paths("handoff_lost_context", "pattern.handoff.carry=full") == {
        "question": (["triage"], ""),
        "refund": (["triage", "billing"], ""),
    }
