"""Stages that are given results by name, whose results are checked, and that go back."""

from __future__ import annotations

import pytest

from harness.agents import Message
from harness.patterns.pipeline import Pipeline, ResultRefused
from harness.patterns.pipeline import Stage as Step
from harness.spans import AGENT, TASK
from tests.patterns.simulated import metrics_of, rows, simulated
from tests.patterns.stage import Speaker, Stage

NUMBER = {"type": "object", "required": ["sum"], "properties": {"sum": {"type": "number"}}}


def test_stage_is_given_results_by_name() -> None:
    stage = Stage(a=Speaker(1.0, "A"), b=Speaker(1.0, "B"), c=Speaker(1.0, "C"))
    stages = ("a", Step(agent="b", name="draft"), Step(agent="c", inputs=("task", "draft", "a")))
    assert stage.play(Pipeline(stages=stages)).text == "C"
    assert stage.speakers["c"].prompts == ["the task\n\nB\n\nA"]


def test_second_result_of_an_agent_has_a_number() -> None:
    stage = Stage(a=Speaker(1.0, "1", "2", "3"), b=Speaker(1.0, "B"))
    stages = ("a", "a", Step(agent="b", inputs=("a", "a-2")))
    stage.play(Pipeline(stages=stages))
    assert stage.speakers["b"].prompts == ["1\n\n2"]


def test_result_that_keeps_its_schema_goes_on() -> None:
    stage = Stage(a=Speaker(1.0, '{"sum": 4}'), b=Speaker(1.0, "B"))
    assert stage.play(Pipeline(stages=(Step(agent="a", schema=NUMBER), "b"))).text == "B"


@pytest.mark.parametrize(
    ("said", "why"),
    [("four", "it is no JSON"), ('{"sum": "4"}', ".sum: '4' is not of type 'number'"), ("{}", "'sum' is a required property")],
)  # fmt: skip
def test_result_that_breaks_its_schema_fails_the_task_and_the_next_stage_sees_nothing(
    said: str, why: str
) -> None:
    stage = Stage(a=Speaker(1.0, said), b=Speaker(1.0, "B"))
    with pytest.raises(ResultRefused) as raised:
        stage.play(Pipeline(stages=(Step(agent="a", schema=NUMBER), "b")))
    assert why in str(raised.value)
    assert stage.speakers["b"].prompts == []


def test_stage_works_again_when_it_is_told_what_is_wrong() -> None:
    stage = Stage(a=Speaker(1.0, "four", '{"sum": 4}'), b=Speaker(1.0, "B"))
    stage.play(Pipeline(stages=(Step(agent="a", schema=NUMBER, back_to="a"), "b")))
    assert stage.speakers["a"].prompts[1] == (
        "the task\n\nThe result of a was refused: it is no JSON"
    )
    assert ("team", "a", "error") in stage.messages()


def test_going_back_repeats_the_stages_between() -> None:
    stage = Stage(
        a=Speaker(1.0, "a1", "a2"), b=Speaker(1.0, "b1", "b2"), c=Speaker(1.0, "no", '{"sum": 1}')
    )
    stages = ("a", "b", Step(agent="c", schema=NUMBER, back_to="a"))
    stage.play(Pipeline(stages=stages))
    assert [name for name, *_ in stage.turns()] == ["a", "b", "c"] * 2
    assert stage.speakers["c"].prompts[1] == "b2"


def test_going_back_is_bounded() -> None:
    stage = Stage(a=Speaker(1.0, "no"))
    with pytest.raises(ResultRefused):
        stage.play(Pipeline(stages=(Step(agent="a", schema=NUMBER, back_to="a"),), max_back=3))
    assert len(stage.turns()) == 4


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        (("a", Step(agent="b", inputs=("c",))), "b is given 'c', and before it there are task, a"),
        ((Step(agent="a", name="task"),), "two results are called 'task'"),
        (("a", Step(agent="b", name="a")), "two results are called 'a'"),
        ((Step(agent="a", schema={}, back_to="b"), "b"), "a goes back to 'b', which is no stage up to it"),
        ((Step(agent="a", schema={}, back_to="task"),), "a goes back to 'task'"),
    ],
)  # fmt: skip
def test_wrong_stages_are_told(stages: tuple[str | Step, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Pipeline(stages=stages)


def test_wrong_schema_is_told() -> None:
    with pytest.raises(ValueError, match="`schema` is no JSON Schema"):
        Step(agent="a", schema={"type": "nonsense"})


# -- scenarios --------------------------------------------------------------------------------------


def test_form_is_mended_once_and_the_letter_is_written_from_task_and_form() -> None:
    result = simulated("pipeline_checked")
    turns = [agent for (agent,) in rows(result, AGENT, "agent")]
    assert turns.count("reader") == 2 * turns.count("writer") == 2 * result.tally.tasks
    strict = simulated("pipeline_checked", "pattern.pipeline.max_back=0")
    assert {error for (error,) in rows(strict, TASK, "error")} == {"ResultRefused"}


def test_error_of_the_first_stage_is_everyones_and_latency_adds_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: dict[str, set[str]] = {}
    run = Pipeline.run

    async def watched(self: Pipeline, task: Message, team: object) -> Message:
        answer = await run(self, task, team)  # type: ignore[arg-type]  # its own
        answers.setdefault(task.task.kind, set()).add(answer.text)
        return answer

    monkeypatch.setattr(Pipeline, "run", watched)
    result = simulated("pipeline_first_error")
    assert answers == {
        "clear": {"Dear customer, we pay 400 euros."},
        "blurred": {"Dear customer, we pay 4 euros."},
    }
    assert metrics_of(result)["success_rate"] == 1.0  # nobody notices
    turns = rows(result, AGENT, "task", "arrival_s", "end_s")
    for number, arrival_s, end_s in rows(result, TASK, "task", "arrival_s", "end_s"):
        mine = sorted(row[1:] for row in turns if row[0] == number)
        assert [begin for begin, _ in mine] == [arrival_s, *(end for _, end in mine[:-1])]
        assert mine[-1][1] == end_s
