"""A manager, workers who write to one another, and a context that they share."""

from __future__ import annotations

from typing import Any

import pytest

from harness.patterns.hybrid import Hybrid, PlanEmpty, StillTalking, UnknownColleague
from harness.spans import AGENT
from tests.patterns.simulated import metrics_of, rows, simulated
from tests.patterns.stage import Speaker, Stage


def paper(**more: Speaker) -> Stage:
    speakers = {
        "boss": Speaker(1.0, "1. b: find it\n2. write\n3. check", "whole"),
        "a": Speaker(1.0, "A"),
        "b": Speaker(2.0, "B"),
    }
    return Stage(**{**speakers, **more})


def hybrid(**more: Any) -> Hybrid:  # noqa: ANN401 - its fields
    return Hybrid(**{"manager": "boss", "workers": ("a", "b"), **more})


def test_items_go_to_those_whom_they_name_and_others_to_the_next_in_turn() -> None:
    stage = paper()
    assert stage.play(hybrid()).text == "whole"
    assert stage.speakers["a"].prompts == ["write"]
    assert stage.speakers["b"].prompts == ["b: find it\n\ncheck"]
    assert stage.speakers["boss"].prompts[1] == "the task\n\nA\n\nB"


def test_letter_is_answered_in_the_next_round_with_what_the_others_have_found() -> None:
    stage = paper(a=Speaker(1.0, "to: b\nhow much?"), b=Speaker(1.0, "B", "ten"))
    stage.play(hybrid())
    assert stage.speakers["b"].prompts[1] == "to: b\nhow much?"
    assert ("a", "b", "request") in stage.messages()


def test_context_is_shared() -> None:
    stage = paper(
        boss=Speaker(1.0, "1. a: x 2. b: y 3. c: z", "whole"),
        a=Speaker(1.0, "A", "A2"),
        b=Speaker(1.0, "to: a\nlook"),
        c=Speaker(1.0, "C"),
    )
    stage.play(hybrid(workers=("a", "b", "c")))
    assert stage.speakers["a"].prompts[1] == "C\n\nto: a\nlook"  # what c has found, and the letter
    assert [row for row in stage.messages() if row[2] == "update"] == [("c", "a", "update")]


def test_workers_who_never_stop_writing_are_stopped() -> None:
    stage = paper(a=Speaker(1.0, "to: b"), b=Speaker(1.0, "to: a"))
    with pytest.raises(StillTalking, match="a, b still have mail after 3 rounds"):
        stage.play(hybrid(max_rounds=3))


def test_letter_to_nobody_fails_the_task() -> None:
    with pytest.raises(UnknownColleague, match="a writes to 'zoe', who is not there"):
        paper(a=Speaker(1.0, "to: Zoe")).play(hybrid())


def test_plan_without_items_fails_the_task() -> None:
    with pytest.raises(PlanEmpty):
        paper(boss=Speaker(1.0, "")).play(hybrid())


def test_messages_have_the_version() -> None:
    assert paper().play(hybrid(version="2")).version == "2"


def test_worker_is_listed_once() -> None:
    with pytest.raises(ValueError, match="a worker is listed twice"):
        hybrid(workers=("a", "a"))


def test_writer_asks_the_researcher_and_is_answered() -> None:
    result = simulated("hybrid")
    assert metrics_of(result)["calls_mean"] == 7
    turns = rows(result, AGENT, "task", "agent")
    assert [agent for number, agent in turns if number == 1].count("writer") == 2
