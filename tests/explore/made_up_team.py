"""Made-up teams: a planner, workers that draft and polish side by side, a clerk, and a reviewer with a deputy."""

from __future__ import annotations

import random  # noqa: TID251 - of a seed, to make up teams
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from harness.explore.deviation import Deviations, Fault
from harness.explore.observation import Bounds, Observation, Site

FAULTS = ("overloaded", "hang", "truncated", "invalid_json")

_PLAIN = ("planner", "clerk", "reviewer")
_OF_WORKER = ("draft", "polish")
_TAKES_S = 1.0


@dataclass(frozen=True)
class Part:
    """A part of what breaks a team: something happens to one call."""

    role: str
    """`planner`, `clerk`, `reviewer`, `draft` or `polish`."""
    outcome: str
    """`failed` or `garbled`."""


@dataclass(frozen=True)
class Rule:
    """A class of failure: two things happen."""

    one: Part
    other: Part
    same_worker: bool = False
    """Of two calls of workers: whether they are of one worker."""


@dataclass(frozen=True)
class Team:
    """A subject of a search that runs in no time."""

    workers: int
    rules: Sequence[Rule]
    outcomes: dict[str, str]
    """What each fault comes to; faults of one outcome are not told apart."""
    special: int
    """The worker to which the rules do not apply; -1 if they are all alike."""
    drops_polish: bool
    """Whether a worker whose draft failed does not polish."""

    def run(self, deviations: Deviations, bounds: Bounds | None = None) -> Observation:
        """Run once."""
        met = {one.call: self.outcomes[one.name] for one in deviations if isinstance(one, Fault)}
        sites = list(self._sites(met))
        made = {site.address for site in sites}
        happened = [(call, what) for call, what in met.items() if call in made]
        broken = [rule for rule in self.rules if self._is_broken(rule, happened)]
        return Observation(
            output={"broken": repr(broken[0]) if broken else "", "seen": sorted(happened)},
            error=None,
            latency_s=max(site.end_s for site in sites),
            sites=sites,
            events=repr(sorted(map(repr, deviations))),
            applied=dict.fromkeys(
                one for one in deviations if isinstance(one, Fault) and one.call in made
            ),
        )

    def calls(self) -> Iterator[tuple[str, str]]:
        """The path and the role of each call."""
        for role in _PLAIN:
            yield "main", role
        for number, role in product(range(self.workers), _OF_WORKER):
            yield "main/work" if number == 0 else f"main/work#{number + 1}", role

    def _sites(self, met: dict[str, str]) -> Iterator[Site]:
        for number, (path, role) in enumerate(self.calls(), 1):
            outcome = met.get(f"{path} {role}", "")
            if role == "polish" and self.drops_polish and met.get(f"{path} draft") == "failed":
                continue
            start_s = {"planner": 0.0, "draft": 1.0, "polish": 2.0}.get(role, 3.0)
            yield Site(
                number=number,
                agent="worker" if role in _OF_WORKER else role,
                address=f"{path} {role}",
                path=path,
                start_s=start_s,
                end_s=start_s + _TAKES_S,
                prompt=f"{role} of {path}",
                text="",
                status="error" if outcome == "failed" else "ok",
                attempts=3 if outcome == "failed" else 1,
                met=bool(outcome),
                is_stream=False,
                calls_tools=False,
                heard=(),
            )

    def _is_broken(self, rule: Rule, happened: Sequence[tuple[str, str]]) -> bool:
        for (call, what), (other_call, other_what) in product(happened, happened):
            path, role = call.rsplit(" ", 1)
            other_path, other_role = other_call.rsplit(" ", 1)
            if call == other_call or (role, what) != (rule.one.role, rule.one.outcome):
                continue
            if (other_role, other_what) != (rule.other.role, rule.other.outcome):
                continue
            if self._is_special(path) or self._is_special(other_path):
                continue
            both = role in _OF_WORKER and other_role in _OF_WORKER
            if not both or (path == other_path) == rule.same_worker:
                return True
        return False

    def _is_special(self, path: str) -> bool:
        return self.special >= 0 and path == f"main/work#{self.special + 1}"


def team(seed: int) -> Team:
    """A team of a seed, with one to three classes of pairs that break it."""
    chance = random.Random(seed)
    outcomes = {fault: chance.choice(("failed", "garbled")) for fault in FAULTS}
    outcomes["overloaded"] = "failed"
    roles = [*_PLAIN, *_OF_WORKER]
    rules = [
        Rule(
            Part(chance.choice(roles), chance.choice(sorted(set(outcomes.values())))),
            Part(chance.choice(_OF_WORKER), chance.choice(sorted(set(outcomes.values())))),
            chance.random() < 0.5,
        )
        for _ in range(chance.randint(1, 3))
    ]
    return Team(chance.randint(2, 4), rules, outcomes, -1, chance.random() < 0.5)
