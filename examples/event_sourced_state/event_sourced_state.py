"""A shared state that is a log of events: agents append to it, and the state as of any event can be computed again."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from anthropic import Anthropic

MODEL = "claude-haiku-4-5"


@dataclass
class StateEvent:
    """One change of the state."""

    event_id: int
    agent: str
    key: str
    value: Any
    timestamp: datetime = field(default_factory=datetime.now)


class EventSourcedState:
    """An append-only log."""

    def __init__(self) -> None:
        self.events: list[StateEvent] = []
        self._lock = threading.Lock()

    def append(self, agent: str, key: str, value: Any) -> int:
        """Add an event, and return its id."""
        with self._lock:
            event = StateEvent(len(self.events) + 1, agent, key, value)
            self.events.append(event)
            return event.event_id

    def get_state(self, as_of_event_id: int | None = None) -> dict[str, Any]:
        """Return the state after an event, or after the last one."""
        state: dict[str, Any] = {}
        for event in self.events:
            if as_of_event_id is not None and event.event_id > as_of_event_id:
                break
            state[event.key] = event.value
        return state


class BookingAgent:
    """Sells seats of a flight that all agents share."""

    def __init__(self, name: str, state: EventSourcedState) -> None:
        self.name = name
        self.state = state
        self.client = Anthropic()

    def work(self, customer: str) -> str:
        """Sell a seat if the model says so."""
        seats = self.state.get_state()["seats"]
        message = self.client.messages.create(
            model=MODEL,
            max_tokens=200,
            system=f"You are booking agent {self.name}. Reply SELL or REFUSE.",
            messages=[
                {"role": "user", "content": f"{customer} wants a seat. Seats left: {seats}."}
            ],
        )
        decision = message.content[0].text
        print(f"[{datetime.now():%H:%M:%S}] {self.name}: {decision} to {customer}")
        if decision == "SELL":
            self.state.append(self.name, "seats", seats - 1)
            self.state.append(self.name, customer, "booked")
        return decision


def sell(customers: list[str], seats: int) -> EventSourcedState:
    """Let an agent for each customer work at the same time."""
    state = EventSourcedState()
    state.append("airline", "seats", seats)
    agents = [BookingAgent(f"A{number}", state) for number in range(1, len(customers) + 1)]
    with ThreadPoolExecutor(len(agents)) as pool:
        list(pool.map(BookingAgent.work, agents, customers))
    return state


if __name__ == "__main__":
    print(sell(sys.argv[1:], seats=1).get_state())
