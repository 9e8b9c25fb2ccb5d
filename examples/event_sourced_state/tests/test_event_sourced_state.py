"""What the log of events tells afterwards, and what it cannot prevent."""

from __future__ import annotations

from typing import Any

from event_sourced_state import BookingAgent, EventSourcedState, sell

from harness.sim import Sim


def decide(call: Any) -> str:
    return "REFUSE" if "Seats left: 0" in call.prompt else "SELL"


def describe(sim: Sim, **latency_s: float) -> None:
    for name, seconds in latency_s.items():
        sim.agent(name, system=f"*booking agent {name}.*", reply=decide, latency_s=seconds)


def in_turn(customers: list[str], seats: int) -> EventSourcedState:
    state = EventSourcedState()
    state.append("airline", "seats", seats)
    for number, customer in enumerate(customers, 1):
        BookingAgent(f"A{number}", state).work(customer)
    return state


def test_in_turn_the_last_seat_is_sold_once(sim: Sim) -> None:
    describe(sim, A1=2.0, A2=2.0)

    run = sim.run(in_turn, ["Ann", "Ben"], seats=1)

    assert run.output.get_state() == {"seats": 0, "Ann": "booked"}
    assert run.latency_s == 4.0


def test_the_state_as_of_an_event_is_what_was_known_then(sim: Sim) -> None:
    describe(sim, A1=2.0, A2=2.0)

    state = sim.run(in_turn, ["Ann", "Ben"], seats=2).output

    assert [state.get_state(as_of_event_id=number) for number in range(6)] == [
        {},
        {"seats": 2},
        {"seats": 1},
        {"seats": 1, "Ann": "booked"},
        {"seats": 0, "Ann": "booked"},
        {"seats": 0, "Ann": "booked", "Ben": "booked"},
    ]


def test_events_carry_the_virtual_time_at_which_they_were_appended(sim: Sim) -> None:
    describe(sim, A1=2.0, A2=5.0)

    state = sim.run(sell, ["Ann", "Ben"], seats=2).output

    began = state.events[0].timestamp
    assert [(event.agent, (event.timestamp - began).total_seconds()) for event in state.events] == [
        ("airline", 0.0),
        ("A1", 2.0),
        ("A1", 2.0),
        ("A2", 5.0),
        ("A2", 5.0),
    ]


def test_two_agents_sell_the_last_seat_twice(sim: Sim) -> None:
    """A weakness: each reads the state, thinks for seconds, and appends what it makes of the state that it read."""
    describe(sim, A1=2.0, A2=3.0)

    state = sim.run(sell, ["Ann", "Ben"], seats=1).output

    assert state.get_state() == {"seats": 0, "Ann": "booked", "Ben": "booked"}


def test_the_log_shows_who_decided_on_an_old_state(sim: Sim) -> None:
    """What event sourcing is good for: the second sale says 0 seats left where the event before says it already."""
    describe(sim, A1=2.0, A2=3.0)

    state = sim.run(sell, ["Ann", "Ben"], seats=1).output

    second_sale = next(event for event in state.events if event.agent == "A2")
    assert state.get_state(as_of_event_id=second_sale.event_id - 1)["seats"] == 0


def test_between_two_events_of_one_change_the_state_is_half_changed(sim: Sim) -> None:
    """A weakness: a sale is two events, and as of the first a seat is gone that no one has booked."""
    describe(sim, A1=2.0)

    state = sim.run(sell, ["Ann"], seats=1).output

    assert state.get_state(as_of_event_id=2) == {"seats": 0}
