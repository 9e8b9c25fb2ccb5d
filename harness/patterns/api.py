"""The pattern protocol: plain asyncio code in which a team of agents works on a task.

A pattern knows agents and messages and nothing else: not the clock, not the provider, not that it is simulated. A new
one is one file beside its siblings: a frozen record of its roles with a `run` method.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, Protocol, runtime_checkable

from harness.agents import Agent, Message
from harness.fields import Tagged


class Member(Protocol):
    """Somebody who works in a team: an agent, or a team within the team."""

    @property
    def name(self) -> str:
        """Its name in the team."""

    async def handle(self, *messages: Message) -> Message:
        """Take a turn: read the messages, and answer.

        Raises:
            ModelError: A call failed for good.
            TimeoutError: It took too long.
            PatternError: The agents did what they were told, and it led nowhere.
        """


Team = Mapping[str, Member]
"""The members, by name."""


def agent_in(team: Team, name: str) -> Agent:
    """A member that must be an agent of its own, because the pattern leads its turn call by call.

    Raises:
        PatternError: It is a team within the team.
    """
    member = team[name]
    member = getattr(member, "itself", member)  # faults of messages may stand before it
    if not isinstance(member, Agent):
        raise PatternError(f"{name} is a team, and the pattern needs an agent there")
    return member


async def arriving(member: Member, *messages: Message) -> tuple[Message, ...]:
    """What comes of messages to a member whose turn a pattern leads call by call; all, unless there are faults of messages.

    Raises:
        TimeoutError: Nothing comes, and the sender gives up.
        ModelError: The member does not take a message.
    """
    come: Callable[..., Awaitable[tuple[Message, ...]]] | None = getattr(member, "arriving", None)
    return messages if come is None else await come(*messages)


def turns_of(member: Member) -> int:
    """How many turns of a member are open now, of all tasks; 0 of one that does not count them."""
    return getattr(member, "turns", 0)


def post(member: Member, message: Message) -> None:
    """Put a message into a member's mailbox, who reads it at the beginning of the next turn in the same task.

    A member without a mailbox does not get it.
    """
    if isinstance(member, HasMailbox):
        member.post(message)


@runtime_checkable
class HasMailbox(Protocol):
    """A member that gets messages without being asked anything."""

    def post(self, message: Message) -> None:
        """Keep a message until the next turn in its task."""


class Pattern(Protocol):
    """How agents work together on one task."""

    async def run(self, task: Message, team: Team) -> Message:
        """Work on a task until there is an answer.

        Args:
            task: What the user asks for.
            team: Who can work on it.

        Raises:
            ModelError: A call failed for good, and the pattern cannot do without it.
            TimeoutError: A call took too long, and the pattern cannot do without it.
            PatternError: The agents did what they were told, and it led nowhere.
        """


PATTERNS: dict[str, type[Pattern]] = {}
"""The name of each pattern in a scenario file; the package fills it."""

made_by: dict[str, Callable[[Any], Any]] = {}
"""For patterns of the user's own modules: what a scenario keeps in place of the record that its file describes."""

AnyPattern = Annotated[Pattern, Tagged(PATTERNS, made_by=made_by)]
"""One of the patterns, as a scenario file says it."""


class PatternError(Exception):
    """The agents did what they were told, and it led nowhere; a simulated error, recorded as the task's."""
