"""Agents publish events by topic and subscribe to topics; a publisher does not know its subscribers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Annotated, NamedTuple

from annotated_types import Ge, MinLen

from harness.agents import Message
from harness.agents.reading import choice
from harness.models import error_name
from harness.patterns.api import PatternError, Team, post
from harness.patterns.decisions import ask
from harness.patterns.nested import MemberName
from harness.patterns.side_by_side import MEMBER_ERRORS
from harness.units import Count

ERRORS = "errors"
OBSERVATIONS = "observations"
_GLOB = frozenset("*?[")
PASS = "pass"  # noqa: S105 - a word of a reply


class TooManyEvents(PatternError):  # noqa: N818 - names the condition
    """Subscribers go on publishing, as when two of them react to one another."""


class NobodyAnswered(PatternError):  # noqa: N818 - names the condition
    """The bus is quiet, and no event has the topic of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """Somebody who is told of events, and may publish others."""

    agent: MemberName
    """Who."""
    topics: Annotated[tuple[str, ...], MinLen(1)]
    """What it is told of; `*` stands for anything, as in `order.*`."""
    publishes: str | None = None
    """The topic of its replies; absent means that they are not published. A reply that begins with `pass` is not published either."""
    joins_after: Annotated[int, Ge(0)] = 0
    """After how many events it subscribes; earlier ones are lost to it, unless they are replayed."""
    replay: bool = False
    """Whether it is told of earlier events from the log when it subscribes."""


class Event(NamedTuple):
    """Something that was published."""

    topic: str
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Bus:
    """The task is the first event; the answer is the last event of one topic, once no events are left."""

    subscribers: Annotated[tuple[Subscriber, ...], MinLen(1)]
    """Who listens to what. Each deals with its events one after another, and all of them side by side. One that fails publishes
    an event of the topic `errors`, and affects no other agent."""
    observers: tuple[MemberName, ...] = ()
    """Who listens to everything without a word. When the bus is quiet each is asked once what it has to say, and that is an event
    of the topic `observations`, unless it begins with `pass`."""
    topic: str = "task"
    """The topic of the task."""
    answer: str = "answer"
    """The topic of the answer."""
    max_events: Count = 50
    """Most events of a task; with one more it fails."""

    async def run(self, task: Message, team: Team) -> Message:
        """Publish the task, and wait until the bus is quiet.

        Raises:
            TooManyEvents: There are more events than `max_events`.
            NobodyAnswered: No event has the topic of the answer; the first failure of a subscriber, if there is one, is its cause.
        """
        bus = _Running(self, team)
        await bus.quiet_after(Event(self.topic, task))
        if self.observers:
            for name in self.observers:
                await bus.hear_out(name, task)
            await bus.quiet()
        for event in reversed(bus.log):
            if event.topic == self.answer:
                return event.message
        raise NobodyAnswered(f"no event of {len(bus.log)} has the topic {self.answer!r}") from (
            bus.failures[0] if bus.failures else None
        )


class _Subscriptions:
    """Who listens to what, so that an event costs as much as it has listeners.

    Args:
        subscribers: Who listens; each is known by its place.
    """

    def __init__(self, subscribers: Sequence[Subscriber]) -> None:
        self._exact: dict[str, list[int]] = {}
        self._globs: list[tuple[str, int]] = []
        self._of_topic: dict[str, list[int]] = {}
        self.replayed: dict[int, list[int]] = {}
        """Those who subscribe after so many events, and are told of them then."""
        for place, subscriber in enumerate(subscribers):
            for topic in subscriber.topics:
                if _GLOB.isdisjoint(topic):
                    self._exact.setdefault(topic, []).append(place)
                else:
                    self._globs.append((topic, place))
            if subscriber.replay and subscriber.joins_after:
                self.replayed.setdefault(subscriber.joins_after, []).append(place)

    def listening(self, topic: str) -> Sequence[int]:
        """The places of those who listen to a topic, also of those who have not subscribed yet."""
        found = self._of_topic.get(topic)
        if found is None:
            globs = [place for glob, place in self._globs if fnmatchcase(topic, glob)]
            found = sorted({*self._exact.get(topic, ()), *globs})
            self._of_topic[topic] = found
        return found


def _wants(subscriber: Subscriber, topic: str) -> bool:
    return any(fnmatchcase(topic, wanted) for wanted in subscriber.topics)


class _Running:
    """The bus of one task.

    Args:
        bus: Who listens to what.
        team: Who they are.
    """

    def __init__(self, bus: Bus, team: Team) -> None:
        self.log: list[Event] = []
        self.failures: list[Exception] = []
        self._bus = bus
        self._team = team
        self._subscriptions = _Subscriptions(bus.subscribers)
        self._queues: list[asyncio.Queue[Event]] = [asyncio.Queue() for _ in bus.subscribers]
        self._open = 0
        """Events that are not handled yet."""
        self._is_quiet = asyncio.Event()
        self._broken: Exception | None = None

    async def quiet_after(self, first: Event) -> None:
        """Publish an event, and let the subscribers work until no events are left."""
        self._publish(first)
        await self.quiet()

    async def quiet(self) -> None:
        """Let the subscribers work until no events are left."""
        working = [
            asyncio.create_task(self._serve(subscriber, queue))
            for subscriber, queue in zip(self._bus.subscribers, self._queues, strict=True)
        ]
        try:
            if self._open:
                self._is_quiet.clear()
                await self._is_quiet.wait()
        finally:
            for one in working:
                one.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        if self._broken is not None:
            raise self._broken

    async def hear_out(self, observer: str, task: Message) -> None:
        """Ask an observer, which has received events without replying, for a reply."""
        question = ask(task, f"What do you have to say of this? Begin with {PASS} if nothing.")
        try:
            reply = await self._team[observer].handle(question)
        except MEMBER_ERRORS as error:
            self._publish(self._failed(observer, question, error))
            return
        if choice(reply.text, [PASS]) is None:
            self._publish(Event(OBSERVATIONS, reply))

    async def _serve(self, subscriber: Subscriber, queue: asyncio.Queue[Event]) -> None:
        while True:
            event = await queue.get()
            try:
                self._publish_all(await self._deal(subscriber, event))
            except Exception as error:  # noqa: BLE001 - it is raised by `quiet`
                self._broken = error
                self._is_quiet.set()
                return
            self._open -= 1
            if not self._open:
                self._is_quiet.set()

    async def _deal(self, subscriber: Subscriber, event: Event) -> list[Event]:
        """Let a subscriber deal with an event, and give what it publishes."""
        try:
            reply = await self._team[subscriber.agent].handle(event.message)
        except MEMBER_ERRORS as error:
            return [self._failed(subscriber.agent, event.message, error)]
        if subscriber.publishes is None or choice(reply.text, [PASS]) is not None:
            return []
        return [Event(subscriber.publishes, reply)]

    def _failed(self, name: str, told: Message, error: Exception) -> Event:
        self.failures.append(error)
        text = f"{name} failed: {error_name(error)}"
        return Event(ERRORS, told.reply(name, text, recipient="", type="error"))

    def _publish_all(self, events: list[Event]) -> None:
        for event in events:
            self._publish(event)

    def _publish(self, event: Event) -> None:
        """Write an event into the log, and tell everybody who has subscribed."""
        if len(self.log) == self._bus.max_events:
            raise TooManyEvents(f"more than {self._bus.max_events} events: {self._counts()}")
        before = len(self.log)
        self.log.append(event)
        listening = self._subscriptions.listening(event.topic)
        joining = self._subscriptions.replayed.get(before + 1, ())
        for place in sorted({*listening, *joining}) if joining else listening:
            subscriber = self._bus.subscribers[place]
            if subscriber.joins_after <= before:
                self._tell(place, event)
            elif place in joining:
                for earlier in self.log:
                    if _wants(subscriber, earlier.topic):
                        self._tell(place, earlier)
        for observer in self._bus.observers:
            if observer != event.message.sender:
                post(self._team[observer], event.message)

    def _tell(self, place: int, event: Event) -> None:
        self._open += 1
        self._queues[place].put_nowait(event)

    def _counts(self) -> str:
        counts: Mapping[str, int] = {
            topic: sum(event.topic == topic for event in self.log)
            for topic in dict.fromkeys(event.topic for event in self.log)
        }
        return ", ".join(f"{topic} {count}" for topic, count in counts.items())
