"""A pattern where an agent's name could stand: a team within the team."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import MinLen

from harness.agents import Message, joined
from harness.agents.message import receive, unread
from harness.fields import NameOf
from harness.models import error_name
from harness.patterns.api import AnyPattern, Pattern, Team
from harness.patterns.own import OwnPattern
from harness.spans import AGENT, CANCELLED, ERROR, OK, SpanLog

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, ValidationInfo
    from pydantic_core import CoreSchema


class Seat(str):
    """The name of a member as it stands in a pattern, with the pattern itself where that stands in its place."""

    __slots__ = ("pattern",)
    pattern: Pattern | None

    def __new__(cls, name: str, pattern: Pattern | None = None) -> Seat:
        """Name a member, who is an agent or a team of the scenario, or the team that the pattern makes."""
        seat = super().__new__(cls, name)
        seat.pattern = pattern
        return seat

    def __reduce__(self) -> tuple[object, ...]:
        return Seat, (str(self), self.pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerTeam:
    """A pattern that stands in a pattern, where the name of an agent could."""

    pattern: AnyPattern
    """How its members work together."""
    name: Annotated[str, MinLen(1)] | None = None
    """Its name in spans; absent means that of the pattern, with a number if it is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """All agents of an entry with a count; an item of a list."""

    all: str
    """The entry under `agents`."""


@dataclass(frozen=True, slots=True)
class MemberOf(NameOf):
    """Marks a text as the name of a member of the team; a pattern may stand in its place."""

    section: str = "agents"
    may_be_team: bool = True

    def __get_pydantic_core_schema__(
        self,
        source: Any,  # noqa: ANN401 - pydantic's hook
        handler: GetCoreSchemaHandler,
    ) -> CoreSchema:
        """Accept a name under `agents`, or a mapping with a pattern, and give a `Seat`."""
        from pydantic_core import PydanticCustomError, core_schema

        def refuse(it: AllOf, info: ValidationInfo) -> AllOf:
            context = info.context or {}
            known = [*context.get("counts", ()), *context.get("agents", ())]
            if it.all not in known:
                raise PydanticCustomError(
                    "unknown_name",
                    "there is no {name} under agents",
                    {"name": repr(it.all), "known": known},
                )
            raise PydanticCustomError(
                "cycle", "{name}: all can stand in a list only; name one of them", {"name": it.all}
            )

        name = core_schema.no_info_after_validator_function(
            Seat,
            NameOf.__get_pydantic_core_schema__(self, source, handler),
            serialization=core_schema.to_string_ser_schema(),
        )
        nested = core_schema.no_info_after_validator_function(
            lambda it: Seat(it.name or "team", it.pattern), handler.generate_schema(InnerTeam)
        )
        # The loader writes out those that stand in a list.
        every = core_schema.with_info_after_validator_function(
            refuse, handler.generate_schema(AllOf)
        )
        return core_schema.tagged_union_schema(
            {"a name": name, "a pattern": nested, "all of an entry": every},
            discriminator=_kind_of_seat,
        )


def _kind_of_seat(value: object) -> str:
    if not isinstance(value, dict):
        return "a name"
    return "all of an entry" if "all" in value else "a pattern"


MemberName = Annotated[str, MemberOf()]
"""The name of an agent or a team of the scenario, or a pattern in its place: `{pattern: {debate: {...}}}`."""


def seats(part: object) -> Iterator[Seat]:
    """The members that a pattern of a scenario names, in order; not those of the teams within it."""
    if isinstance(part, Seat):
        yield part
    elif isinstance(part, OwnPattern):
        yield from seats(part.values)
    elif isinstance(part, Mapping):
        for key, value in part.items():
            yield from seats(key)
            yield from seats(value)
    elif isinstance(part, tuple | list):
        for value in part:
            yield from seats(value)
    elif is_dataclass(part):
        for field in fields(part):
            yield from seats(getattr(part, field.name))


def teams_in(pattern: Pattern) -> Iterator[tuple[str, Pattern]]:
    """The teams within a pattern, to any depth, by name."""
    for seat in seats(pattern):
        if seat.pattern is not None:
            yield str(seat), seat.pattern
            yield from teams_in(seat.pattern)


class NestedTeam:
    """A team that is a member of a team: what it is asked is a task to its own pattern.

    Its span is that of an agent's turn, and the turns of its members are parts of it.

    Args:
        name: Its name in the team.
        pattern: How its members work together.
        team: Whom its pattern may name.
        log: Where its spans go.
    """

    def __init__(self, name: str, pattern: Pattern, team: Team, log: SpanLog) -> None:
        self.name = name
        self._pattern = pattern
        self._team = team
        self._log = log
        self.turns = 0
        """How many of its turns are open."""

    def post(self, message: Message) -> None:
        """Keep a message until the next turn in its task."""
        receive(message, self.name, self._log)

    async def handle(self, *messages: Message) -> Message:
        """Let the pattern work on what is asked.

        Raises:
            ModelError: A call failed for good, and the pattern cannot do without it.
            TimeoutError: It took too long, and the pattern cannot do without it.
            PatternError: The agents did what they were told, and it led nowhere.
        """
        asked = joined((*unread(messages[0].task, self.name), *messages))
        span = self._log.open(AGENT, self.name, asked.task.span, self.name)
        status = CANCELLED
        self.turns += 1
        within = asked.task.within(span)
        try:
            answer = await self._pattern.run(asked._replace(task=within), self._team)
            status = OK
        except Exception as error:
            status, span.error = ERROR, error_name(error)
            raise
        finally:
            self.turns -= 1
            asked.task.cost_usd += within.cost_usd
            self._log.close(span, status)
        return answer._replace(
            task=asked.task,
            sender=self.name,
            recipient=asked.sender,
            answers=asked.number,
            latency_s=span.end_s - span.arrival_s,
            cost_usd=None if math.isnan(within.cost_usd) else within.cost_usd,
        )
