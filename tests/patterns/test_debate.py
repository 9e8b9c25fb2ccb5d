"""A debate: proposals, objections, answers to them and a verdict; its cost, and critics that agree."""

from __future__ import annotations

import pytest

from harness.models import ModelError
from harness.patterns.debate import CRITICISE, DEFEND, JUDGE, Debate, NoProposalAccepted
from harness.patterns.decisions import DecisionUnreadable
from harness.spans import CALL, TASK
from tests.patterns.simulated import metrics_of, rows, simulated
from tests.patterns.stage import FAILURE, Answer, Speaker, Stage


def debaters(critic: Answer = "it is slow", judge: Answer = "2", **others: Answer) -> Stage:
    said: dict[str, tuple[Answer, ...]] = {
        "a": ("A", "A2", "A3"), "b": ("B", "Defend: it stands"), "critic": (critic,), "judge": (judge,),
    }  # fmt: skip
    said |= {name: (answer,) for name, answer in others.items()}
    return Stage(**{name: Speaker(1.0, *answers) for name, answers in said.items()})


def debate(rounds: int = 1) -> Debate:
    return Debate(proponents=("a", "b"), critics=("critic",), judge="judge", rounds=rounds)


def test_each_reads_what_it_has_to_answer() -> None:
    stage = debaters()
    stage.play(debate())
    prompts = {name: speaker.prompts for name, speaker in stage.speakers.items()}
    assert prompts == {
        "a": ["the task", f"the task\n\nA\n\nit is slow\n\n{DEFEND}"],
        "b": ["the task", f"the task\n\nB\n\nit is slow\n\n{DEFEND}"],
        "critic": [f"the task\n\nA\n\nB\n\n{CRITICISE}"],
        "judge": [f"the task\n\nA2\n\nB\n\n{JUDGE}"],  # a has revised, b has defended
    }
    assert stage.kernel.now_s() == 4.0  # side by side within a step


@pytest.mark.parametrize(("verdict", "answer"), [("2", "B"), ("1: better", "A2"), ("**1**", "A2")])
def test_answer_is_the_proposal_that_the_judge_accepts(verdict: str, answer: str) -> None:
    assert debaters(judge=verdict).play(debate()).text == answer


def test_every_round_is_criticised_and_answered() -> None:
    stage = debaters(judge="1")
    assert stage.play(debate(rounds=2)).text == "A3"
    assert stage.speakers["critic"].prompts[1] == f"the task\n\nA2\n\nB\n\n{CRITICISE}"


def test_critic_that_agrees_ends_the_debate_with_the_proposals_as_they_were() -> None:
    stage = debaters(critic="I agree with both", judge="1")
    assert stage.play(debate(rounds=5)).text == "A"
    assert [len(speaker.prompts) for speaker in stage.speakers.values()] == [1, 1, 1, 1]


def test_one_objection_among_critics_that_agree_is_answered() -> None:
    stage = debaters(critic="agree", other="B is slow")
    stage.play(Debate(proponents=("a", "b"), critics=("critic", "other"), judge="judge"))
    assert stage.speakers["a"].prompts[1] == f"the task\n\nA\n\nB is slow\n\n{DEFEND}"


def test_proponents_criticise_one_another_where_there_are_no_critics() -> None:
    stage = Stage(
        a=Speaker(1.0, "A", "B is slow", "A2"),
        b=Speaker(1.0, "B", "agree", "B2"),
        judge=Speaker(1.0, "2"),
    )
    assert stage.play(Debate(proponents=("a", "b"), judge="judge")).text == "B2"
    assert stage.speakers["a"].prompts[1] == f"the task\n\nB\n\n{CRITICISE}"
    assert stage.speakers["b"].prompts[2] == f"the task\n\nB\n\nB is slow\n\n{DEFEND}"


def test_lone_proponent_without_critics_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^one proponent alone needs critics$"):
        Debate(proponents=("a",), judge="judge")


def test_judge_may_accept_nothing() -> None:
    with pytest.raises(NoProposalAccepted, match=r"^judge accepts none of 2 proposals$"):
        debaters(judge="None of them.").play(debate())


@pytest.mark.parametrize("verdict", ["3", "both", ""])
def test_verdict_that_cannot_be_read_fails_the_task_or_means_the_first(verdict: str) -> None:
    with pytest.raises(DecisionUnreadable, match=r"^judge chose none of 1, 2, none: "):
        debaters(judge=verdict).play(debate())
    pattern = Debate(
        proponents=("a", "b"), critics=("critic",), judge="judge", on_unreadable="first"
    )
    assert debaters(judge=verdict).play(pattern).text == "A2"


@pytest.mark.parametrize("bad", ["a", "b", "critic", "judge"])
def test_failure_of_anybody_ends_the_debate(bad: str) -> None:
    with pytest.raises(ModelError):
        debaters(**{bad: FAILURE}).play(debate())


def test_debate_costs_more_than_twice_one_proposal() -> None:
    alone = metrics_of(simulated("debate", "pattern={single: {agent: alice}}"))
    for name, calls, times in (("debate", 6, 5.0), ("debate_agreement", 4, 2.0)):
        found = metrics_of(simulated(name))
        assert found["calls_mean"] == calls
        assert found["cost_usd_mean"] > times * alone["cost_usd_mean"]
        assert found["latency_s_mean"] > alone["latency_s_mean"]


def test_critics_that_agree_leave_the_proposals_as_they_were() -> None:
    """Nobody is called a second time, so that the verdict is about the first proposals."""
    result = simulated("debate_agreement")
    calls = rows(result, CALL, "task", "agent", "ordinal")
    tasks = len(rows(result, TASK))
    assert sorted(calls) == [
        (task, agent, 1)
        for task in range(1, tasks + 1)
        for agent in ("alice", "bob", "judge", "yes_man")
    ]
