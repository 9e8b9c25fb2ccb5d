"""Agents whose updates of one value overlap, under each discipline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from harness.kernel import Kernel, run
from harness.spans import WAIT, SpanLog
from harness.state import (
    DISCIPLINES,
    Discipline,
    EventSourced,
    EventSourcedState,
    LastWriterWins,
    LockTimeout,
    Optimistic,
    Pessimistic,
    SharedState,
    StateConflict,
    joined,
    replaced,
)


class Board:
    """Shared state of one task, on a clock of its own."""

    def __init__(self, discipline: Discipline, fold: Callable[[str, str], str] = joined) -> None:
        self.kernel = Kernel()
        self.log = SpanLog(self.kernel.now_s)
        self.state: SharedState = discipline.open(self.log, self.log.open_task("task", 1), fold)

    def play(self, *agents: tuple[str, float, float], key: str = "plan") -> list[Any]:
        """Let each agent (name, begin [s], time to think [s]) add its name; gives what came of each."""
        return run(self.kernel, self._play(agents, key))

    async def _play(self, agents: tuple[tuple[str, float, float], ...], key: str) -> list[Any]:
        work = [self._agent(self.state, *agent, key) for agent in agents]
        return await asyncio.gather(*work, return_exceptions=True)

    async def _agent(
        self, state: SharedState, name: str, begin_s: float, think_s: float, key: str
    ) -> str:
        await asyncio.sleep(begin_s)
        return (await state.update(key, name, thinks(name, think_s))).value

    def events(self, name: str) -> list[tuple[float, str, dict[str, Any]]]:
        return [
            (at_s, agent, json.loads(detail))
            for at_s, agent, found, detail in self.log.events.rows(
                "at_s", "agent", "name", "detail"
            )
            if found == name
        ]

    def waits(self) -> list[tuple[str, str, float, float, str]]:
        rows = self.log.spans.rows("kind", "name", "agent", "arrival_s", "end_s", "status")
        return [row[1:] for row in rows if row[0] == WAIT]

    def value(self, key: str = "plan") -> str:
        return self.state.read(key, "reader").value.replace("\n\n", " ")


def thinks(says: str, for_s: float) -> Callable[[str], Awaitable[str]]:
    async def change(_value: str) -> str:
        await asyncio.sleep(for_s)
        return says

    return change


ALL = [pytest.param(discipline(), id=name) for name, discipline in DISCIPLINES.items()]
SAFE = [one for one in ALL if one.id != "last_writer_wins"]
OVERLAPPING = (("ann", 0.0, 2.0), ("ben", 1.0, 2.0))


@pytest.mark.parametrize("discipline", ALL)
def test_value_that_nobody_has_written_is_empty_and_of_version_0(discipline: Discipline) -> None:
    assert Board(discipline).state.read("plan", "ann") == ("plan", "", 0)


@pytest.mark.parametrize("discipline", ALL)
def test_updates_one_after_another_are_all_kept(discipline: Discipline) -> None:
    board = Board(discipline)
    board.play(("ann", 0.0, 1.0), ("ben", 1.5, 1.0), ("cleo", 3.0, 1.0))
    assert board.value() == "ann ben cleo"
    assert board.events("state_conflict") == []
    assert [detail["lost"] for _, _, detail in board.events("state_write")] == [0, 0, 0]


@pytest.mark.parametrize("discipline", SAFE)
def test_updates_that_overlap_are_all_kept(discipline: Discipline) -> None:
    board = Board(discipline)
    board.play(*OVERLAPPING)
    assert sorted(board.value().split()) == ["ann", "ben"]
    assert sum(detail["lost"] for _, _, detail in board.events("state_write")) == 0


@pytest.mark.parametrize("discipline", ALL)
def test_updates_of_other_keys_are_in_nobodys_way(discipline: Discipline) -> None:
    board = Board(discipline)

    async def both() -> None:
        await asyncio.gather(
            board.state.update("plan", "ann", thinks("ann", 2.0)),
            board.state.update("code", "ben", thinks("ben", 2.0)),
        )

    run(board.kernel, both())
    assert board.kernel.now_s() == 2.0
    assert (board.value("plan"), board.value("code")) == ("ann", "ben")
    assert not board.events("state_conflict")
    assert not board.waits()


@pytest.mark.parametrize("discipline", ALL)
def test_agent_that_fails_while_it_thinks_writes_nothing_and_blocks_nobody(
    discipline: Discipline,
) -> None:
    board = Board(discipline)

    async def fails(_value: str) -> str:
        await asyncio.sleep(1.0)
        raise ValueError("no idea")

    async def both() -> tuple[Any, Any]:
        return await asyncio.gather(
            board.state.update("plan", "ann", fails),
            board.state.update("plan", "ben", thinks("ben", 1.0)),
            return_exceptions=True,
        )

    failed, _ = run(board.kernel, both())
    assert isinstance(failed, ValueError)
    assert board.value() == "ben"


@pytest.mark.parametrize("discipline", ALL)
def test_state_needs_no_log_and_no_simulation(discipline: Discipline) -> None:
    state = discipline.open(fold=joined)
    loop = asyncio.new_event_loop()
    try:
        read = loop.run_until_complete(state.update("plan", "ann", thinks("ann", 0.0)))
    finally:
        loop.close()
    assert read == ("plan", "ann", 1)


# -- last writer wins ---------------------------------------------------------------------------------------------


def test_last_writer_overwrites_what_it_has_not_seen() -> None:
    board = Board(LastWriterWins())
    board.play(*OVERLAPPING)
    assert board.value() == "ben"
    assert board.events("state_write") == [
        (2.0, "ann", {"key": "plan", "version": 1, "based_on": 0, "stale": False, "lost": 0}),
        (3.0, "ben", {"key": "plan", "version": 2, "based_on": 0, "stale": True, "lost": 1}),
    ]


def test_slow_writer_loses_all_that_was_written_meanwhile() -> None:
    board = Board(LastWriterWins())
    board.play(("slow", 0.0, 9.0), ("ann", 0.0, 1.0), ("ben", 2.0, 1.0), ("cleo", 4.0, 1.0))
    assert board.value() == "slow"
    assert [detail["lost"] for _, _, detail in board.events("state_write")] == [0, 0, 0, 3]


def test_update_that_was_lost_already_is_not_lost_again() -> None:
    board = Board(LastWriterWins())
    board.play(("ann", 0.0, 1.0), ("ben", 0.0, 2.0), ("cleo", 0.0, 3.0))
    assert board.value() == "cleo"
    assert [detail["lost"] for _, _, detail in board.events("state_write")] == [0, 1, 1]


# -- optimistic ---------------------------------------------------------------------------------------------------


def test_writer_whose_value_has_changed_thinks_again() -> None:
    board = Board(Optimistic(retries=1))
    board.play(*OVERLAPPING)
    assert board.value() == "ann ben"
    assert board.kernel.now_s() == 5.0
    assert board.events("state_conflict") == [
        (3.0, "ben", {"key": "plan", "version": 1, "based_on": 0})
    ]


def test_writer_that_is_too_slow_each_time_gives_up() -> None:
    board = Board(Optimistic(retries=2))
    quick = [("quick", float(second), 0.5) for second in range(12)]
    slow, *_ = board.play(("slow", 0.0, 2.0), *quick)
    assert isinstance(slow, StateConflict)
    assert str(slow) == "slow could not write 'plan': others were faster 3 times"
    assert len(board.events("state_conflict")) == 3
    assert "slow" not in board.value()


def test_without_retries_the_first_conflict_is_the_last() -> None:
    board = Board(Optimistic(retries=0))
    _, ben = board.play(*OVERLAPPING)
    assert isinstance(ben, StateConflict)


def test_retry_is_told_the_new_value() -> None:
    board = Board(Optimistic(), replaced)
    told = []

    async def ben(value: str) -> str:
        told.append(value)
        await asyncio.sleep(2.0)
        return "ben"

    async def both() -> None:
        await asyncio.gather(
            board.state.update("plan", "ann", thinks("ann", 1.0)),
            board.state.update("plan", "ben", ben),
        )

    run(board.kernel, both())
    assert told == ["", "ann"]


# -- pessimistic --------------------------------------------------------------------------------------------------


def test_lock_is_held_while_an_agent_thinks_and_given_in_order() -> None:
    board = Board(Pessimistic())
    board.play(("ann", 0.0, 2.0), ("ben", 1.0, 2.0), ("cleo", 0.5, 2.0))
    assert board.value() == "ann cleo ben"
    assert board.kernel.now_s() == 6.0
    assert board.waits() == [
        ("state_lock", "cleo", 0.5, 2.0, "ok"),
        ("state_lock", "ben", 1.0, 4.0, "ok"),
    ]


def test_wait_for_a_lock_has_a_bound() -> None:
    board = Board(Pessimistic(timeout_s=0.5))
    _, ben = board.play(*OVERLAPPING)
    assert isinstance(ben, LockTimeout)
    assert str(ben) == "ben waited 0.5 s for the lock of 'plan'"
    assert board.waits() == [("state_lock", "ben", 1.0, 1.5, "cancelled")]
    assert board.value() == "ann"


def test_lock_is_free_again_after_a_waiter_gave_up() -> None:
    board = Board(Pessimistic(timeout_s=0.5))
    board.play(*OVERLAPPING, ("cleo", 2.5, 1.0))
    assert board.value() == "ann cleo"


def test_reader_does_not_wait_for_the_lock_and_sees_the_value_before() -> None:
    board = Board(Pessimistic())

    async def both() -> str:
        update = asyncio.ensure_future(board.state.update("plan", "ann", thinks("ann", 2.0)))
        await asyncio.sleep(1.0)
        seen = board.state.read("plan", "ben").value
        await update
        return seen

    assert run(board.kernel, both()) == ""


# -- event-sourced ------------------------------------------------------------------------------------------------


def _events() -> EventSourcedState:
    state = EventSourced().open()
    state.append("plan", "ann", "one", based_on=0)
    state.append("code", "ben", "two", based_on=0)
    state.append("plan", "cleo", "three", based_on=1)
    return state


def test_state_as_of_an_event_holds_what_was_appended_until_then() -> None:
    state = _events()
    assert [state.as_of(event_id) for event_id in range(4)] == [
        {},
        {"plan": "one"},
        {"plan": "one", "code": "two"},
        {"plan": "one\n\nthree", "code": "two"},
    ]


@pytest.mark.parametrize("event_id", [-1, 4, 100])
def test_state_as_of_an_event_that_is_not_there_is_an_error(event_id: int) -> None:
    with pytest.raises(ValueError, match=f"no event {event_id}; the last one is 3"):
        _events().as_of(event_id)


def test_replay_of_all_events_gives_the_state_of_now() -> None:
    state = _events()
    now = {key: state.read(key, "reader").value for key in ("plan", "code")}
    assert state.as_of(len(state.events)) == now


def test_events_are_kept_and_cannot_be_changed_from_outside() -> None:
    state = _events()
    events = state.events
    state.append("plan", "ann", "four", based_on=3)
    assert [event.contribution for event in events] == ["one", "two", "three"]
    assert len(state.events) == 4


def test_contribution_on_an_old_value_is_appended_and_seen_to_be_stale() -> None:
    board = Board(EventSourced())
    board.play(*OVERLAPPING)
    assert board.value() == "ann ben"
    writes = [(d["version"], d["stale"]) for _, _, d in board.events("state_write")]
    assert writes == [(1, False), (2, True)]
