"""Drafts and criticism until a draft is accepted, or none ever is."""

from __future__ import annotations

import pytest

from harness.models import ModelError
from harness.patterns.refine import JUDGE, REWRITE, NeverAccepted, Refine
from harness.spans import CALL, TASK
from tests.patterns.simulated import metrics_of, rows, simulated
from tests.patterns.stage import FAILURE, Answer, Speaker, Stage

PATTERN = Refine(generator="writer", critic="critic")


def desk(*verdicts: Answer) -> Stage:
    return Stage(writer=Speaker(2.0, "one", "two", "three"), critic=Speaker(1.0, *verdicts))


def test_draft_that_is_accepted_at_once_is_the_answer() -> None:
    stage = desk("accept")
    answer = stage.play(PATTERN)
    assert (answer.sender, answer.text) == ("writer", "one")
    assert stage.turns() == [("writer", 0.0, 2.0, "ok"), ("critic", 2.0, 3.0, "ok")]


def test_generator_reads_its_draft_and_the_criticism() -> None:
    stage = desk("too long", "Verdict: accept")
    assert stage.play(PATTERN).text == "two"
    assert stage.speakers["writer"].prompts == [
        "the task",
        f"the task\n\none\n\ntoo long\n\n{REWRITE}",
    ]
    assert stage.speakers["critic"].prompts[1] == f"the task\n\ntwo\n\n{JUDGE}"


@pytest.mark.parametrize(
    "verdict", ["acceptable, but long", "accept? no", "I cannot accept this", "accept/reject", ""]
)
def test_whatever_does_not_accept_is_criticism(verdict: str) -> None:
    stage = desk(verdict, "accept")
    assert stage.play(PATTERN).text == "two"


def test_critic_that_never_accepts_fails_the_task_after_the_last_draft() -> None:
    stage = desk("no")
    with pytest.raises(NeverAccepted, match=r"^critic accepted none of 3 drafts$"):
        stage.play(PATTERN)
    assert [len(speaker.prompts) for speaker in stage.speakers.values()] == [3, 3]


def test_last_draft_can_be_the_answer() -> None:
    pattern = Refine(generator="writer", critic="critic", max_drafts=2, on_exhausted="last")
    assert desk("no").play(pattern).text == "two"


def test_failure_of_the_critic_ends_the_task() -> None:
    with pytest.raises(ModelError):
        desk(FAILURE).play(PATTERN)


def test_critic_with_a_reason_ends_in_success() -> None:
    result = simulated("refine")
    assert set(rows(result, TASK, "status")) == {("ok",)}
    assert metrics_of(result)["calls_mean"] == 4


def test_critic_that_never_accepts_costs_every_draft_and_gives_none() -> None:
    result = simulated("refine_never")
    endings = set(rows(result, TASK, "name", "status", "error"))
    assert endings == {("note", "ok", ""), ("report", "error", "NeverAccepted")}
    kinds = dict(rows(result, TASK, "task", "name"))
    calls = rows(result, CALL, "task", "agent")
    for task, kind in kinds.items():
        number = 3 if kind == "report" else 1
        assert [calls.count((task, agent)) for agent in ("writer", "pedant")] == [number] * 2
