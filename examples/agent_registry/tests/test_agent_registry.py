"""Who gets the work, what a question to a colleague costs, and where routing by words goes wrong."""

from __future__ import annotations

import pytest
from agent_registry import support_desk

from harness.sim import Sim

LATENCY_S = {"billing": 2.0, "technical": 3.0, "shipping": 1.5}


def describe(sim: Sim, **reply: str | list[str]) -> None:
    """The agents that are named, each with what it says."""
    for name, said in reply.items():
        sim.agent(name, system=f"*{name} specialist*", reply=said, latency_s=LATENCY_S[name])


def route(task: str) -> str:
    return support_desk().route_work(task)


def test_work_goes_to_the_specialist_whose_capability_the_task_names(sim: Sim) -> None:
    describe(sim, shipping="Tomorrow.")

    run = sim.run(route, "Where is my parcel?")

    assert run.output == "Tomorrow."
    assert run.latency_s == 1.5


def test_a_specialist_asks_a_colleague_and_both_are_waited_for(sim: Sim) -> None:
    describe(sim, billing="ASK shipping: did it arrive?", shipping="Yes, on Monday.")

    def program() -> tuple[str, list[tuple[str, str]], float]:
        desk = support_desk()
        answer = desk.route_work("I want a refund.")
        first, second = desk.message_log
        waited = (second.timestamp - first.timestamp).total_seconds()
        return answer, [(one.sender, one.recipient) for one in desk.message_log], waited

    run = sim.run(program)

    assert run.output == (
        "Yes, on Monday.",
        [("user", "billing"), ("billing", "shipping")],
        2.0,
    )
    assert run.latency_s == 2.0 + 1.5


def test_work_that_nobody_can_do_is_an_error_without_a_call(sim: Sim) -> None:
    with pytest.raises(LookupError, match="no agent can do"):
        sim.run(route, "What is the weather?")

    assert sim.last_run.latency_s == 0.0


def test_a_word_within_a_word_sends_work_to_the_wrong_specialist(sim: Sim) -> None:
    """A weakness: `charge` is in `charger`, and billing comes first in the registry."""
    describe(sim, billing="We have charged nothing.")

    run = sim.run(route, "My charger does not work.")

    assert run.agents == ["billing"]
    assert run.output == "We have charged nothing."


def test_two_agents_that_ask_each_other_go_on_for_as_long_as_they_like(sim: Sim) -> None:
    """A weakness: no bound on hops; here one of them gives in after twenty, and the answer took fifty seconds."""
    describe(
        sim,
        billing=["ASK technical: is it broken?"] * 10,
        technical=[*["ASK billing: is it paid?"] * 9, "It is broken."],
    )

    run = sim.run(route, "I want a refund.")

    assert len(run.calls()) == 20
    assert run.latency_s == 10 * (2.0 + 3.0)


def test_a_colleague_who_does_not_exist_is_a_key_error(sim: Sim) -> None:
    """A weakness: the name that the model writes is used without a check."""
    describe(sim, billing="ASK legal: may we?")

    with pytest.raises(KeyError, match="legal"):
        sim.run(route, "I want a refund.")


def test_the_log_shows_virtual_times(sim: Sim, capsys: pytest.CaptureFixture[str]) -> None:
    describe(sim, billing="ASK shipping: did it arrive?", shipping="Yes.")

    sim.run(route, "I want a refund.")

    assert capsys.readouterr().out.splitlines() == [
        "00:00:00 user -> billing: I want a refund.",
        "00:00:02 billing -> shipping: did it arrive?",
    ]
