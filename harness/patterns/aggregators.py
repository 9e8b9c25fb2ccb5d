"""How several answers to one task become one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Protocol

from harness.agents import Message
from harness.agents.reading import choice
from harness.fields import Tagged
from harness.patterns.api import PatternError, Team
from harness.patterns.decisions import ask, decision
from harness.patterns.nested import MemberName
from harness.patterns.side_by_side import joined
from harness.units import Count, Probability


class NoMajority(PatternError):  # noqa: N818 - names the condition
    """No answer was given often enough."""


class Aggregator(Protocol):
    """Makes one answer of several."""

    @property
    def enough(self) -> int | None:
        """How many answers are wanted; the other members are cancelled then. None means all."""

    async def combine(self, task: Message, answers: Sequence[Message], team: Team) -> Message:
        """Make one answer.

        Args:
            task: What was asked for.
            answers: What came, at least one, in the order in which the members are listed.
            team: Who can help.

        Raises:
            ModelError: A member whose help is needed failed. So with the other errors.
            TimeoutError: See above.
            PatternError: See above, or the answers do not make one.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The answer that comes first; the other members are cancelled."""

    enough: ClassVar[int | None] = 1

    async def combine(self, task: Message, answers: Sequence[Message], team: Team) -> Message:
        """Take the one that is there."""
        return answers[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """All answers together."""

    by: MemberName | None = None
    """Who puts them together; absent means that they are only joined."""
    enough: ClassVar[int | None] = None

    async def combine(self, task: Message, answers: Sequence[Message], team: Team) -> Message:
        """Join them, or let a member do it."""
        return await joined(task, answers, team, self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """The first `k` answers together; the other members are cancelled."""

    k: Count
    """How many answers are enough, and needed."""
    by: MemberName | None = None
    """Who puts them together; absent means that they are only joined."""

    @property
    def enough(self) -> int | None:
        """As many as are needed."""
        return self.k

    async def combine(self, task: Message, answers: Sequence[Message], team: Team) -> Message:
        """Join them, or let a member do it."""
        return await joined(task, answers, team, self.by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """The answer that is given most often."""

    options: tuple[str, ...] = ()
    """The answers that count, read from the beginning of a reply or from its field `decision`, `vote` or `verdict`; absent
    means that equal texts are equal answers, whatever their case and spaces."""
    share: Probability = 0.5
    """The answer must come from more than this share of those who answered. With less than a half, the one that is listed
    first wins a tie."""
    enough: ClassVar[int | None] = None

    async def combine(self, task: Message, answers: Sequence[Message], team: Team) -> Message:
        """Count.

        Returns:
            The first message that gives the answer.

        Raises:
            NoMajority: No answer has its share.
        """
        given = [self._answer(message) for message in answers]
        counts = Counter(answer for answer in given if answer is not None)
        most = max(counts, key=counts.__getitem__, default=None)
        if most is None or counts[most] <= self.share * len(answers):
            said = ", ".join(f"{answer!r} {count}" for answer, count in counts.items()) or "none"
            raise NoMajority(f"no majority among {len(answers)} answers: {said}")
        return answers[given.index(most)]

    def _answer(self, message: Message) -> str | None:
        if self.options:
            return choice(message.text, self.options)
        return " ".join(message.text.casefold().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOf:
    """The answer that a judge prefers."""

    judge: MemberName
    """Who gets the task and all answers, and names the best by its number."""
    on_unreadable: Literal["fail", "first"] = "fail"
    """When the judge names none: the task fails, or the answer that is listed first is taken."""
    enough: ClassVar[int | None] = None

    async def combine(self, task: Message, answers: Sequence[Message], team: Team) -> Message:
        """Let the judge choose; of one answer there is nothing to choose.

        Raises:
            DecisionUnreadable: The judge names no answer.
        """
        if len(answers) == 1:
            return answers[0]
        question = ask(
            task, f"Which of these {len(answers)} answers is the best? Begin with its number."
        )
        verdict = await team[self.judge].handle(task, *answers, question)
        numbers = [str(number) for number in range(1, len(answers) + 1)]
        if self.on_unreadable == "first" and choice(verdict.text, numbers) is None:
            return answers[0]
        return answers[int(decision(verdict, numbers)) - 1]


AGGREGATORS: dict[str, type[Aggregator]] = {
    "first": First,
    "quorum": Quorum,
    "majority": Majority,
    "best_of": BestOf,
    "merge": Merge,
}
"""The name of each aggregator in a scenario file."""

AnyAggregator = Annotated[Aggregator, Tagged(AGGREGATORS)]
"""One of the aggregators, as a scenario file says it."""
