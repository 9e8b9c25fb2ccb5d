"""What a search found, and how far it looked."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.explore.coverage import Coverage
from harness.explore.deviation import Deviations
from harness.explore.properties import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One class of failure, with the least that leads to it."""

    kind: str
    """The property that does not hold, or the class of the error."""
    message: str
    where: str
    """The innermost line of the user's, as `file:line`; empty if there is none."""
    overrides: Deviations
    """The deviations that it takes."""
    runs_until_found: int
    runs_to_shrink: int
    strategy: str
    """Which strategy found it."""
    token: str
    """Replays it: `sim.replay_finding(token)`, or `pytest --sim-replay TOKEN`."""
    story: str
    """What deviates and what then happens, in words."""
    in_words: tuple[str, ...] = field(repr=False)
    """Each deviation in words."""
    timeline: tuple[str, ...] = field(repr=False)
    """What happened in the shrunk run, a line each."""
    nearest: tuple[str, ...] = field(repr=False)
    """The deviations of the nearest run that passes, in words; none if that is the passing run."""
    passing_timeline: tuple[str, ...] = field(repr=False)
    """What happened in the nearest run that passes."""
    deviations_when_found: int
    """How many deviations the run had that failed first."""
    failure: Failure = field(repr=False)

    def __repr__(self) -> str:
        """One line, for a failed `assert not found.findings`; its text has the story."""
        many = len(self.overrides)
        return f"<Finding {self.kind}: {self.message[:80]}, {many} {'deviation' if many == 1 else 'deviations'}>"

    def __str__(self) -> str:
        return f"{self.story}\nFound in run {self.runs_until_found}, shrunk in {self.runs_to_shrink} more runs.\nTo replay: {self.token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """The result of a search."""

    findings: tuple[Finding, ...]
    """One for each class of failure, in the order in which they were found."""
    runs: int
    """Runs of the search; those for shrinking and confirming are not counted."""
    runs_to_shrink: int
    """Runs for shrinking and confirming."""
    coverage: Coverage
    """How far it looked."""
    not_reproducible: tuple[str, ...] = ()
    """Failures that did not fail again in the same way, and a passing run that did not pass again alike, with where they parted."""
    interrupted: bool = False
    """Whether it was stopped by Ctrl-C."""
    by_strategy: Mapping[str, int] = field(default_factory=dict)
    """Runs of each strategy."""

    def __bool__(self) -> bool:
        """Whether anything was found."""
        return bool(self.findings)

    def __repr__(self) -> str:
        many = len(self.findings)
        found = f"{many} {'finding' if many == 1 else 'findings'} in {self.runs} runs"
        return f"<Exploration: {found}; print it, or call assert_none(), to read the stories>"

    def __str__(self) -> str:
        told = [
            f"{len(self.findings)} {'finding' if len(self.findings) == 1 else 'findings'} in {self.runs} runs"
        ]
        told += [f"\n{place}. {finding}" for place, finding in enumerate(self.findings, 1)]
        told += [f"\nnot reproducible: {each}" for each in self.not_reproducible]
        told.append(f"\nCoverage: {self.coverage}")
        return "\n".join(told)

    def assert_none(self) -> None:
        """Assert that nothing was found.

        Raises:
            AssertionError: Something was; the message tells its story.

        Warns:
            UserWarning: Nothing was, but something is not reproducible.
        """
        __tracebackhide__ = True
        if self.findings:
            raise AssertionError(str(self))
        for each in self.not_reproducible:
            warnings.warn(f"not reproducible: {each}", stacklevel=2)
