"""An event bus: agents subscribe to topics, and are called with what others publish."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openai import OpenAI

MODEL = "gpt-4o-mini"


@dataclass
class Event:
    """Something that happened."""

    topic: str
    data: dict[str, Any]
    timestamp: datetime = field(default_factory=datetime.now)


class EventBus:
    """Calls the subscribers of a topic, one after the other."""

    def __init__(self) -> None:
        self.subscribers: dict[str, list[Callable[[Event], None]]] = {}
        self.event_log: list[Event] = []

    def subscribe(self, topic: str, callback: Callable[[Event], None]) -> None:
        """Call a function with each event of a topic from now on."""
        self.subscribers.setdefault(topic, []).append(callback)

    def publish(self, topic: str, data: dict[str, Any]) -> None:
        """Tell all subscribers; an error of one does not stop the others."""
        event = Event(topic, data)
        self.event_log.append(event)
        for callback in self.subscribers.get(topic, []):
            try:
                callback(event)
            except Exception as error:
                print(f"[{datetime.now():%H:%M:%S}] error in subscriber of {topic}: {error!r}")


class Agent:
    """Handles events of one topic, and publishes what it makes of them."""

    def __init__(self, role: str, bus: EventBus, listens_to: str, publishes: str) -> None:
        self.role = role
        self.bus = bus
        self.publishes = publishes
        self.client = OpenAI(max_retries=0)
        bus.subscribe(listens_to, self.handle)

    def handle(self, event: Event) -> None:
        """Work on an event."""
        completion = self.client.chat.completions.create(
            model=MODEL,
            messages=[
                {"role": "system", "content": f"You are a {self.role}."},
                {"role": "user", "content": event.data["text"]},
            ],
        )
        text = completion.choices[0].message.content
        self.bus.publish(self.publishes, {"text": text, "by": self.role})


def newsroom() -> EventBus:
    """A fact checker and a translator listen to articles; an archivist listens to both."""
    bus = EventBus()
    Agent("fact checker", bus, "article", "checked")
    Agent("translator", bus, "article", "translated")
    Agent("archivist", bus, "checked", "archived")
    Agent("archivist", bus, "translated", "archived")
    return bus


if __name__ == "__main__":
    newsroom().publish("article", {"text": sys.stdin.read()})
