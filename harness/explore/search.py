"""The state of a search: the passing run, all trials, what matters, and what was found."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from harness.explore.ahead import Ahead
from harness.explore.altered import accepts_everything
from harness.explore.budget import Budget
from harness.explore.deviation import (
    WIDE,
    Cancel,
    Deviation,
    Deviations,
    Fault,
    Latency,
    Meets,
    ToolFails,
    ToolLatency,
    ToolTwice,
)
from harness.explore.judge import Judge
from harness.explore.observation import Observation, Site, Subject, Use
from harness.explore.properties import Property
from harness.explore.reductions import REDUCTIONS, SAME_STORY
from harness.explore.rows import by_rows
from harness.explore.trail import parted_here
from harness.explore.trial import Trial

_T = TypeVar("_T")

AGAIN = "again"
"""The strategy that tries other times of calls whose lateness is a base already."""


class Search:
    """One search.

    Args:
        subject: What is explored.
        properties: What has to hold.
        budget: How much it may spend.
        faults: The faults that may be injected, by name; None means all that fit.
        seed: What random strategies follow from.
        check: The user's check among the properties, which is shown altered outputs.
        jobs: How many runs are made at once; what is found does not depend on it.
        reductions: Which reductions are in use; all by default.
        heals: Whether runs are tried in which all faults stop.
    """

    def __init__(
        self,
        subject: Subject,
        properties: Sequence[Property],
        budget: Budget,
        faults: Collection[str] | None = None,
        seed: int = 1,
        check: Callable[..., object] | None = None,
        jobs: int = 1,
        reductions: Collection[str] = REDUCTIONS,
        *,
        heals: bool = False,
    ) -> None:
        self.heals = heals
        self.check = check
        self.reductions = reductions
        self.ahead = Ahead(jobs)
        self.judge = Judge(subject, properties)
        self.budget = budget
        self.faults = faults
        self.seed = seed
        self.trials: dict[frozenset[Deviation], Trial] = {}
        """All trials by their deviations."""
        self.by_strategy: Counter[str] = Counter()
        """Runs of each strategy."""
        self.stories: dict[str, Trial] = {}
        """The first trial of each story, in order."""
        self.bases: dict[str, Trial] = {}
        """Of each story, the first trial of a single deviation that led to it: what second deviations are added to."""
        self.narrow: dict[str, Trial] = {}
        """The same, of deviations that stand for no others."""
        self.orders: dict[str, Trial] = {}
        """Of each order of the calls that matter, the first trial of a single deviation that led to it."""
        self.irrelevant: dict[str, None] = {}
        """Agents whose failure alone changed nothing else."""
        self.followups: deque[Trial] = deque()
        """Trials with a new story whose fresh calls wait for a second deviation."""
        self.minima: list[frozenset[Deviation]] = []
        """The minimal deviations of what was found."""
        self.known: set[tuple[str, str, str]] = set()
        """Keys of the failures that were found."""
        self.notes: list[str] = []
        """What there is to say about the search itself."""

    # -- the passing run ----------------------------------------------------------------------------------------------

    def begin(self) -> Trial:
        """Run without deviations, and learn what there is."""
        self.budget.take()
        seen, failure = self.judge.begin()
        self.passing = Trial((), "passing run", seen, failure, 1)
        self.trials[frozenset()] = self.passing
        self.stories[seen.story()] = self.passing
        self.agents = list(dict.fromkeys(site.agent for site in seen.sites))
        self.linked = _linked(seen)
        self.addresses = {site.address for site in seen.sites}
        """The calls of the passing run."""
        self.used = {use.key for use in seen.uses}
        """Its uses of tools."""
        if self.passing.failure is None and self.check is not None:
            accepted = accepts_everything(self.check, seen.output)
            if accepted:
                self.notes.append(
                    f"the check accepts each of {accepted} altered outputs, None among them: it may be unable to fail"
                )
        seen.release()
        return self.passing

    def differences_now(self) -> list[str]:
        """Run without deviations again, and tell if it is another run than the first: then runs depend on those before them."""
        before = self.passing.seen
        if self.passing.failure is not None:
            return []
        again, _ = self.judge.look(())
        if again.events == before.events:
            return []
        where = parted_here(before.timeline(), again.timeline())
        return [
            "the passing run is another one after the search: the program keeps something that is not put back between runs, "
            "such as a file or a database on disk, so that findings may be missing or wrong"
            + (f"; {where}" if where else "")
        ]

    # -- trials -------------------------------------------------------------------------------------------------------

    def trial(self, deviations: Deviations, strategy: str) -> Trial:
        """Run under deviations, unless that was done before.

        Raises:
            BudgetSpent: There is no run left.
        """
        known = self.trials.get(frozenset(deviations))
        if known is not None:
            return known
        self.budget.take()
        if (not self.ahead.waits and self.ahead.fork()) or (
            self.ahead.is_child and self.ahead.assumes()
        ):
            return self._assumed(deviations, strategy)
        if self.ahead.is_child:
            looked = self.judge.looked(deviations)
            looked.seen.timeline = partial(tuple, looked.seen.timeline())
            self.ahead.send(deviations, looked)
        self.by_strategy[strategy] += 1
        looked = self.ahead.take(deviations, partial(self.judge.looked, deviations))
        if not self.judge.is_current(looked):
            looked = self.judge.looked(deviations)
        self.judge.add(looked)
        seen, failure = looked.seen, looked.failure
        made = Trial(deviations, strategy, seen, failure, self.budget.spent)
        self.trials[frozenset(deviations)] = made
        if failure is None:
            self._learn(made)
        return made

    def _assumed(self, deviations: Deviations, strategy: str) -> Trial:
        """A run that was not made and is taken to have taught nothing."""
        made = Trial(deviations, strategy, self.passing.seen, None, self.budget.spent)
        self.trials[frozenset(deviations)] = made
        return made

    def _learn(self, made: Trial) -> None:
        story = made.seen.story()
        self.stories.setdefault(story, made)
        if len(made.deviations) != 1 or made.strategy == AGAIN:
            return  # of the times of a late call the first is a base; one in between would stand for those that are longer
        if not self.orders:
            self.orders[self.passing.seen.order(self.irrelevant)] = self.passing
        self.orders.setdefault(made.seen.order(self.irrelevant), made)
        if self.stories[story] is self.passing:
            return
        if not isinstance(made.deviations[0], WIDE):
            self.narrow.setdefault(story, made)
        if story not in self.bases:
            self.bases[story] = made
            made.fresh = tuple(
                site for site in made.seen.sites if site.address not in self.addresses
            )
            made.fresh_uses = tuple(use for use in made.seen.uses if use.key not in self.used)
            self.followups.append(made)

    # -- what matters -------------------------------------------------------------------------------------------------

    def is_spent_on(self, deviations: Deviations) -> bool:
        """Whether a set of deviations is known: it was tried, or holds what is known to fail."""
        wanted = frozenset(deviations)
        return wanted in self.trials or any(minimum <= wanted for minimum in self.minima)

    def allows(self, fault: str) -> bool:
        """Whether a fault may be injected."""
        return self.faults is None or fault in self.faults

    def relevant(self) -> list[Site]:
        """The calls of the passing run that may matter."""
        return [site for site in self.passing.seen.sites if site.agent not in self.irrelevant]

    def spread(self) -> Iterator[Site]:
        """The calls of the passing run: of each agent the first, the last, then the others, agents in turn."""
        columns: list[tuple[bool, bool, list[Site]]] = []
        for agent in self.agents:
            own = [site for site in self.passing.seen.sites if site.agent == agent]
            columns.append((agent in self.irrelevant, agent not in self.linked, own))
        columns.sort(key=lambda each: each[:2])
        for wanted in (False, True):
            yield from _in_turn([own for irrelevant, _, own in columns if irrelevant is wanted])

    def uses(self) -> Iterator[Use]:
        """The uses of tools of the passing run: of each tool the first, the last, then the others, tools in turn."""
        by_tool: dict[str, list[Use]] = {}
        for use in self.passing.seen.uses:
            by_tool.setdefault(use.tool, []).append(use)
        yield from _in_turn(list(by_tool.values()))

    def changed_by(self, trial: Trial, agents: Collection[str]) -> bool:
        """Whether a trial differs from the passing run in more than the calls of some agents."""
        if trial.failure is not None:
            return True
        one, other = (
            sorted((site.agent, site.prompt) for site in seen.sites if site.agent not in agents)
            for seen in (self.passing.seen, trial.seen)
        )
        return one != other or trial.seen.printed != self.passing.seen.printed

    def changing(self) -> list[Deviations]:
        """The single deviations that changed the story, in the order in which they were found."""
        return _singles(self.narrow.values())

    def reordering(self) -> list[Deviations]:
        """The single deviations that changed the order of calls and not the story; without that reduction, all others."""
        trials = self.orders if SAME_STORY in self.reductions else self.trials
        stories = set(self.changing())
        return [
            single
            for single in _singles(one for one in trials.values() if one.failure is None)
            if single not in stories
        ]


def _in_turn(columns: Sequence[Sequence[_T]]) -> Iterator[_T]:
    """The first of each column, the last of each, then the others."""
    return by_rows([[*own[:1], *own[1:][-1:], *own[1:-1]] for own in columns])


def _singles(trials: Iterable[Trial]) -> list[Deviations]:
    return [
        trial.deviations
        for trial in trials
        if len(trial.deviations) == 1
        and isinstance(
            trial.deviations[0],
            Fault | Latency | ToolFails | ToolLatency | ToolTwice | Meets | Cancel,
        )
    ]


def _linked(seen: Observation) -> set[str]:
    """The agents whose replies led to the output, as far as their words tell."""
    by_number = {site.number: site for site in seen.sites}
    needed: set[int] = set()
    todo = sorted(seen.kept)
    while todo:
        number = todo.pop()
        if number not in needed:
            needed.add(number)
            todo += by_number[number].heard
    return {by_number[number].agent for number in needed}


Told = Callable[[str], object]
"""Told of progress, in one line."""
