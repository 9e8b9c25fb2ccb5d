"""How often the gate is right: `python -m benchmarks.gate_study`; its table stands in docs/gate.md.

Two sources of pairs. *Simulated*: the code-review scenario against changed versions of it, one pool of runs each; a trial
takes seeds from the pools at random. *Synthetic*: logarithms of ratios from a normal distribution, so that the truth and
the spread are exactly as stated. The verdicts are those of `harness.gate.gate`.
"""

from __future__ import annotations

import math
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.gate import Sample, Samples, gate
from harness.gate.samples import sample
from harness.gate.statistics import LOOKS, paired_ratio
from harness.metrics import Limit
from harness.run import simulate
from harness.scenario import load_scenario

REVIEW = Path(__file__).parents[1] / "scenarios" / "code_review.yaml"
TASKS = 30

VERSION = (f"workload.tasks={TASKS}", "policies.default.timeout_s=600")
"""Without a timeout that cuts slow calls, calls that are 25 % slower make a task 25 % slower, and the truth is known."""

RE_KEYED = (
    "agents.checks={model: fast, system_tokens: 400, output_tokens: {lognormal: {median: 830, sigma: 0.3}}}",
    "pattern.orchestrator_worker.workers=[style, security, performance, checks]",
)
"""The `tests` worker under another name: the same in every respect, and all its luck is drawn anew."""

MEAN, P95, COST = "latency_s_mean", "latency_s_p95", "cost_usd_mean"

Values = dict[int, dict[str, float]]
"""The metrics of runs, by seed."""


@dataclass(frozen=True, slots=True)
class Question:
    """One row: what is true, and what is allowed."""

    truth: str
    metric: str
    limit: float
    base: Values
    candidate: Values
    wanted: str
    """What the outcome must be: `no fail`, `found` (in 95 % of the trials), `found always` or nothing."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often the interval of 95 % from 8 seeds holds the true ratio."""

    pairs: str
    metric: str
    spread: float
    held: float
    """Share of the trials."""
    missed_by: float
    """How far the truth is beyond the interval, at most: a difference of ratios."""

    @property
    def holds(self) -> bool:
        """Whether it does so often enough; where all but a few runs change alike, a miss is too small to matter."""
        return self.held >= 0.94 or self.missed_by < 0.001


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out of many trials of a question."""

    question: Question
    ratio: float
    """The true ratio: of the pools' geometric means."""
    spread: float
    """Standard deviation of the logarithm of a pair's ratio."""
    failed: int
    passed: int
    undecided: int
    seeds: float
    """How many a side were run, on average."""
    seeds_max: int

    @property
    def trials(self) -> int:
        """How many there were."""
        return self.failed + self.passed + self.undecided

    @property
    def holds(self) -> bool:
        """Whether the outcome is what was wanted."""
        return {
            "": True,
            "no fail": self.failed == 0,
            "found": self.failed >= 0.95 * self.trials,
            "found always": self.failed == self.trials,
        }[self.question.wanted]


def main() -> int:
    """Print the table; fails if something is not as it must be."""
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    asked = questions(pool=trials)
    answers = [answer(question, trials) for question in asked]
    print("| truth | metric | spread of a pair | limit | fail | pass | undecided | seeds a side |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for it in answers:
        row = it.question
        print(
            f"| {row.truth} ({it.ratio - 1:+.1%}) | `{row.metric}` | {it.spread:.4f} | {row.limit:.1%} "
            f"| {it.failed} | {it.passed} | {it.undecided} | {it.seeds:.1f}, at most {it.seeds_max} |"
            + ("" if it.holds else f" <- wanted: {row.wanted}")
        )
    covered = coverages(asked, 10 * trials)
    print(f"\n{trials} trials a row. Coverage of the interval of 95 % from 8 seeds:\n")
    print("| pairs | metric | spread of a pair | coverage | misses are at most |")
    print("|---|---|--:|--:|--:|")
    for one in covered:
        print(
            f"| {one.pairs} | `{one.metric}` | {one.spread:.4f} | {one.held:.3f} | {100 * one.missed_by:.3f} points |"
            + ("" if one.holds else " <- wanted: 0.94")
        )
    holds = all(it.holds for it in answers) and all(it.holds for it in covered)
    return 0 if holds else 1


def questions(*, pool: int) -> list[Question]:
    """Every row of the table.

    Args:
        pool: How many runs of each version are simulated.
    """
    base = runs(pool)
    same = runs(pool, *RE_KEYED)
    slower = {f: runs(pool, f"models.fast.latency.factor={f}") for f in (1.01, 1.15, 1.25)}
    both = {f: runs(pool, *RE_KEYED, f"models.fast.latency.factor={f}") for f in (1.15, 1.25)}
    found = [
        Question("A/A, an agent re-keyed", metric, limit, base, same, "no fail")
        for limit in (0.2, 0.02)
        for metric in (MEAN, P95, COST)
    ]
    found += [
        Question("calls 1 % slower", metric, 0.005, base, slower[1.01], "found always")
        for metric in (MEAN, P95)
    ]
    for name, of, wanted in (("", slower, "found"), (", an agent re-keyed", both, "")):
        for metric in (MEAN, P95):
            found += [
                Question(f"calls 15 % slower{name}", metric, 0.2, base, of[1.15], "no fail"),
                Question(f"calls 25 % slower{name}", metric, 0.2, base, of[1.25], wanted),
            ]
    for change, spread, limit, wanted in (
        (0.0, 0.05, 0.2, "no fail"), (0.0, 0.05, 0.02, "no fail"), (0.15, 0.05, 0.2, "no fail"),
        (0.20, 0.05, 0.2, ""), (0.25, 0.05, 0.2, "found"), (0.15, 0.2, 0.2, "no fail"),
        (0.33, 0.2, 0.2, ""), (0.5, 0.2, 0.2, "found"),
    ):  # fmt: skip
        truth = f"synthetic, {change:+.0%}"
        found.append(Question(truth, P95, limit, *synthetic(pool, change, spread), wanted))
    return found


def runs(count: int, *overrides: str) -> Values:
    """Simulate a version of the scenario with the seeds from 1 on."""
    scenario = load_scenario(REVIEW, overrides=[*VERSION, *overrides])
    found = (sample(simulate(scenario, seed)) for seed in range(1, count + 1))
    return {one.seed: {name: one.metrics[name] for name in (MEAN, P95, COST)} for one in found}


def synthetic(count: int, change: float, spread: float) -> tuple[Values, Values]:
    """Pairs whose ratio is log-normal; many more than are simulated, because they cost nothing."""
    dice = random.Random(f"{change} {spread}")
    seeds = range(1, 20 * count + 1)
    base = {seed: {P95: dice.lognormvariate(3, 0.3)} for seed in seeds}
    candidate = {
        seed: {P95: base[seed][P95] * (1 + change) * dice.lognormvariate(0, spread)}
        for seed in seeds
    }
    return base, candidate


def answer(question: Question, trials: int) -> Answer:
    """Ask the gate many times, each time with other seeds."""
    logs = _logs(question)
    verdicts: list[str] = []
    counts: list[int] = []
    for trial in range(trials):
        chosen = random.Random(trial).sample(sorted(question.base), min(LOOKS[-1], len(logs)))
        result = gate(
            _side(question.base, question.metric),
            _side(question.candidate, question.metric),
            [Limit(question.metric, question.limit)],
            seeds=chosen,
        )
        verdicts.append(result.verdict)
        counts.append(len(result.candidate.runs))
    return Answer(
        question=question,
        ratio=math.exp(statistics.fmean(logs)),
        spread=statistics.stdev(logs),
        failed=verdicts.count("fail"),
        passed=verdicts.count("pass"),
        undecided=verdicts.count("inconclusive"),
        seeds=statistics.fmean(counts),
        seeds_max=max(counts),
    )


def coverages(asked: Sequence[Question], trials: int) -> list[Coverage]:
    """The coverage of each sort of pairs; a change by a factor leaves the spread, and so the coverage, as it is."""
    sorts: dict[tuple[str, str, int], Question] = {}
    for question in asked:
        source = question.truth.partition(",")[0]
        spread = round(100 * statistics.stdev(_logs(question)))
        sorts.setdefault((source, question.metric, spread), question)
    return [
        _coverage(question, trials)
        for (source, _, _), question in sorts.items()
        if source in ("A/A", "calls 1 % slower", "synthetic")
    ]


def _coverage(question: Question, trials: int) -> Coverage:
    logs = _logs(question)
    truth = math.expm1(statistics.fmean(logs))
    held, missed_by = 0, 0.0
    for trial in range(trials):
        few = random.Random(trial).sample(logs, LOOKS[0])
        found = paired_ratio([1.0] * len(few), [math.exp(log) for log in few], tail=0.025)
        held += found.low <= truth <= found.high
        missed_by = max(missed_by, found.low - truth, truth - found.high)
    return Coverage(
        question.truth, question.metric, statistics.stdev(logs), held / trials, missed_by
    )


def _logs(question: Question) -> list[float]:
    return [
        math.log(question.candidate[seed][question.metric] / values[question.metric])
        for seed, values in question.base.items()
    ]


def _side(values: Values, metric: str) -> Callable[[Sequence[int]], Samples]:
    def side(seeds: Sequence[int]) -> Samples:
        found = tuple(
            Sample(seed=seed, metrics={metric: values[seed][metric]}, tasks=TASKS) for seed in seeds
        )
        return Samples(scenario="study", scenario_hash="", harness_version="", runs=found)

    return side


if __name__ == "__main__":
    sys.exit(main())
