"""Results of several runs of one scenario: metrics, budgets and notes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from harness.errors import did_you_mean
from harness.faults import FAULT_NAMES, InjectedFault
from harness.metrics import Finding, Metrics, RunTally, summarise, summarise_customers
from harness.metrics.stood_out import KINDS
from harness.models import Script, check_all_used, distinct
from harness.run.one import RunResult
from harness.scenario import Budget, LoadedScenario, Scenario

_SEEDS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class BudgetResult:
    """One budget, compared with its metric."""

    metric: str
    value: float | None
    """None when the metric was not measured; the budget has failed then."""
    limit: Budget
    passed: bool
    why: str = ""
    """What the spans say about a budget that does not hold, in a sentence; empty where they do not tell."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One kind of error that tasks of a program of one's own ended with."""

    error: str
    """The name of its class."""
    tasks: int
    """How many tasks, warm-up included."""
    traceback: str
    """Of the first, cut to the frames of the user's code, or what a pattern says of it; empty when it was not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The metrics of several runs, computed over all their tasks."""

    runs: int
    tasks: int
    """Tasks that were measured, of all runs."""
    metrics: Metrics
    agents: dict[str, Metrics]
    budgets: tuple[BudgetResult, ...]
    notes: tuple[str, ...]
    """What a reader has to know beside the numbers, a sentence each."""
    problems: tuple[str, ...] = ()
    """Reasons why the result fails regardless of budgets, one sentence each."""
    failures: tuple[Failure, ...] = ()
    """The errors that a pattern or a program of one's own ended tasks with, by kind."""
    customers: dict[str, Metrics] = field(default_factory=dict)
    """The metrics of each customer, by name; empty where no kind of task states one."""

    @property
    def passed(self) -> bool:
        """Whether a task was measured, a task succeeded, and all budgets hold."""
        return (
            self.tasks > 0 and not self.problems and all(budget.passed for budget in self.budgets)
        )


@dataclass(slots=True)
class Results:
    """Collects the results of runs one by one, without keeping their spans.

    Args:
        scenario: What was simulated.
    """

    scenario: LoadedScenario
    _tallies: list[RunTally] = field(default_factory=list)
    _seeds: list[int] = field(default_factory=list)
    _cut: int = 0
    _stub_lines_used: dict[str, set[int]] = field(default_factory=dict)
    _faults_met: set[int] = field(default_factory=set)
    _findings: dict[tuple[str, str], tuple[Finding, int]] = field(default_factory=dict)
    """By kind and agent: the first of them, and in how many runs there was one."""
    _stood_out: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By kind: the first that stood out, and in how many runs there was one."""
    _unsimulated: Counter[str] = field(default_factory=Counter)
    _failures: Counter[str] = field(default_factory=Counter)
    _tracebacks: dict[str, str] = field(default_factory=dict)

    def add(self, result: RunResult) -> None:
        """Add the result of one run; its spans are not read."""
        self._tallies.append(result.tally)
        self._seeds.append(result.seed)
        self._cut += result.status == "horizon"
        self._faults_met |= result.faults_met
        self._unsimulated.update(result.unsimulated)
        self._failures.update(result.failures)
        for seen in {one.kind: one for one in reversed(result.stood_out)}.values():
            line, times = self._stood_out.get(seen.kind, (f"seed {result.seed}: {seen.line}", 0))
            self._stood_out[seen.kind] = line, times + 1
        for kind, traceback in result.tracebacks.items():
            self._tracebacks.setdefault(kind, traceback)
        for finding in {(one.kind, one.agent): one for one in result.findings}.values():
            first, runs = self._findings.get((finding.kind, finding.agent), (finding, 0))
            self._findings[finding.kind, finding.agent] = (first, runs + 1)
        for agent, lines in result.stub_lines_used.items():
            self._stub_lines_used.setdefault(agent, set()).update(lines)

    def outcome(self) -> Outcome:
        """Compute the metrics."""
        metrics, agents = summarise(self._tallies)
        return Outcome(
            runs=len(self._tallies),
            tasks=sum(run.tasks for run in self._tallies),
            metrics=metrics,
            agents=agents,
            customers=summarise_customers(self._tallies),
            budgets=held(self.scenario, metrics),
            notes=tuple(self._notes(agents)),
            problems=tuple(self._problems()),
            failures=tuple(
                Failure(kind, tasks, self._tracebacks.get(kind, ""))
                for kind, tasks in self._failures.items()
            ),
        )

    def check_stubs(self) -> None:
        """Raise an error for scripted replies that no run used. Not checked if only a part of the scenario's runs was made.

        Raises:
            StubError: Names every such line.
        """
        spec = self.scenario.spec
        if self._seeds[:1] != [spec.seed] or len(self._seeds) < spec.runs:
            return
        check_all_used(self._scripts_to_use(), self._stub_lines_used)

    def _scripts_to_use(self) -> list[Script]:
        """The scripts of all agents; in a file of several patterns, of those whom this one asks."""
        return [
            script
            for script in distinct(self.scenario.scripts.values())
            if not self.scenario.contestants or self._stub_lines_used.get(script.agent)
        ]

    def _problems(self) -> Iterator[str]:
        failed = [
            seed
            for seed, run in zip(self._seeds, self._tallies, strict=True)
            if run.tasks and not run.succeeded
        ]
        # A budget on it says how many tasks may fail; that none works is never meant.
        if failed and (
            "success_rate" not in self.scenario.spec.budgets or len(failed) == len(self._seeds)
        ):
            yield f"No task succeeded in {_of_runs(failed, len(self._seeds))}."
        if self._tested_nothing() and len(failed) < len(self._seeds):
            yield "No call was made and no tool used, so nothing was tested."
        if self._must_be_met:
            for text, by_chance in self._unmet():
                if not by_chance:
                    yield f"{text} Correct its conditions, take it out, or say `allow_unmet: true`."
        missing, expected = self._never_arrived()
        if missing:
            yield f"{missing} of {expected} tasks never arrived: give the runs a later `horizon_s`, or fewer tasks."

    def _tested_nothing(self) -> bool:
        """Whether tasks were measured, and neither an agent was asked nor a tool or a process used in any."""
        used = any(
            mine.calls or mine.tool_uses for run in self._tallies for mine in run.agents.values()
        )
        return any(run.tasks for run in self._tallies) and not used

    @property
    def _must_be_met(self) -> bool:
        """Whether a fault that met nothing is an error: all runs of the file were made, with all that is in it."""
        spec = self.scenario.spec
        whole = self._seeds[:1] == [spec.seed] and len(self._seeds) >= spec.runs
        return whole and not self._cut and not self.scenario.contestants

    def _unmet(self) -> Iterator[tuple[str, bool]]:
        """What is said of each fault that met nothing, and whether chance may be the reason."""
        for number, fault in enumerate(self.scenario.spec.faults, 1):
            if number not in self._faults_met and not fault.allow_unmet:
                name = FAULT_NAMES[type(fault)]
                text = (
                    f"Fault {number} ({name}) never met {fault.meets_what}{self._why_unmet(fault)}."
                )
                yield text, fault.probability < 1.0

    def _why_unmet(self, fault: InjectedFault) -> str:
        """What a fault states that is nowhere in the scenario, if anything."""
        workload = self.scenario.spec.workload
        customers = {it.customer: None for it in workload.kinds if it.customer is not None}
        if fault.customer is not None and fault.customer not in customers:
            hint = did_you_mean(fault.customer, customers)
            return f": no kind of task is of customer {fault.customer!r}{hint}"
        if fault.task is not None and workload.tasks is not None and fault.task > workload.tasks:
            return f": there is no task {fault.task}, of {workload.tasks}"
        return ""

    def _never_arrived(self) -> tuple[int, int]:
        """Number of measured tasks that did not arrive before the horizon, and the number expected."""
        workload = self.scenario.spec.workload
        if workload.tasks is None:
            return 0, 0
        expected = (workload.tasks - workload.warmup_tasks) * len(self._tallies)
        return expected - sum(run.tasks for run in self._tallies), expected

    def _notes(self, agents: dict[str, Metrics]) -> Sequence[str]:
        spec, runs = self.scenario.spec, len(self._tallies)
        notes = []
        if not any(run.tasks for run in self._tallies):
            notes.append("No task was measured, so nothing was tested.")
        if self._cut:
            missing, expected = self._never_arrived()
            absent = f"; {missing} of {expected} tasks never arrived, and are in no metric"
            notes.append(
                f"{self._cut} of {runs} runs reached the horizon of {spec.horizon_s:,.10g} s with tasks left"
                f"{absent if missing else ''}."
            )
        if not self._must_be_met:
            notes += [text for text, _ in self._unmet()]
        else:
            notes += [text for text, by_chance in self._unmet() if by_chance]
        notes += [
            f"The price of model {name!r} ({spec.models[name].name}) is unknown, so there is no cost; state `prices:`."
            for name, prices in self.scenario.prices.items()
            if prices is None
        ]
        idle = [agent for agent, mine in agents.items() if not mine.get("calls_mean")]
        # Others of its patterns may ask them.
        if idle and not self._tested_nothing() and not self.scenario.contestants:
            notes.append(f"Never called: {', '.join(idle)}.")
        notes += [
            f"{kind.replace('_', ' ').capitalize()} in {seen} of {runs} runs; {first}"
            for kind, (first, seen) in sorted(
                self._stood_out.items(), key=lambda it: KINDS.index(it[0])
            )
        ]
        if self._failures and not isinstance(
            spec, Scenario
        ):  # those of a pattern are few and short
            in_all = sum(run.tasks_in_all for run in self._tallies)
            kinds = ", ".join(f"{kind} {times}" for kind, times in self._failures.items())
            notes.append(
                f"The program raised in {self._failures.total()} of {in_all} tasks, warm-up included: {kinds}."
            )
        notes += [
            f"The program tried {times} times to reach {host}, which is not simulated; nothing was sent."
            for host, times in self._unsimulated.items()
        ]
        notes += [
            f"{finding.severity.capitalize()}, in {seen} of {runs} runs: {finding.message}. {finding.advice}"
            for finding, seen in self._findings.values()
        ]
        return notes


def _of_runs(seeds: Sequence[int], runs: int) -> str:
    """Some of the runs, in words."""
    if len(seeds) == runs:
        return "the run" if runs == 1 else f"any of the {runs} runs"
    shown = ", ".join(map(str, seeds[:_SEEDS_SHOWN]))
    more = "" if len(seeds) <= _SEEDS_SHOWN else ", ..."
    return f"{len(seeds)} of {runs} runs (seed {shown}{more})"


def held(scenario: LoadedScenario, metrics: Metrics) -> tuple[BudgetResult, ...]:
    """The budgets of a scenario, compared with the metrics of some runs."""
    return tuple(
        BudgetResult(metric, value, budget, value is not None and budget.passes(value))
        for metric, budget in scenario.spec.budgets.items()
        for value in (metrics.get(metric),)
    )
