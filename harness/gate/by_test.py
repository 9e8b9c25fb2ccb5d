"""The gate for tests: compare the runs of a test, one per seed, with its baseline, or write the baseline.

A run hands its numbers over as a text, because tests may run in several processes and are judged in one.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

from harness.errors import HarnessError
from harness.gate.baseline import kept_from_json, kept_to_json, read_baseline, save_baseline
from harness.gate.comparable import are_paired
from harness.gate.kept import kept_of, why_kept
from harness.gate.output.words import sentence, why_lines
from harness.gate.policy import limits_of
from harness.gate.samples import PRICES_DATE, Sample, Samples
from harness.gate.sequential import gate
from harness.gate.statistics import Change
from harness.gate.verdict import COMPARED, GateResult, MetricResult, status_of
from harness.metrics import summarise, tally
from harness.metrics.limits import Limit
from harness.spans import Table

_NAME_MAX: Final = 150
"""Characters of a file's name; file systems allow 255 bytes."""


@dataclass(slots=True)
class GatedTest:
    """A test, and the numbers of its runs."""

    name: str
    """Its node id without the seed."""
    options: tuple[str, ...]
    """Its limits, as the command line has them."""
    seeds: int
    """How many runs it has when all of them are made."""
    samples: dict[int, Sample] = field(default_factory=dict)
    broken: dict[int, str] = field(default_factory=dict)
    """Status of runs without numbers, by seed: `failed` or `skipped`."""

    @property
    def limits(self) -> tuple[Limit, ...]:
        """What is gated."""
        return limits_of(options=self.options)

    @property
    def side(self) -> Samples:
        """Its runs as one side of a comparison."""
        return Samples(
            scenario=self.name,
            scenario_hash=hashlib.sha256(self.name.encode()).hexdigest()[:16],
            harness_version=version("multiagent-harness"),
            prices_as_of=PRICES_DATE,
            python=".".join(platform.python_version_tuple()[:2]),
            runs=tuple(self.samples.values()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOutcome:
    """The result of a test."""

    test: str
    status: str
    """A status of a metric, the worst; or what stood in the way."""
    text: str
    more: tuple[str, ...] = ()
    """Lines that follow."""
    counts: bool = True
    """Whether something was compared, or written."""
    failed: bool = False
    """Whether the session fails for it."""


def hand_over(
    test: str,
    seed: int,
    *,
    seeds: int,
    options: Sequence[str],
    runs: Sequence[Table],
    broken: str = "",
) -> str:
    """Serialise the numbers of one run of a test as text.

    Args:
        test: The test's name, without the seed.
        seed: The seed.
        seeds: How many the test is run with.
        options: The test's limits, as the command line has them.
        runs: The spans of the programs that the test ran; they count as the tasks of one run.
        broken: Why it has no numbers; empty if it has.
    """
    tallies = [tally(spans, agents=()) for spans in runs]
    metrics, _ = summarise(tallies)
    gated = {limit.metric for limit in limits_of(options=options)}
    return json.dumps(
        {
            "test": test,
            "seed": seed,
            "seeds": seeds,
            "options": list(options),
            "broken": broken,
            "metrics": {name: value for name, value in metrics.items() if name in gated},
            "tasks": sum(one.tasks for one in tallies),
            "failed": [n for n, one in enumerate(tallies, 1) if one.succeeded < one.tasks],
            "kept": kept_to_json(kept_of(runs, sorted(gated & metrics.keys()))),
        }
    )


def take_over(tests: dict[str, GatedTest], text: str) -> None:
    """Add the serialised numbers of one run to its test; of a repeated run, the last counts."""
    said = json.loads(text)
    name, seed = said["test"], said["seed"]
    test = tests.setdefault(name, GatedTest(name, tuple(said["options"]), said["seeds"]))
    test.samples.pop(seed, None)
    test.broken.pop(seed, None)
    if said["broken"]:
        test.broken[seed] = said["broken"]
    else:
        test.samples[seed] = Sample(
            seed=seed,
            metrics=said["metrics"],
            tasks=said["tasks"],
            failed=tuple(said["failed"]),
            kept=kept_from_json(said["kept"]) or None,
        )


def options_of(limits: Mapping[str, object]) -> tuple[str, ...]:
    """Limits as a marker has them, `latency_s_mean="10%"`, as the command line has them.

    Raises:
        HarnessError: One is written wrongly, or names no metric; or all metrics are left out.
    """
    for name, limit in limits.items():
        if not isinstance(limit, str):
            raise HarnessError(f'{name}={limit!r} is not a limit; write it as {name}="10%"')
    options = tuple(f"{name}={limit}" for name, limit in limits.items())
    try:
        limits_of(options=options)
    except HarnessError as error:
        raise HarnessError(str(error).removeprefix("--limit ")) from None
    return options


def baseline_file(folder: Path, test: str) -> Path:
    """Where the baseline of a test is: `tests/test_trip.py::test_it` has `tests.test_trip.test_it.json`."""
    plain = re.sub(r"\.py(?=::)", "", test).replace("::", ".").replace("/", ".")
    name = re.sub(r"[^\w.=-]+", "-", plain, flags=re.ASCII)
    if name != plain or len(name) > _NAME_MAX:
        name = f"{name[:_NAME_MAX]}-{hashlib.sha256(test.encode()).hexdigest()[:8]}"
    return folder / f"{name}.json"


def compare_test(test: GatedTest, folder: Path, *, strict: bool) -> TestOutcome:
    """Compare a test with its baseline.

    Args:
        test: The test, with all its runs.
        folder: Where the baselines are.
        strict: Whether a test without a baseline fails.
    """
    if test.broken or not test.samples:
        return _broken(test, "not compared")
    file = baseline_file(folder, test.name)
    if not file.exists():
        return TestOutcome(
            test=test.name,
            status="new",
            text=f"there is no {file.name}",
            counts=False,
            failed=strict,
        )
    try:
        base = read_baseline(file)
    except HarnessError as error:
        return _unreadable(test, error)
    # The reason for a baseline is for those who read the file.
    result = _with_single_seed(gate(replace(base, reason=""), test.side, test.limits))
    kept = {name: why_kept(base.kept, test.side.kept, name) for name in result.regressed}
    return _told(result.explained(kept))


def update_test(test: GatedTest, folder: Path, *, reason: str) -> TestOutcome:
    """Write the baseline of a test, if it changed.

    Args:
        test: The test, with all its runs.
        folder: Where the baselines are.
        reason: Why it changes; needed when there is one already.
    """
    if test.broken or not test.samples:
        return _broken(test, "not written")
    if len(test.samples) < test.seeds:
        text = f"only {len(test.samples)} of its {test.seeds} seeds were run"
        return TestOutcome(
            test=test.name, status="not written", text=text, counts=False, failed=True
        )
    file, side = baseline_file(folder, test.name), test.side
    try:
        known = file.exists()
        before = read_baseline(file) if known else None
        if before is not None and _numbers(before) == _numbers(side):
            if before.kept or not side.kept:
                return TestOutcome(test=test.name, status="unchanged", text=file.name)
            reason = (
                before.reason
            )  # of an older harness: the numbers are the same, and can be explained now
        if known and not reason.strip():
            text = "its numbers changed: state the reason, with --sim-gate-reason TEXT"
            return TestOutcome(
                test=test.name, status="not written", text=text, counts=False, failed=True
            )
        save_baseline(file, side, metrics=[it.metric for it in test.limits], reason=reason)
    except HarnessError as error:
        return _unreadable(test, error)
    return TestOutcome(test=test.name, status="written", text=file.name)


def _numbers(side: Samples) -> Samples:
    """What has to change for a baseline to be written again."""
    runs = tuple(replace(one, kept=None) for one in side.runs)
    return replace(side, runs=runs, reason="", label="", python="", harness_version="")


def _broken(test: GatedTest, status: str) -> TestOutcome:
    failed = "failed" in test.broken.values()
    how = "failed" if failed else "was skipped" if len(test.broken) == 1 else "were skipped"
    what = "the test" if test.seeds == 1 else f"{len(test.broken)} of its {test.seeds} runs"
    return TestOutcome(
        test=test.name, status=status, text=f"{what} {how}", counts=False, failed=failed
    )


def _unreadable(test: GatedTest, error: HarnessError) -> TestOutcome:
    problem = str(error).partition("\n")[0]
    return TestOutcome(
        test=test.name,
        status="error",
        text=problem,
        more=("restore the file from git, or delete it and save it with --sim-gate-update",),
        counts=False,
        failed=True,
    )


def _with_single_seed(result: GateResult) -> GateResult:
    """The same, with changes of one seed as they are.

    What one run says of all others is unknown, so that a gate leaves it open. A test with one seed is about that run
    alone, which is the same every time.
    """
    if result.base is None or not are_paired(result.base, result.candidate):
        return result
    return replace(result, metrics=tuple(map(_of_single_seed, result.metrics)))


def _of_single_seed(it: MetricResult) -> MetricResult:
    change = it.comparison.change
    if it.status != "inconclusive" or change is None or it.comparison.seeds != 1:
        return it
    exact = Change(change.value, change.value, change.value, 0.0, "exact")
    comparison = replace(it.comparison, change=exact)
    return replace(it, comparison=comparison, status=status_of(it.limit, comparison), reason="")


def _told(result: GateResult) -> TestOutcome:
    worst, *others = sorted(result.metrics, key=_badness, reverse=True)
    passed = result.verdict == "pass"
    text = sentence(worst)
    if worst.status == "identical":
        same = sum(it.status == "identical" for it in result.metrics)
        text = "1 metric" if same == 1 else f"{same} metrics"
    first = why_lines(worst)
    bad = [
        line
        for it in others
        if it.failed
        for line in (sentence(it), *(it for it in why_lines(it) if it not in first))
    ]
    return TestOutcome(
        test=result.candidate.scenario,
        status=f"{worst.status} (warn)" if _is_warning(worst) else worst.status,
        text=f"{_seeds(worst)}: {text}",
        more=() if passed else (*first, *bad, *result.notes),
        counts=any(it.status in COMPARED for it in result.metrics),
        failed=not passed,
    )


def _seeds(result: MetricResult) -> str:
    seeds = result.comparison.seeds
    return "1 seed" if seeds == 1 else f"{seeds} seeds"


def _is_warning(result: MetricResult) -> bool:
    return result.limit.level == "warn" and result.status in (
        "regressed",
        "missing",
        "inconclusive",
    )


def _badness(result: MetricResult) -> tuple[int, float]:
    """Orders metrics: what fails first, then what is undecided, then what changed, by how much worse it became."""
    if result.unmeasured:
        return (0, 0.0)
    change = result.comparison.change
    worse = 0.0 if change is None else change.value
    if result.limit.better == "higher":
        worse = -worse
    of_status = {"identical": 1, "new": 2, "not comparable": 6, "inconclusive": 5}
    rank = 7 if result.failed else of_status.get(result.status, 3)
    return (min(rank, 4) if result.limit.level == "warn" else rank, worse)
