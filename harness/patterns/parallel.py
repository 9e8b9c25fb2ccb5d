"""Several members try the same task at once, and their answers become one.

Wang et al., "Self-consistency improves chain of thought reasoning in language models", ICLR 2023 (`majority`); Dean and
Barroso, "The tail at scale", CACM 56(2), 2013 (`first`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import MinLen

from harness.agents import Message
from harness.patterns.aggregators import AnyAggregator, Merge
from harness.patterns.api import PatternError, Team
from harness.patterns.nested import MemberName
from harness.patterns.side_by_side import messages, raise_first_failure, side_by_side
from harness.units import Count


class TooFewAnswers(PatternError):  # noqa: N818 - names the condition
    """Some members answered, and more failed than the task can do without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel:
    """Everybody answers the task side by side; an aggregator makes one answer of theirs."""

    members: Annotated[tuple[MemberName, ...], MinLen(1)]
    """Who tries; each gets the bare task. One may occur more than once."""
    aggregate: AnyAggregator = Merge()
    """How the answers become one; absent means `merge`."""
    min_answers: Count = 1
    """The task fails with fewer answers than this; when no member answers, with the first failure."""

    def __post_init__(self) -> None:
        wanted = max(self.min_answers, self.aggregate.enough or 1)
        if wanted > len(self.members):
            raise ValueError(f"{wanted} answers are wanted of {len(self.members)} members")

    async def run(self, task: Message, team: Team) -> Message:
        """Try, and put together.

        Raises:
            TooFewAnswers: Some members answered, but not enough of them.
        """
        enough = self.aggregate.enough
        needed = max(self.min_answers, enough or 1)
        outcomes = await side_by_side(
            [team[member].handle(task) for member in self.members],
            enough=None if enough is None else needed,
        )
        answers = messages(outcomes)
        if not answers:
            raise_first_failure(outcomes)
        if len(answers) < needed:
            raise TooFewAnswers(
                f"{len(answers)} of {len(self.members)} members answered, {needed} are needed"
            )
        return await self.aggregate.combine(task, answers, team)
