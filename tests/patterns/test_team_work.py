"""Patterns, each with agents whose models take a stated time, say a stated thing, or fail."""

from __future__ import annotations

import asyncio

import pytest

from harness.agents import Message, Tool
from harness.kernel import run
from harness.models import ModelError, Reply, ToolCall
from harness.patterns.orchestrator_worker import OrchestratorWorker
from harness.patterns.pipeline import Pipeline
from harness.patterns.react import IterationCapReached, React
from harness.patterns.single import Single
from harness.spans import TASK
from tests.patterns.simulated import rows, simulated
from tests.patterns.stage import FAILURE, Answer, Kitchen, Speaker, Stage

# -- single and pipeline ------------------------------------------------------------------------------------------


def test_single_agent_answers_the_task() -> None:
    stage = Stage(clerk=Speaker(3.0, "done"))
    answer = stage.play(Single(agent="clerk"))
    assert (answer.sender, answer.text, answer.tokens) == ("clerk", "done", 4)
    assert stage.speakers["clerk"].prompts == ["the task"]
    assert stage.turns() == [("clerk", 0.0, 3.0, "ok")]


def test_stages_of_a_pipeline_work_one_after_another_on_what_the_one_before_said() -> None:
    stage = Stage(
        writer=Speaker(3.0, "draft"), editor=Speaker(2.0, "edited"), printer=Speaker(1.0, "page")
    )
    answer = stage.play(Pipeline(stages=("writer", "editor", "printer")))
    assert answer.text == "page"
    assert [stage.speakers[name].prompts for name in ("writer", "editor", "printer")] == [
        ["the task"], ["draft"], ["edited"],
    ]  # fmt: skip
    assert stage.speakers["editor"].input_tokens == [len("draft")]
    assert stage.turns() == [
        ("writer", 0.0, 3.0, "ok"), ("editor", 3.0, 5.0, "ok"), ("printer", 5.0, 6.0, "ok"),
    ]  # fmt: skip


def test_agent_may_be_two_stages_of_a_pipeline() -> None:
    stage = Stage(writer=Speaker(1.0, "draft", "final"))
    assert stage.play(Pipeline(stages=("writer", "writer"))).text == "final"
    assert stage.speakers["writer"].prompts == ["the task", "draft"]


def test_stage_that_fails_ends_the_pipeline() -> None:
    stage = Stage(writer=Speaker(1.0, FAILURE), editor=Speaker(1.0, "edited"))
    with pytest.raises(ModelError):
        stage.play(Pipeline(stages=("writer", "editor")))
    assert stage.speakers["editor"].prompts == []
    assert stage.turns() == [("writer", 0.0, 1.0, "error")]


# -- orchestrator and workers -------------------------------------------------------------------------------------


def test_workers_work_side_by_side_on_the_task_and_the_plan() -> None:
    stage = Stage(
        boss=Speaker(1.0, "plan"),
        left=Speaker(5.0, "L"),
        right=Speaker(2.0, "R"),
        sum=Speaker(1.0, "LR"),
    )
    answer = stage.play(
        OrchestratorWorker(orchestrator="boss", workers=("left", "right"), synthesizer="sum")
    )
    assert (answer.sender, answer.text) == ("sum", "LR")
    assert stage.speakers["left"].prompts == stage.speakers["right"].prompts == ["the task\n\nplan"]
    assert stage.speakers["left"].input_tokens == [100 + len("plan")]
    assert stage.speakers["sum"].prompts == ["L\n\nR"]  # in the order of the file, not of the ends
    assert stage.turns() == [
        ("boss", 0.0, 1.0, "ok"), ("left", 1.0, 6.0, "ok"), ("right", 1.0, 3.0, "ok"), ("sum", 6.0, 7.0, "ok"),
    ]  # fmt: skip


def test_without_an_orchestrator_the_workers_get_the_bare_task() -> None:
    stage = Stage(left=Speaker(1.0, "L"), sum=Speaker(1.0, "S"))
    stage.play(OrchestratorWorker(workers=("left",), synthesizer="sum"))
    assert stage.speakers["left"].prompts == ["the task"]


def test_without_a_synthesizer_the_results_are_joined() -> None:
    stage = Stage(left=Speaker(1.0, "L"), right=Speaker(1.0, "RR"))
    answer = stage.play(OrchestratorWorker(workers=("left", "right")))
    assert (answer.sender, answer.text, answer.tokens) == ("team", "L\n\nRR", 3)


def test_one_agent_may_be_several_workers() -> None:
    stage = Stage(worker=Speaker(2.0, "1", "2", "3"))
    answer = stage.play(OrchestratorWorker(workers=("worker",) * 3))
    assert answer.text == "1\n\n2\n\n3"
    assert stage.kernel.now_s() == 2.0


def workers_of_which_one_fails() -> Stage:
    return Stage(
        slow=Speaker(9.0, "S"),
        bad=Speaker(3.0, FAILURE),
        fast=Speaker(1.0, "F"),
        sum=Speaker(1.0, "done"),
    )


def test_failure_cancels_the_other_workers_when_it_fails_the_task() -> None:
    stage = workers_of_which_one_fails()
    with pytest.raises(ModelError) as raised:
        stage.play(OrchestratorWorker(workers=("slow", "bad", "fast"), synthesizer="sum"))
    assert raised.value is FAILURE
    assert stage.turns() == [
        ("slow", 0.0, 3.0, "cancelled"), ("bad", 0.0, 3.0, "error"), ("fast", 0.0, 1.0, "ok"),
    ]  # fmt: skip
    assert stage.kernel.now_s() == 3.0


def test_synthesis_does_without_a_result_that_is_missing() -> None:
    stage = workers_of_which_one_fails()
    pattern = OrchestratorWorker(
        workers=("slow", "bad", "fast"), synthesizer="sum", on_failure="partial"
    )
    assert stage.play(pattern).text == "done"
    assert stage.speakers["sum"].prompts == ["S\n\nF"]
    assert stage.turns()[0] == ("slow", 0.0, 9.0, "ok")


def test_default_text_stands_for_a_result_that_is_missing() -> None:
    stage = workers_of_which_one_fails()
    pattern = OrchestratorWorker(
        workers=("slow", "bad", "fast"),
        synthesizer="sum",
        on_failure="default",
        default_text="sorry",
    )
    assert stage.play(pattern).text == "done"
    assert stage.speakers["sum"].prompts == ["S\n\nsorry\n\nF"]
    assert stage.speakers["sum"].input_tokens == [1 + 2 + 1]  # `sorry` is two tokens


@pytest.mark.parametrize("on_failure", ["fail", "partial", "default"])
def test_task_fails_with_the_first_failure_when_all_workers_fail(on_failure: str) -> None:
    other = TimeoutError()
    stage = Stage(left=Speaker(2.0, FAILURE), right=Speaker(3.0, other), sum=Speaker(1.0, "done"))
    pattern = OrchestratorWorker(
        workers=("left", "right"),
        synthesizer="sum",
        on_failure=on_failure,  # type: ignore[arg-type]  # one of its literals
    )
    with pytest.raises(ModelError) as raised:
        stage.play(pattern)
    assert raised.value is FAILURE
    assert stage.speakers["sum"].prompts == []


@pytest.mark.parametrize("bad", ["boss", "sum"])
@pytest.mark.parametrize("on_failure", ["fail", "partial", "default"])
def test_failure_of_the_orchestrator_or_the_synthesizer_fails_the_task(
    on_failure: str, bad: str
) -> None:
    answers: dict[str, Answer] = {"boss": "plan", "left": "L", "sum": "done", bad: FAILURE}
    stage = Stage(**{name: Speaker(1.0, answer) for name, answer in answers.items()})
    pattern = OrchestratorWorker(
        orchestrator="boss",
        workers=("left",),
        synthesizer="sum",
        on_failure=on_failure,  # type: ignore[arg-type]  # one of its literals
    )
    with pytest.raises(ModelError):
        stage.play(pattern)


@pytest.mark.parametrize("on_failure", ["fail", "partial", "default"])
def test_mistake_in_the_program_is_never_taken_for_a_missing_result(on_failure: str) -> None:
    stage = Stage(left=Speaker(1.0, "L"), right=Speaker(1.0, ValueError("a bug")))
    pattern = OrchestratorWorker(workers=("left", "right"), on_failure=on_failure)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^a bug$"):
        stage.play(pattern)


@pytest.mark.parametrize("on_failure", ["fail", "partial", "default"])
def test_giving_up_on_the_task_ends_all_its_workers(on_failure: str) -> None:
    stage = Stage(left=Speaker(10.0, "L"), right=Speaker(20.0, "R"))
    pattern = OrchestratorWorker(workers=("left", "right"), on_failure=on_failure)  # type: ignore[arg-type]

    async def give_up() -> None:
        async with asyncio.timeout(5.0):
            await pattern.run(Message(stage.task, "user", "the task", 1), stage.team)

    with pytest.raises(TimeoutError):
        run(stage.kernel, give_up())
    assert stage.turns() == [("left", 0.0, 5.0, "cancelled"), ("right", 0.0, 5.0, "cancelled")]


# -- reasoning and acting -----------------------------------------------------------------------------------------

SEARCH, CALCULATE = ToolCall("search", {"query": "tides"}), ToolCall("calculate", {})


def wishing(*calls: ToolCall, tokens: int = 10) -> Reply:
    return Reply("let me see", calls, tokens)


def test_agent_uses_tools_until_it_asks_for_none() -> None:
    search = Kitchen(2.0, "three documents found")
    stage = Stage(
        {"search": search}, a=Speaker(1.0, wishing(SEARCH), wishing(SEARCH), "the answer")
    )
    answer = stage.play(React(agent="a"))
    assert answer.text == "the answer"
    assert stage.kernel.now_s() == 1 + 2 + 1 + 2 + 1
    assert stage.tools() == [("search", 1, 1.0, 3.0, "ok", ""), ("search", 2, 4.0, 6.0, "ok", "")]
    assert search.uses == [(SEARCH, "1/a/search/1"), (SEARCH, "1/a/search/2")]
    assert stage.turns() == [("a", 0.0, 7.0, "ok")]  # one turn, whatever it took


def test_conversation_grows_by_replies_and_results() -> None:
    stage = Stage(
        {"search": Kitchen(2.0, "x" * 40)}, a=Speaker(1.0, wishing(SEARCH, tokens=7), "the answer")
    )
    stage.play(React(agent="a"))
    speaker = stage.speakers["a"]
    assert speaker.prompts == ["the task", "x" * 40]
    assert speaker.input_tokens == [100, 100 + 7 + 10]


def test_tools_of_one_reply_are_used_side_by_side() -> None:
    tools: dict[str, Tool] = {"search": Kitchen(5.0, "slow"), "calculate": Kitchen(1.0, "42")}
    stage = Stage(tools, a=Speaker(1.0, wishing(SEARCH, CALCULATE), "the answer"))
    stage.play(React(agent="a"))
    assert stage.speakers["a"].prompts[1] == "slow\n\n42"  # in the order of asking
    assert [(name, begin_s, end_s) for name, _, begin_s, end_s, *_ in stage.tools()] == [
        ("calculate", 1.0, 2.0),
        ("search", 1.0, 6.0),
    ]
    assert stage.kernel.now_s() == 7.0


def test_failure_of_a_tool_becomes_part_of_the_conversation() -> None:
    stage = Stage({"search": Kitchen(2.0, None)}, a=Speaker(1.0, wishing(SEARCH), "I could not"))
    assert stage.play(React(agent="a")).text == "I could not"
    assert stage.speakers["a"].prompts == ["the task", "error: out of order"]
    assert stage.tools() == [("search", 1, 1.0, 3.0, "error", "tool_error")]


def test_tool_that_is_not_there_becomes_part_of_the_conversation() -> None:
    stage = Stage({}, a=Speaker(1.0, wishing(SEARCH), "I could not"))
    assert stage.play(React(agent="a")).text == "I could not"
    assert stage.speakers["a"].prompts == ["the task", "error: there is no tool 'search'"]
    assert stage.tools() == [("search", 1, 1.0, 1.0, "error", "tool_error")]


def test_agent_that_never_has_enough_is_stopped_at_the_cap() -> None:
    stage = Stage({"search": Kitchen(0.0, "more")}, a=Speaker(1.0, wishing(SEARCH)))
    with pytest.raises(IterationCapReached, match=r"^a has no answer after 3 iterations$"):
        stage.play(React(agent="a", max_iterations=3))
    assert len(stage.speakers["a"].prompts) == 3
    assert stage.turns() == [("a", 0.0, 3.0, "error")]


def test_answer_in_the_last_iteration_is_taken() -> None:
    stage = Stage({"search": Kitchen(0.0, "more")}, a=Speaker(1.0, wishing(SEARCH), "the answer"))
    assert stage.play(React(agent="a", max_iterations=2)).text == "the answer"


def test_failure_of_a_call_ends_the_reasoning() -> None:
    stage = Stage({"search": Kitchen(0.0, "more")}, a=Speaker(1.0, wishing(SEARCH), FAILURE))
    with pytest.raises(ModelError):
        stage.play(React(agent="a"))
    assert stage.turns() == [("a", 0.0, 2.0, "error")]


def test_one_agent_cannot_read_more_than_its_window() -> None:
    """Every long contract fails, at once and for good; none of the others does."""
    result = simulated("single_overflow")
    read = {row[0]: row[1] for row in result.events.rows("task", "tokens", "name") if row[2] == "message" and row[1] != 300}  # fmt: skip
    ends = dict(rows(result, TASK, "task", "error"))
    too_long = {number for number, tokens in read.items() if tokens + 400 > 8000}
    assert too_long
    assert {number for number, error in ends.items() if error} == too_long
    assert {error for error in ends.values() if error} == {"invalid_request_error"}
    assert len(rows(result, "attempt", "task")) == len(ends)  # a 400 is not retried
