"""A shared board: what each member reads on it, when the work ends, and what becomes of writes that overlap."""

from __future__ import annotations

import json
from itertools import pairwise
from statistics import fmean

import pytest

from harness.models import ModelError
from harness.patterns.blackboard import QUESTION, Blackboard, Unsolved
from harness.run import RunResult
from harness.spans import AGENT, STATE_CONFLICT, STATE_READ, STATE_WRITE, TASK
from harness.state import (
    Discipline,
    EventSourced,
    LastWriterWins,
    Optimistic,
    Pessimistic,
    StateConflict,
)
from tests.patterns.simulated import rows, simulated
from tests.patterns.stage import FAILURE, Answer, Speaker, Stage


def room(a: tuple[Answer, ...], b: tuple[Answer, ...]) -> Stage:
    return Stage(a=Speaker(1.0, *a), b=Speaker(2.0, *b))


def board(state: Discipline, **settings: int | str) -> Blackboard:
    return Blackboard(members=("a", "b"), state=state, **settings)  # type: ignore[arg-type]  # its fields


@pytest.mark.parametrize("state", [Optimistic(), Pessimistic(), EventSourced()])
def test_everybody_reads_what_all_have_written(state: Discipline) -> None:
    stage = room(("A",), ("B", "B", "B", "Solved: AB"))
    stage.play(board(state, max_rounds=5))
    assert f"the task\n\nA\n\nB\n\n{QUESTION}" in stage.speakers["a"].prompts


@pytest.mark.parametrize("reply", ["Solved: X", "**solved**\nX", "Decision: solved"])
def test_whoever_begins_with_solved_has_the_answer(reply: str) -> None:
    assert room(("A",), (reply,)).play(board(EventSourced())).text == reply


def test_of_two_answers_in_one_round_the_one_listed_first_counts() -> None:
    assert room(("Solved: A",), ("Solved: B",)).play(board(EventSourced())).sender == "a"


def test_nobody_has_the_answer() -> None:
    with pytest.raises(Unsolved, match=r"^nobody has the answer after 2 rounds$"):
        room(("unsolved",), ("B",)).play(board(EventSourced(), max_rounds=2))


def test_board_can_be_the_answer() -> None:
    pattern = board(EventSourced(), max_rounds=1, on_exhausted="board")
    assert room(("A",), ("B",)).play(pattern).text == "A\n\nB"


# -- writes that overlap ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "text", "calls", "end_s"),
    [
        (LastWriterWins(), "B", 2, 2.0),  # a's fact is lost
        (Optimistic(), "A\n\nB2", 3, 4.0),  # b thinks again
        (Pessimistic(), "A\n\nB", 2, 3.0),  # b waits for a
        (EventSourced(), "A\n\nB", 2, 2.0),
    ],
)
def test_discipline_decides_what_becomes_of_two_writes(
    state: Discipline, text: str, calls: int, end_s: float
) -> None:
    stage = room(("A",), ("B", "B2"))
    answer = stage.play(board(state, max_rounds=1, on_exhausted="board"))
    assert (answer.text, len(stage.turns()), stage.kernel.now_s()) == (text, calls, end_s)


def test_write_that_is_refused_too_often_fails_the_task() -> None:
    with pytest.raises(StateConflict):
        room(("A",), ("B",)).play(board(Optimistic(retries=0)))


def test_failure_of_a_member_ends_the_task() -> None:
    with pytest.raises(ModelError):
        room(("A",), (FAILURE,)).play(board(EventSourced()))


# -- scenarios ----------------------------------------------------------------------------------------------------


def writes(result: RunResult) -> list[tuple[str, str, dict[str, int]]]:
    """The events of the board: name, agent and detail."""
    names = (STATE_READ, STATE_WRITE, STATE_CONFLICT)
    return [
        (name, agent, json.loads(detail))
        for name, agent, detail in result.events.rows("name", "agent", "detail")
        if name in names
    ]


def mean_latency_s(result: RunResult) -> float:
    """Of the tasks that need one round, whatever the discipline."""
    tasks = rows(result, TASK, "name", "arrival_s", "end_s")
    return fmean(end_s - begin_s for kind, begin_s, end_s in tasks if kind == "clear")


def test_refused_writes_are_tried_again_and_no_fact_is_lost() -> None:
    result = simulated("blackboard")
    found = writes(result)
    assert set(rows(result, TASK, "status")) == {("ok",)}
    conflicts = [detail for name, _, detail in found if name == STATE_CONFLICT]
    assert conflicts
    assert sum(detail["lost"] for name, _, detail in found if name == STATE_WRITE) == 0
    written = [detail for name, _, detail in found if name == STATE_WRITE]
    assert len(rows(result, AGENT)) == len(written) + len(conflicts)  # each conflict costs a call


def test_facts_are_lost_where_the_last_writer_wins() -> None:
    result = simulated("blackboard_lost_update")
    assert set(rows(result, TASK, "name", "error")) == {("clear", ""), ("puzzle", "Unsolved")}
    assert sum(detail["lost"] for name, _, detail in writes(result) if name == STATE_WRITE) > 0


def test_lock_loses_nothing_and_lets_nobody_work_beside_another() -> None:
    result = simulated("blackboard_lock")
    assert set(rows(result, TASK, "status")) == {("ok",)}
    turns: dict[int, list[tuple[float, float]]] = {}
    for task, begin_s, end_s in rows(result, AGENT, "task", "arrival_s", "end_s"):
        turns.setdefault(task, []).append((begin_s, end_s))
    for of_task in turns.values():
        assert all(one[1] <= other[0] for one, other in pairwise(sorted(of_task)))
    beside = simulated("blackboard", "pattern.blackboard.state={event_sourced: {}}")
    assert mean_latency_s(result) > 2 * mean_latency_s(beside)


def test_decision_on_an_old_board_is_a_stale_read() -> None:
    """Nothing is lost in a list of events, but who writes has not seen what was appended meanwhile."""
    result = simulated("blackboard", "pattern.blackboard.state={event_sourced: {}}")
    assert [detail for name, _, detail in writes(result) if name == STATE_WRITE and detail["stale"]]
