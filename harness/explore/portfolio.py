"""The portfolio: all strategies in turn until the budget is spent, and each failure shrunk and confirmed as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from harness.explore.budget import BudgetSpent
from harness.explore.cases import drop, keep, of_test
from harness.explore.coverage import coverage_of
from harness.explore.deviation import WIDE, Deviations
from harness.explore.exploration import Exploration, Finding
from harness.explore.nearest import nearest
from harness.explore.observation import Observation
from harness.explore.properties import Failure
from harness.explore.search import Search
from harness.explore.shrink import Shrinker, Shrunk, in_order
from harness.explore.story import in_words, nearest_in_words, tell
from harness.explore.strategies import STRATEGIES
from harness.explore.token import NO_LIMITS, Replay, token_of
from harness.explore.trail import parted, parted_here, trail_of
from harness.explore.trial import Trial

FIRST: tuple[str, ...] = (
    "dense", "ties", "threads", "dense", "ties", "threads", "ties", "threads", "ties", "threads", "threads", "threads", "down", "heal",
)  # fmt: skip
"""Before all else; `down` to its end."""

ROUND: tuple[str, ...] = (
    "race", "cancel", "slow", "follow", "race", "tools", "cancel", "fail", "widely", "race", "again", "heal", "tools", "follow", "other",
    "widely", "under", "transient", "instant", "dense", "race", "tools", "mishaps", "follow", "pairs", "race", "again", "widely", "ties",
    "threads", "rebase", "aside", "deep",
)  # fmt: skip
"""The order of turns from then on."""

_SHRINK_MAX = 60
"""Runs that shrinking may take."""

_SKIPPED_MAX = 200
"""So many proposals in a row that are known already, and a strategy is passed over in this turn."""


class Portfolio:
    """Runs a search.

    Args:
        search: The search, not begun.
        on_finding: Told of each finding as it comes.
        on_run: Told of each run.
        seed: The seed of the runs.
        test: What the findings are of.
        cases: The folder in which findings are kept; what is kept there of this test is run first. None keeps nothing.
        limits: The limits of a task that are among the properties, by name.
    """

    def __init__(
        self,
        search: Search,
        *,
        on_finding: Callable[[Finding], object] = lambda _: None,
        on_run: Callable[[Search], object] = lambda _: None,
        seed: int = 1,
        test: str = "",
        cases: Path | None = None,
        limits: Mapping[str, float] = NO_LIMITS,
    ) -> None:
        self._search = search
        self._on_finding = on_finding
        self._on_run = on_run
        self._seed = seed
        self._test = test
        self._cases = cases
        self._limits = limits
        self._findings: list[Finding] = []
        self._place: dict[tuple[str, str, str], int] = {}
        """Where the finding of a failure stands among them."""
        self._not_reproducible: list[str] = []
        self._shrinking = 0
        self._running: dict[str, Iterator[Deviations | None]] = {}
        self._ended: set[str] = set()

    def run(self) -> Exploration:
        """Search until the budget is spent, nothing is left to try, or Ctrl-C."""
        interrupted, cut_at = False, "nothing left to try"
        try:
            with self._search.judge.branches.watched():
                passing = self._search.begin()
                if passing.failure is not None:
                    self._report(passing)
                else:
                    self._rounds()
        except BudgetSpent:
            budget = self._search.budget
            cut_at = "the budget of runs" if budget.spent >= budget.runs else "the budget of time"
            if len(self._findings) >= budget.findings:
                cut_at = "the number of findings that were wanted"
        except KeyboardInterrupt:
            interrupted, cut_at = True, "Ctrl-C"
        finally:
            self._search.ahead.leave()
            self._search.ahead.end()
        differs = [] if interrupted else self._search.differences_now()
        return self._result(cut_at, differs, interrupted=interrupted)

    def _result(
        self, cut_at: str, differs: Sequence[str] = (), *, interrupted: bool = False
    ) -> Exploration:
        return Exploration(
            findings=tuple(self._findings),
            runs=self._search.budget.spent,
            runs_to_shrink=self._shrinking,
            coverage=coverage_of(self._search, cut_at),
            not_reproducible=(*self._not_reproducible, *differs),
            interrupted=interrupted,
            by_strategy=dict(self._search.by_strategy),
        )

    def replay(self, replay: Replay) -> Exploration:
        """Run the deviations of a finding once more, and nothing else; what is found is the finding if it is still there."""
        passing = self._search.begin()
        trial = passing
        if replay.deviations:
            trial = self._search.trial(replay.deviations, "replay")
        differs = []
        if replay.events and replay.events != trial.seen.events:
            where = parted(replay.trail, trial.seen.timeline()) if replay.trail else ""
            differs.append(
                "the run is another one than that of the token: the program, its environment or harness has changed"
                + (f"; {where}" if where else "")
            )
        if trial.failure is not None:
            near = self._search.trial(replay.near, "replay") if replay.near else passing
            passed = ((near.deviations, near.seen),) if near.failure is None else ()
            self._tell(trial, Shrunk(trial.deviations, trial.seen, trial.failure, 0, passed))
        return self._result("a replay", differs)

    def _rounds(self) -> None:
        for case in () if self._cases is None else of_test(self._cases, self._test):
            if case.seed == self._seed and not self._search.is_spent_on(case.deviations):
                self._judge(self._search.trial(case.deviations, "kept"))
        for name in FIRST:
            while self._turn(name) and name == "down":
                pass
        while sum(self._turn(name) for name in ROUND):
            pass

    def _turn(self, name: str) -> bool:
        """Let a strategy make one run; whether it did."""
        deviations = self._next(name)
        if deviations is None:
            return False
        trial = self._search.trial(deviations, name)
        self._judge(trial)
        return True

    def _judge(self, trial: Trial) -> None:
        if not self._search.ahead.is_child:
            self._on_run(self._search)
        if trial.failure is not None:
            self._report(trial)
            if len(self._findings) >= self._search.budget.findings:
                raise BudgetSpent

    def _next(self, name: str) -> Deviations | None:
        if name in self._ended:
            return None
        if name not in self._running:
            self._running[name] = STRATEGIES[name](self._search)
        for _ in range(_SKIPPED_MAX):
            try:
                proposed = next(self._running[name])
            except StopIteration:
                self._ended.add(name)
                return None
            if proposed is None:
                return None
            if proposed and not self._search.is_spent_on(proposed):
                return proposed
        return None

    # -- failures -----------------------------------------------------------------------------------------------------

    def _report(self, trial: Trial) -> None:
        """Confirm a failure of a new class, shrink it, and tell of it."""
        failure = trial.failure
        assert failure is not None, "only failures are reported"
        if failure.key in self._search.known and not self._has_less(trial, failure):
            return
        again, same = self._look(trial.deviations)
        if same is None or same.key != failure.key or again.events != trial.seen.events:
            self._search.known.add(failure.key)
            self._not_reproducible.append(_parted(trial, failure, again, same))
            return
        shrunk = Shrinker(
            self._search.judge.look,
            trial.deviations,
            trial.seen,
            failure,
            self._search.passing.seen,
            _SHRINK_MAX,
        ).shrink()
        self._shrinking += shrunk.runs
        self._search.known |= {failure.key, shrunk.failure.key}
        self._tell(trial, shrunk)

    def _has_less(self, trial: Trial, failure: Failure) -> bool:
        """Whether a failure that was found already takes fewer deviations this time.

        Shrinking only takes away and replaces: from two faults that make the program early it does not come to the one call that is late.
        """
        place = self._place.get(failure.key)
        if place is None or any(isinstance(one, WIDE) for one in trial.deviations):
            return False
        return len(trial.deviations) < len(self._findings[place].overrides)

    def _tell(self, trial: Trial, shrunk: Shrunk) -> None:
        """Keep a finding, in the place of a greater one of the same failure, and tell of it."""
        deviations = in_order(shrunk.deviations, shrunk.seen)
        if deviations:
            self._search.minima.append(frozenset(deviations))
        passing = self._search.passing.seen
        near = nearest(self._search.trials.values(), shrunk)
        timeline = tuple(shrunk.seen.timeline())
        replay = Replay(
            self._seed,
            deviations,
            shrunk.failure.kind,
            shrunk.seen.events,
            trail_of(timeline),
            near.deviations,
            self._test,
            self._limits,
        )
        finding = Finding(
            kind=shrunk.failure.kind,
            message=shrunk.failure.message,
            where=shrunk.failure.where,
            overrides=deviations,
            runs_until_found=trial.number,
            runs_to_shrink=shrunk.runs,
            strategy=trial.strategy,
            token=token_of(replay),
            story=tell(passing, near, shrunk.seen, deviations, shrunk.failure),
            in_words=tuple(in_words(one, passing, shrunk.seen) for one in deviations),
            timeline=timeline,
            nearest=nearest_in_words(passing, near),
            passing_timeline=tuple(near.seen.timeline()),
            deviations_when_found=len(trial.deviations),
            failure=shrunk.failure,
        )
        self._put(finding, trial.failure)
        if self._cases is not None and deviations:
            keep(self._cases, finding)
        self._on_finding(finding)

    def _put(self, finding: Finding, first: Failure | None) -> None:
        """Keep a finding in the place of a greater one of the same failure."""
        keys = [of.key for of in (first, finding.failure) if of is not None]
        place = next((self._place[key] for key in keys if key in self._place), None)
        if place is None:
            place = len(self._findings)
            self._findings.append(finding)
        else:
            if self._cases is not None:
                drop(self._cases, self._findings[place])
            self._findings[place] = finding
        self._place |= dict.fromkeys(keys, place)

    def _look(self, deviations: Deviations) -> tuple[Observation, Failure | None]:
        self._shrinking += 1
        return self._search.judge.look(deviations)


def _parted(trial: Trial, failure: Failure, again: Observation, same: Failure | None) -> str:
    now = "it passed" if same is None else f"it failed with {same.message}"
    where = parted_here(trial.seen.timeline(), again.timeline())
    return f"{failure.message} in run {trial.number}; when it was run again, {now}" + (
        f"; {where}" if where else ""
    )


def strategies_in_use() -> Sequence[str]:
    """The names of the strategies of a search, each once, in the order of their first turn."""
    return list(dict.fromkeys((*FIRST, *ROUND)))
