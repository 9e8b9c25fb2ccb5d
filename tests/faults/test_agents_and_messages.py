"""Faults of agents, of the messages between them, and of the state that they share."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from harness.models import Reply, Request
from harness.run import RunResult, Simulation
from harness.spans import AGENT, CALL, MESSAGE, TASK

CHAIN = {"pipeline": {"stages": ["first", "second"]}}
TEAM = {
    "orchestrator_worker": {
        "orchestrator": "first",
        "workers": ["second", "third"],
        "synthesizer": "first",
        "on_failure": "partial",
    }
}


def echo(request: Request) -> Reply:
    """Say who speaks and what was heard."""
    return Reply(f"{request.agent}({request.prompt})")


def memory(request: Request) -> Reply:
    """Say how much is remembered."""
    return Reply(f"{request.agent} knows {len(request.said)}")


def simulation(
    *faults: dict[str, Any],
    pattern: dict[str, Any] | None = None,
    tasks: int = 2,
    stub: str = "echo",
    **agent: Any,  # noqa: ANN401 - as in a file
) -> Simulation:
    """Tasks a hundred seconds apart; agents that take a second each."""
    one = {"model": "m", "stub": f"tests.faults.test_agents_and_messages:{stub}", **agent}
    made = Simulation.from_spec(
        {
            "scenario": "team",
            "horizon_s": 1000,
            "workload": {
                "tasks": tasks,
                "arrivals": {"every_s": 100},
                "kinds": [{"text": "task", "customer": "acme"}],
            },
            "providers": {"p": {}},
            "models": {"m": {"provider": "p", "name": "x", "latency": {"ttft_s": 1.0}}},
            "agents": {"first": one, "second": one, "third": one},
            "pattern": pattern or CHAIN,
            "faults": list(faults),
        }
    )
    made.scenario = dataclasses.replace(made.scenario, keep_texts=True)
    return made


def tasks_of(result: RunResult) -> list[tuple[Any, ...]]:
    columns = ("arrival_s", "end_s", "status", "error")
    return sorted(row[1:] for row in result.spans.rows("kind", *columns) if row[0] == TASK)


def turns_of(result: RunResult) -> list[tuple[Any, ...]]:
    columns = ("agent", "arrival_s", "end_s", "status")
    return [row[1:] for row in result.spans.rows("kind", *columns) if row[0] == AGENT]


def faults_in(result: RunResult) -> list[tuple[Any, ...]]:
    rows = result.events.rows("name", "at_s", "detail")
    return [row[1:] for row in rows if row[0] == "fault"]


HEALTHY = [(0.0, 2.0, "ok", ""), (100.0, 102.0, "ok", "")]


def test_without_faults_both_work() -> None:
    assert tasks_of(simulation().run()) == HEALTHY


def test_message_that_is_lost_is_waited_for_until_the_sender_gives_up() -> None:
    lost = {"message_lost": {"agent": "first", "to": "second", "call": 1, "noticed_after_s": 30}}
    result = simulation(lost).run()
    assert tasks_of(result) == [(0.0, 31.0, "error", "timeout"), HEALTHY[1]]
    assert [turn[0] for turn in turns_of(result)] == ["first", "first", "second"]
    assert faults_in(result) == [(1.0, "message_lost")]


def test_message_whose_loss_nobody_notices_is_waited_for_for_ever() -> None:
    result = simulation({"message_lost": {"to": "second", "call": 1}}).run()
    assert tasks_of(result)[0] == (0.0, 1000.0, "cancelled", "")


def test_message_comes_late() -> None:
    result = simulation({"message_delayed": {"to": "second", "task": 2, "by_s": 7}}).run()
    assert tasks_of(result) == [HEALTHY[0], (100.0, 109.0, "ok", "")]


def test_message_that_comes_twice_is_worked_on_twice() -> None:
    result = simulation({"message_duplicated": {"to": "second", "call": 2}}).run()
    assert tasks_of(result) == HEALTHY
    assert [turn[:2] for turn in turns_of(result)].count(("second", 101.0)) == 2


def test_message_is_overtaken_by_the_next_one_to_the_same_member() -> None:
    both = {"parallel": {"members": ["second", "second"]}}
    result = simulation({"message_reordered": {"call": 1}}, pattern=both).run()
    assert faults_in(result) == [(0.0, "message_reordered")]
    alone = simulation({"message_reordered": {"agent": "first", "call": 1, "within_s": 5}}).run()
    assert tasks_of(alone) == [(0.0, 7.0, "ok", ""), HEALTHY[1]]


def test_several_messages_of_one_delivery_change_places() -> None:
    judged = {"refine": {"generator": "first", "critic": "second", "max_drafts": 1}}
    plain = simulation(pattern=judged, stub="accepts").run()
    swapped = simulation(
        {"message_reordered": {"agent": "first", "to": "second", "call": 1}},
        pattern=judged,
        stub="accepts",
    ).run()
    texts = [_heard(result, "second") for result in (plain, swapped)]
    assert texts[0] != texts[1]
    assert sorted(texts[0]) == sorted(texts[1])


def accepts(request: Request) -> Reply:
    """Accept what there is."""
    return Reply("accept" if request.agent == "second" else "draft")


def _heard(result: RunResult, agent: str) -> list[str]:
    """The paragraphs of the first prompt of an agent."""
    calls = [
        row[0] for row in result.spans.rows("span_id", "kind", "agent") if row[1:] == (CALL, agent)
    ]
    rows = result.texts.rows("span_id", "kind", "text")
    said: str = next(text for span, part, text in rows if span == calls[0] and part == "prompt")
    return said.split("\n\n")


def test_message_goes_to_another_member_who_answers() -> None:
    wrong = {"message_misdirected": {"to": "second", "call": 1, "goes_to": "third"}}
    result = simulation(wrong).run()
    assert tasks_of(result) == HEALTHY
    assert [turn[0] for turn in turns_of(result)] == ["first", "third", "first", "second"]


def test_message_of_another_version_is_refused_by_who_does_not_speak_it() -> None:
    other = {"other_version": {"agent": "first", "until_s": 50, "version": "2"}}
    refused = simulation(other).run()
    assert tasks_of(refused) == [(0.0, 1.0, "error", "version_mismatch"), HEALTHY[1]]
    assert tasks_of(simulation(other, version=["1", "2"]).run()) == HEALTHY


def test_partition_separates_groups_and_nobody_else() -> None:
    groups = [["first"], ["second"]]
    parted = {"partition": {"groups": groups, "until_s": 50, "noticed_after_s": 10}}
    assert tasks_of(simulation(parted).run()) == [(0.0, 11.0, "error", "timeout"), HEALTHY[1]]
    others = {"partition": {"groups": [["first"], ["third"]], "allow_unmet": True}}
    assert tasks_of(simulation(others).run()) == HEALTHY


@pytest.mark.parametrize("name", ["message_lost", "message_delayed", "partition"])
def test_fault_of_messages_that_meets_none_changes_nothing(name: str) -> None:
    fields: dict[str, Any] = {"customer": "other", "allow_unmet": True}
    if name == "message_delayed":
        fields["by_s"] = 3
    if name == "partition":
        fields["groups"] = [["first"], ["second"]]
    result = simulation({name: fields}).run()
    assert tasks_of(result) == HEALTHY
    assert not faults_in(result)


@pytest.mark.parametrize(
    ("fault", "updates"),
    [
        ({}, [("second", "first", 2.0), ("third", "first", 2.0)]),
        ({"message_lost": {}}, [("third", "first", 2.0)]),
        ({"message_delayed": {"by_s": 0.5}}, [("second", "first", 2.5), ("third", "first", 2.0)]),
        (
            {"message_duplicated": {}},
            [("second", "first", 2.0), ("second", "first", 2.0), ("third", "first", 2.0)],
        ),
        ({"message_reordered": {}}, [("third", "first", 2.0), ("second", "first", 2.0)]),
        (
            {"message_misdirected": {"goes_to": "third"}},
            [("second", "third", 2.0), ("third", "first", 2.0)],
        ),
        ({"other_version": {"version": "2"}}, [("third", "first", 2.0)]),
    ],
    ids=lambda it: str(it)[:30],
)
def test_fault_of_messages_meets_what_is_put_into_a_mailbox(
    fault: dict[str, Any], updates: list[tuple[str, str, float]]
) -> None:
    team = {"orchestrator_worker": {**TEAM["orchestrator_worker"], "progress_to": "first"}}
    plan = [{name: {"agent": "second", "call": 1, **fields}} for name, fields in fault.items()]
    result = simulation(*plan, pattern=team, tasks=1).run()
    columns = ("name", "detail", "agent", "recipient", "at_s")
    rows = [row[2:] for row in result.events.rows(*columns) if row[:2] == (MESSAGE, "update")]
    assert sorted(rows) == sorted(updates)
    if "message_reordered" in fault:
        assert rows == updates


# -- agents -----------------------------------------------------------------------------------------------------------


def test_agent_is_down_in_its_window_and_calls_that_are_open_then_fail() -> None:
    down = {"down": {"agent": "second", "from_s": 1.5, "until_s": 50}}
    result = simulation(down).run()
    assert tasks_of(result) == [(0.0, 1.5, "error", "agent_down"), HEALTHY[1]]
    assert faults_in(result) == [(1.5, "down")]


def test_agent_is_down_for_good() -> None:
    result = simulation({"down": {"agent": "second"}}).run()
    assert [task[2:] for task in tasks_of(result)] == [("error", "agent_down")] * 2


def test_machine_takes_its_agents_with_it() -> None:
    result = simulation({"down": {"agents": ["first", "second"], "from_s": 50}}).run()
    assert tasks_of(result) == [HEALTHY[0], (100.0, 100.05, "error", "agent_down")]
    crashed = simulation(
        {"crash": {"agents": ["second", "third"], "call": 1, "after_s": 0.5}}, pattern=TEAM
    ).run()
    ends = [turn for turn in turns_of(crashed) if turn[1] == 1.0 and turn[0] != "first"]
    assert ends == [("second", 1.0, 1.5, "error"), ("third", 1.0, 1.5, "error")]


def test_agent_crashes_in_a_call_and_is_restarted() -> None:
    crash = {"crash": {"agent": "second", "call": 1, "after_s": 0.25, "restart_after_s": 20}}
    assert tasks_of(simulation(crash).run()) == [(0.0, 1.25, "error", "agent_down"), HEALTHY[1]]
    for_good = {"crash": {"agent": "second", "call": 1}}
    assert tasks_of(simulation(for_good).run()) == [
        (0.0, 1.0, "error", "agent_down"),
        (100.0, 101.05, "error", "agent_down"),
    ]


@pytest.mark.parametrize(("kept", "known"), [("kept", 3), ("lost", 0)])
def test_agent_that_restarts_has_its_memory_or_has_lost_it(kept: str, known: int) -> None:
    again = {"pipeline": {"stages": ["first", "second", "first"]}}
    down = {"down": {"agent": "first", "from_s": 1.2, "until_s": 1.4, "memory": kept}}
    result = simulation(
        down,
        pattern=again,
        tasks=1,
        stub="memory",
        context="full",
    ).run()
    texts = [row[0] for row in result.texts.rows("text", "kind") if row[1] == "reply"]
    assert texts[-1] == f"first knows {known}"
    assert result.faults_met == ({1} if kept == "lost" else set())


def test_crash_and_window_of_one_moment_end_a_call_once() -> None:
    at_once = (
        {"crash": {"agent": "second", "call": 1, "after_s": 0.5, "restart_after_s": 5}},
        {"crash": {"agents": ["first", "second"], "call": 2, "after_s": 0.5, "restart_after_s": 5}},
        {"down": {"agent": "second", "from_s": 1.5, "until_s": 3}},
    )
    assert tasks_of(simulation(*at_once).run())[0] == (0.0, 1.5, "error", "agent_down")


# -- shared state -----------------------------------------------------------------------------------------------------

BOARD = {"blackboard": {"members": ["first", "second"], "max_rounds": 1, "on_exhausted": "board"}}


def board(*faults: dict[str, Any]) -> RunResult:
    pattern = {"blackboard": {**BOARD["blackboard"], "state": {"event_sourced": {}}}}
    return simulation(*faults, pattern=pattern, tasks=1, stub="memory").run()


def answer(result: RunResult) -> int:
    """Size of the board that the user gets [tokens]."""
    rows = result.events.rows("name", "recipient", "tokens")
    size: int = next(tokens for name, who, tokens in rows if (name, who) == (MESSAGE, "user"))
    return size


def test_update_that_is_lost_is_not_on_the_board() -> None:
    assert answer(board({"lost_update": {"agent": "second"}})) < answer(board())


def test_old_value_is_told_to_who_reads_it() -> None:
    pattern = {"blackboard": {"members": ["first"], "max_rounds": 3, "on_exhausted": "board"}}
    plain = simulation(pattern=pattern, tasks=1).run()
    stale = simulation({"stale_read": {"call": 3}}, pattern=pattern, tasks=1).run()
    assert faults_in(stale) == [(2.0, "stale_read")]
    third = [
        [row[0] for row in result.texts.rows("text", "kind") if row[1] == "prompt"][2]
        for result in (plain, stale)
    ]
    assert len(third[1]) < len(third[0])


def test_writer_whose_clock_is_behind_is_overruled() -> None:
    pattern = {"blackboard": {"members": ["first"], "max_rounds": 2, "on_exhausted": "board"}}
    skew = {"clock_skew": {"agent": "first", "call": 1, "by_s": 300.0}}
    plain, skewed = (
        simulation(*faults, pattern=pattern, tasks=1, stub="memory").run()
        for faults in ((), (skew,))
    )
    assert answer(skewed) < answer(plain)  # the second write is older than the first


# -- never met --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        ({"overloaded": {"agent": "third"}}, "an attempt"),
        ({"tool_fails": {}}, "a use of a tool"),
        ({"message_lost": {"to": "third"}}, "a message"),
        ({"down": {"from_s": 500}}, "a call"),
        ({"stale_read": {}}, "an update of shared state"),
    ],
    ids=repr,
)
def test_fault_that_met_nothing_is_an_error_that_says_so(fault: dict[str, Any], what: str) -> None:
    (name,) = fault
    outcome = simulation(fault).run_many()
    assert not outcome.passed
    assert outcome.problems == (
        f"Fault 1 ({name}) never met {what}. Correct its conditions, take it out, or say `allow_unmet: true`.",
    )
    fault[name]["allow_unmet"] = True
    assert simulation(fault).run_many().passed


@pytest.mark.parametrize(
    ("pattern", "fault", "agent"),
    [
        (CHAIN, {"message_delayed": {"to": "second", "by_s": 3}}, "first"),
        (CHAIN, {"down": {"agent": "second", "until_s": 2}}, "second"),
        ({"blackboard": {"members": ["first", "second"], "on_exhausted": "board"}}, {"lost_update": {"agent": "second"}}, "second"),
    ],
)  # fmt: skip
def test_event_of_a_fault_names_whose_act_it_met(
    pattern: dict[str, Any], fault: dict[str, Any], agent: str
) -> None:
    result = simulation(fault, pattern=pattern).run()
    found = {who for name, who in result.events.rows("name", "agent") if name == "fault"}
    assert found == {agent}
