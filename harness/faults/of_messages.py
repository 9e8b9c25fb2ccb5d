"""Faults of messages at work: each member of a team is reached through one that loses, delays or changes what comes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from harness.agents import Agent, Message
from harness.agents.reception import MessageRefused
from harness.chance import Draws
from harness.faults.api import MessageFault, Passage
from harness.faults.chooser import Chooser
from harness.faults.inject import PlannedFault
from harness.spans import SpanLog

_AS_EVER = Passage()


class Recipient(Protocol):
    """A member of a team."""

    @property
    def name(self) -> str:
        """Its name in the team."""

    async def handle(self, *messages: Message) -> Message:
        """Take a turn: read the messages, and answer."""

    def post(self, message: Message) -> None:
        """Keep a message until the next turn in its task."""


class MessageFaults:
    """The faults of messages of one run.

    Args:
        planned: The whole plan.
        draws: Source of random values.
        log: Where it is noted that one has met something.
    """

    def __init__(self, planned: Sequence[PlannedFault], draws: Draws, log: SpanLog) -> None:
        self.chooser = Chooser(planned, MessageFault, draws, log)
        self.members: Mapping[str, Recipient] = {}
        """Everybody in the team, without faults."""

    def passage(self, message: Message, recipient: str) -> Passage:
        """What happens to a message to a member."""
        sender, task = message.sender, message.task
        key = f"{task.number}/{sender}>{recipient}/{task.count(f'>{sender}>{recipient}')}"
        met = self.chooser.occurrence(sender, task.number, task.customer, key, recipient)

        def fits(fault: MessageFault) -> bool:
            return fault.is_between(sender, recipient)

        fault = self.chooser.choose(met, fits, task.span)
        return _AS_EVER if fault is None else fault.passage()


class Reached:
    """A member of a team, behind the faults of the messages to it.

    Args:
        member: The member.
        faults: What may happen to the messages.
    """

    def __init__(self, member: Recipient, faults: MessageFaults) -> None:
        self.itself = member
        self.name = member.name
        self._faults = faults
        self._next: list[asyncio.Future[None]] = []
        """Those that wait for the next message to overtake them."""

    @property
    def turns(self) -> int:
        """How many of its turns are open."""
        return getattr(self.itself, "turns", 0)

    async def handle(self, *messages: Message) -> Message:
        """Take a turn on what comes.

        Raises:
            TimeoutError: Nothing comes, and the sender gives up.
            MessageRefused: A message is in a version that the member does not speak.
        """
        passages = [self._faults.passage(message, self.name) for message in messages]
        if len(messages) == 1 and passages[0].goes_to is not None:
            return await self._faults.members[passages[0].goes_to].handle(*messages)
        arrived = await self._arrived(messages, passages)
        copies = max(passage.copies for passage in passages)
        if copies == 1:
            return await self.itself.handle(*arrived)
        work = [asyncio.ensure_future(self.itself.handle(*arrived)) for _ in range(copies)]
        try:
            await asyncio.gather(*work, return_exceptions=True)
        finally:
            for one in work:
                one.cancel()
        return work[0].result()

    async def arriving(self, *messages: Message) -> tuple[Message, ...]:
        """What comes of some messages, for a pattern that leads the turn call by call; copies are one.

        Raises:
            TimeoutError: Nothing comes, and the sender gives up.
            MessageRefused: A message is in a version that the member does not speak.
        """
        passages = [self._faults.passage(message, self.name) for message in messages]
        return await self._arrived(messages, passages)

    async def _arrived(
        self, messages: Sequence[Message], passages: Sequence[Passage]
    ) -> tuple[Message, ...]:
        arrived: list[Message] = []
        overtaken: list[Message] = []
        for message, passage in zip(messages, passages, strict=True):
            if passage.goes_to is not None:
                self._faults.members[passage.goes_to].post(message)
            elif not passage.is_lost:
                changed = self._in_version(message, passage)
                behind = passage.overtaken_within_s is not None
                (overtaken if behind and len(messages) > 1 else arrived).append(changed)
                if overtaken and not behind:
                    arrived += overtaken
                    overtaken.clear()
        arrived += overtaken
        if not arrived:
            await _unheard(passages)
        late_s = max(passage.late_s for passage in passages)
        if late_s:
            await asyncio.sleep(late_s)
        if len(messages) == 1 and passages[0].overtaken_within_s is not None:
            await self._overtaken(passages[0].overtaken_within_s)
        else:
            self._overtake()
        return tuple(arrived)

    def post(self, message: Message) -> None:
        """Keep what comes until the next turn in its task."""
        passage = self._faults.passage(message, self.name)
        if passage.is_lost or (passage.version is not None and not self._speaks(passage.version)):
            return
        to = self.itself if passage.goes_to is None else self._faults.members[passage.goes_to]
        late_s = passage.late_s
        if passage.overtaken_within_s is not None:
            waiting = asyncio.ensure_future(self._overtaken(passage.overtaken_within_s))
            waiting.add_done_callback(lambda _: _post(to, message))
            return
        for _ in range(passage.copies):
            if late_s:
                asyncio.get_running_loop().call_later(late_s, _post, to, message)
            else:
                to.post(message)
        self._overtake()

    def _in_version(self, message: Message, passage: Passage) -> Message:
        version = passage.version
        if version is None:
            return message
        if not self._speaks(version):
            raise MessageRefused(
                "version_mismatch",
                f"{self.name} does not speak version {version}, in which {message.sender} writes",
            )
        return message._replace(version=version)

    def _speaks(self, version: str) -> bool:
        reception = self.itself.reception if isinstance(self.itself, Agent) else None
        return reception is not None and version in reception.versions

    async def _overtaken(self, within_s: float) -> None:
        """Wait until the next message to the same member has come."""
        passed = asyncio.get_running_loop().create_future()
        self._next.append(passed)
        try:
            async with asyncio.timeout(within_s):
                await passed
        except TimeoutError:
            self._next.remove(passed)

    def _overtake(self) -> None:
        waiting, self._next = self._next, []
        for passed in waiting:
            if not passed.done():
                passed.set_result(None)


async def _unheard(passages: Sequence[Passage]) -> None:
    """Wait as the sender does who hears nothing.

    Raises:
        TimeoutError: It gives up.
    """
    after_s = [passage.noticed_after_s for passage in passages if passage.is_lost]
    if not after_s or None in after_s:
        await asyncio.get_running_loop().create_future()
    await asyncio.sleep(max(time_s for time_s in after_s if time_s is not None))
    raise TimeoutError("the message was lost")


def _post(to: Recipient, message: Message) -> None:
    """Put a message into a mailbox, if its task still goes on."""
    if not message.task.span.status:
        to.post(message)
