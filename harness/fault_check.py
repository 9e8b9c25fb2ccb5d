"""The conformance check of faults; `harness.testing` has it for users."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any, NoReturn

from harness.errors import HarnessError
from harness.faults import FAULT_NAMES, METHODS, InjectedFault
from harness.faults.api import MessageFault, StateFault
from harness.models import Reply, Request, ToolCall
from harness.run import RunResult, Simulation
from harness.spans import EFFECT, EVENT_COLUMNS, SPAN_COLUMNS

AGENTS = ("first", "second", "third")
"""The team of the check; a fault that names others in fields of its own names these."""

_NOBODY = "nobody"
_HORIZON_S = 10_000.0

_ALL = (
    {"pattern": {"react": {"agent": "first"}}},
    "second",
    "third",
)
_PATTERNS: dict[type[InjectedFault], dict[str, Any]] = {
    MessageFault: {"pipeline": {"stages": list(AGENTS)}},
    StateFault: {
        "blackboard": {"members": ["first", "second"], "max_rounds": 3, "on_exhausted": "board"}
    },
    InjectedFault: {"parallel": {"members": list(_ALL)}},
}
"""A pattern in which there is something for faults of each kind to meet."""


class FaultCheckError(HarnessError):
    """A fault does not do what every fault must; says what, and how to mend it."""


def check_fault(fault: InjectedFault) -> None:
    """Check that a fault does what every fault must.

    It is run in a small scenario of three tasks, with one provider that serves one attempt at a time, agents `first`, `second` and
    `third`, and a tool `refund` with `parameters`: once as it is, once where it meets nothing, and in the second task alone.
    What it meets is set by the check, whatever the fault says of that.

    Args:
        fault: What is checked; fields of its own that name agents name those of the check.

    Raises:
        FaultCheckError: It does not; says what, why and how to mend it.
    """
    _Check(fault).run()


class _Check:
    def __init__(self, fault: InjectedFault) -> None:
        self._kind = type(fault)
        if self._kind not in FAULT_NAMES:
            self._fail("it has no name", "files and spans name it", "call `register_fault` first")
        everywhere = {
            field.name: field.default
            for field in dataclasses.fields(InjectedFault)
            if field.default is not dataclasses.MISSING
        }
        self._fault = dataclasses.replace(fault, **{**everywhere, "agents": ()})

    def run(self) -> None:
        self._check_record()
        plain = self._seen()
        if not self._result(self._fault).faults_met:
            self._fail(
                "it meets nothing in the scenario of the check",
                "what it states besides the common selector never holds there",
                f"use the names of the check: the agents {', '.join(AGENTS)}, the tool 'refund'",
            )
        one = dataclasses.replace(self._fault, task=2)
        met, again = self._seen(one), self._seen(one)
        if met != again:
            self._fail(
                "two runs of one seed differ",
                "a run follows from its seed",
                "draw with `draws` alone, and keep no state in the record",
            )
        if met == plain and not any(
            self._seen(dataclasses.replace(one, agent=agent)) != plain for agent in AGENTS
        ):
            self._fail(
                "it changes nothing where it meets something",
                "neither spans, events, texts nor effects differ",
                f"let `{self._method}` return what happens",
            )
        if self._of_task(met, 1) != self._of_task(plain, 1):
            self._fail(
                "it changes a task that it does not meet",
                "the first task is over before it meets anything",
                "let its selector decide, and change nothing of the class or the module",
            )
        for nothing in ({"customer": _NOBODY}, {"probability": 1e-12}):
            missed = dataclasses.replace(self._fault, **nothing)
            if self._result(missed).faults_met or self._seen(missed) != plain:
                self._fail(
                    f"it does something where it meets nothing ({nothing})",
                    "a fault draws from keys of its own, and acts where it is asked to",
                    "extend the kind, and leave `selects` as it is",
                )
        self._check_record()

    def _check_record(self) -> None:
        parameters = vars(self._kind).get("__dataclass_params__")
        if parameters is None or not parameters.frozen:
            self._fail(
                "its record is not frozen",
                "all runs share it",
                "put `@dataclass(frozen=True, slots=True, kw_only=True)` above the class",
            )
        if pickle.loads(pickle.dumps(self._fault)) != self._fault:  # noqa: S301 - what was just written
            self._fail(
                "a copy in another process is not equal to it",
                "runs go side by side in processes",
                "keep plain values in its fields",
            )

    @property
    def _method(self) -> str:
        return next(method for kind, method in METHODS.items() if issubclass(self._kind, kind))

    def _result(self, *faults: InjectedFault) -> RunResult:
        simulation = Simulation.from_spec(_scenario(self._kind))
        scenario = simulation.scenario
        spec: Any = scenario.spec.model_copy(update={"faults": faults})
        simulation.scenario = dataclasses.replace(scenario, spec=spec, keep_texts=True)
        return simulation.run()

    def _seen(self, *faults: InjectedFault) -> list[tuple[Any, ...]]:
        """What happened in a run, without the notes that a fault met something; the task is second."""
        result = self._result(*faults)
        columns = [name for name in SPAN_COLUMNS if name not in ("task", "fault")]
        seen = [("span", *row) for row in result.spans.rows("task", *columns)]
        others = [name for name in EVENT_COLUMNS if name not in ("task", "name")]
        seen += [
            ("event", task, name, *row)
            for name, task, *row in result.events.rows("name", "task", *others)
            if name not in ("fault", EFFECT)  # effects are looked at by themselves
        ]
        seen += [("text", *row) for row in result.texts.rows("task", "span_id", "kind", "text")]
        seen += [("effect", effect.task, *effect) for effect in result.effects]
        # NaN is not equal to itself.
        return [tuple(map(repr, row)) for row in seen]

    def _of_task(self, seen: list[tuple[Any, ...]], task: int) -> list[tuple[Any, ...]]:
        return [row for row in seen if row[1] == repr(task)]

    def _fail(self, what: str, why: str, how: str) -> NoReturn:
        raise FaultCheckError(f"{self._kind.__name__}: {what}\n  Why: {why}\n  How to fix: {how}")


def says(request: Request) -> Reply:
    """What an agent of the check says: the first uses its tool once, and all end with what they were told, as JSON."""
    if request.tools and not request.tool_results:
        return Reply("", (ToolCall("refund", {"order": request.call_in_run}),), 20)
    return Reply(f'{{"{request.agent}": {len(request.prompt)}}}', (), 30)


def _scenario(kind: type[InjectedFault]) -> dict[str, Any]:
    pattern = next(pattern for base, pattern in _PATTERNS.items() if issubclass(kind, base))
    agent = {
        "model": "model",
        "stub": f"{__name__}:says",
        "context": "full",
        "accuracy": 1.0,
        "gullible": 1.0,
    }
    latency = {"ttft_s": {"uniform": {"low": 1, "high": 2}}, "itl_s": 0.01}
    prices = {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1}
    return {
        "scenario": "check",
        "horizon_s": _HORIZON_S,
        "workload": {"tasks": 3, "arrivals": {"every_s": 1000}},
        "providers": {"provider": {"concurrency": 1}},
        "models": {
            "model": {"provider": "provider", "name": "x", "latency": latency, "prices": prices}
        },
        "tools": {
            "refund": {"latency_s": 2, "parameters": {"type": "object", "required": ["order"]}}
        },
        "agents": {
            name: {**agent, "tools": ["refund"]} if name == "first" else agent for name in AGENTS
        },
        "pattern": pattern,
    }
