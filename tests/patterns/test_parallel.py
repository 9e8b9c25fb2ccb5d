"""Several members answer one task at once: what becomes of their answers, of failures and of disagreement."""

from __future__ import annotations

import asyncio

import pytest

from harness.agents import Message
from harness.kernel import run
from harness.models import ModelError
from harness.patterns.aggregators import (
    Aggregator,
    BestOf,
    First,
    Majority,
    Merge,
    NoMajority,
    Quorum,
)
from harness.patterns.decisions import DecisionUnreadable
from harness.patterns.parallel import Parallel, TooFewAnswers
from harness.spans import ATTEMPT, CALL, TASK
from tests.patterns.simulated import rows, simulated
from tests.patterns.stage import FAILURE, Answer, Speaker, Stage

THREE = ("a", "b", "c")


def three(*answers: Answer, judge: Answer = "1") -> Stage:
    """Three members that take 3, 1 and 2 seconds."""
    a, b, c = answers
    return Stage(a=Speaker(3.0, a), b=Speaker(1.0, b), c=Speaker(2.0, c), judge=Speaker(1.0, judge))


def together(aggregate: Aggregator, min_answers: int = 1) -> Parallel:
    return Parallel(members=THREE, aggregate=aggregate, min_answers=min_answers)


# -- merge --------------------------------------------------------------------------------------------------------


def test_answers_are_joined_in_the_order_of_the_list() -> None:
    stage = three("A", "BB", "C")
    answer = stage.play(together(Merge()))
    assert (answer.sender, answer.text, answer.tokens) == ("team", "A\n\nBB\n\nC", 4)
    assert stage.turns() == [("a", 0.0, 3.0, "ok"), ("b", 0.0, 1.0, "ok"), ("c", 0.0, 2.0, "ok")]


def test_member_that_merges_gets_the_task_and_the_answers() -> None:
    stage = three("A", "B", "C", judge="all")
    assert stage.play(together(Merge(by="judge"))).text == "all"
    assert stage.speakers["judge"].prompts == ["the task\n\nA\n\nB\n\nC"]


def test_merge_does_without_a_member_that_failed() -> None:
    stage = three("A", FAILURE, "C")
    assert stage.play(together(Merge())).text == "A\n\nC"


def test_too_few_answers_fail_the_task() -> None:
    stage = three("A", FAILURE, FAILURE)
    with pytest.raises(TooFewAnswers, match=r"^1 of 3 members answered, 2 are needed$"):
        stage.play(together(Merge(), min_answers=2))


@pytest.mark.parametrize(
    "aggregate", [First(), Quorum(k=2), Majority(), BestOf(judge="judge"), Merge()]
)
def test_task_fails_with_the_failure_that_came_first_when_nobody_answers(
    aggregate: Aggregator,
) -> None:
    with pytest.raises(ModelError) as raised:
        three(TimeoutError(), FAILURE, TimeoutError()).play(together(aggregate))
    assert raised.value is FAILURE


# -- first and quorum ---------------------------------------------------------------------------------------------


def test_first_answer_wins_and_the_others_are_cancelled() -> None:
    stage = three("A", "B", "C")
    assert stage.play(together(First())).text == "B"
    assert stage.turns() == [
        ("a", 0.0, 1.0, "cancelled"), ("b", 0.0, 1.0, "ok"), ("c", 0.0, 1.0, "cancelled"),
    ]  # fmt: skip


def test_failure_is_no_first_answer() -> None:
    stage = three("A", FAILURE, "C")
    assert stage.play(together(First())).text == "C"
    assert stage.kernel.now_s() == 2.0


def test_of_answers_at_the_same_moment_the_one_listed_first_wins() -> None:
    stage = Stage(a=Speaker(1.0, "A"), b=Speaker(1.0, "B"))
    assert stage.play(Parallel(members=("b", "a"), aggregate=First())).text == "B"


def test_quorum_is_there_with_the_kth_answer() -> None:
    stage = three("A", "B", "C")
    assert stage.play(together(Quorum(k=2))).text == "B\n\nC"
    assert stage.turns()[0] == ("a", 0.0, 2.0, "cancelled")


def test_quorum_that_cannot_be_reached_any_more_is_not_waited_for() -> None:
    stage = three("A", "B", FAILURE)
    with pytest.raises(TooFewAnswers, match=r"^1 of 3 members answered, 3 are needed$"):
        stage.play(together(Quorum(k=3)))
    assert stage.turns()[0] == ("a", 0.0, 2.0, "cancelled")


# -- majority -----------------------------------------------------------------------------------------------------


def test_majority_is_the_answer_of_most_whatever_its_case_and_spaces() -> None:
    assert three("Paris", "London", "  paris ").play(together(Majority())).sender == "a"


def test_options_are_read_from_answers_of_many_words() -> None:
    stage = three("yes, it scales", "no: too slow", "Verdict: yes")
    answer = stage.play(together(Majority(options=("yes", "no"))))
    assert answer.text == "yes, it scales"


def test_three_answers_that_all_differ_have_no_majority() -> None:
    with pytest.raises(NoMajority, match=r"^no majority among 3 answers: 'x' 1, 'y' 1, 'z' 1$"):
        three("x", "y", "z").play(together(Majority()))


def test_tie_has_no_majority_until_less_than_a_half_is_asked_for() -> None:
    stage = three("x", FAILURE, "y")
    with pytest.raises(NoMajority):
        stage.play(together(Majority()))
    assert three("x", FAILURE, "y").play(together(Majority(share=0.4))).text == "x"


def test_answer_that_is_no_option_counts_among_those_who_answered() -> None:
    with pytest.raises(NoMajority, match=r"^no majority among 3 answers: 'yes' 1$"):
        three("yes", "perhaps", "who knows").play(together(Majority(options=("yes", "no"))))
    with pytest.raises(NoMajority, match=r"^no majority among 3 answers: none$"):
        three("?", "?", "?").play(together(Majority(options=("yes", "no"), share=0.0)))


# -- best of ------------------------------------------------------------------------------------------------------


def test_judge_names_the_best_by_its_number() -> None:
    stage = three("A", "B", "C", judge="2: it is short")
    assert stage.play(together(BestOf(judge="judge"))).sender == "b"
    assert stage.speakers["judge"].prompts == [
        "the task\n\nA\n\nB\n\nC\n\nWhich of these 3 answers is the best? Begin with its number."
    ]


def test_numbers_are_those_of_the_answers_that_came() -> None:
    stage = three("A", FAILURE, "C", judge="2")
    assert stage.play(together(BestOf(judge="judge"))).text == "C"


def test_one_answer_needs_no_judge() -> None:
    stage = three(FAILURE, FAILURE, "C")
    assert stage.play(together(BestOf(judge="judge"))).text == "C"
    assert stage.speakers["judge"].prompts == []


@pytest.mark.parametrize("verdict", ["4", "all are fine", "12", ""])
def test_verdict_that_names_no_answer_fails_the_task_or_means_the_first(verdict: str) -> None:
    with pytest.raises(DecisionUnreadable, match=r"^judge chose none of 1, 2, 3: "):
        three("A", "B", "C", judge=verdict).play(together(BestOf(judge="judge")))
    pattern = together(BestOf(judge="judge", on_unreadable="first"))
    assert three("A", "B", "C", judge=verdict).play(pattern).text == "A"


# -- all of them --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("aggregate", [First(), Quorum(k=2), Majority(), Merge()])
def test_mistake_in_the_program_is_no_failure_of_a_member(aggregate: Aggregator) -> None:
    stage = three("A", ValueError("a bug"), "C")
    with pytest.raises(ValueError, match=r"^a bug$"):
        stage.play(together(aggregate))
    assert stage.turns()[0] == ("a", 0.0, 1.0, "cancelled")


@pytest.mark.parametrize("aggregate", [First(), Quorum(k=2), Majority(), Merge()])
def test_giving_up_on_the_task_ends_everybody(aggregate: Aggregator) -> None:
    stage = three("A", "B", "C")

    async def give_up() -> None:
        async with asyncio.timeout(0.5):
            await together(aggregate).run(Message(stage.task, "user", "the task", 1), stage.team)

    with pytest.raises(TimeoutError):
        run(stage.kernel, give_up())
    assert {row[2:] for row in stage.turns()} == {(0.5, "cancelled")}


def test_more_answers_than_members_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^4 answers are wanted of 3 members$"):
        together(Quorum(k=4))
    with pytest.raises(ValueError, match=r"^5 answers are wanted of 3 members$"):
        together(Merge(), min_answers=5)


# -- scenarios ----------------------------------------------------------------------------------------------------


def test_majority_hides_the_failures_of_single_members() -> None:
    result = simulated("parallel")
    assert ("error",) in rows(result, ATTEMPT, "status")
    assert set(rows(result, TASK, "status")) == {("ok",)}


def test_members_that_disagree_cost_three_calls_and_give_no_answer() -> None:
    result = simulated("parallel_disagreement")
    tasks = rows(result, TASK, "name", "status", "error")
    assert {row[0] for row in tasks} == {"fact", "opinion"}
    for kind, status, error in tasks:
        assert (status, error) == (("ok", "") if kind == "fact" else ("error", "NoMajority"))
    assert len(rows(result, CALL)) == 3 * len(tasks)
