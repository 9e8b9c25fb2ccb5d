"""The scenario reference: a Markdown page generated from the records that files are validated against."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel

from harness.agents import ToolSpec
from harness.agents.context import CONTEXTS
from harness.chance.arrivals import Closed, Poisson, Trace
from harness.chance.distributions import DISTRIBUTIONS, AnyDistribution
from harness.faults import FAULTS, InjectedFault
from harness.faults.api import AgentFault, Fault, MessageFault, StateFault, ToolFault
from harness.fields import FileOfScenario, NameOf, OrRecord, Tagged
from harness.metrics import AGENT_METRICS, METRICS
from harness.patterns import PATTERNS
from harness.patterns.aggregators import AGGREGATORS
from harness.patterns.bus import Subscriber
from harness.patterns.hierarchical import Branch
from harness.patterns.nested import InnerTeam, MemberOf
from harness.patterns.pipeline import Stage
from harness.provider import (
    Latency,
    Limits,
    Load,
    Outage,
    Overload,
    Prices,
    PromptCache,
    Queue,
    Tail,
)
from harness.resilience import (
    Balance,
    CallQueue,
    CircuitBreaker,
    DefaultAnswer,
    Escalation,
    HealthScore,
    Hedge,
    Policies,
    ReplyCache,
    Retry,
    Rollout,
    RolloutStep,
    Samples,
    TokenBucket,
    Validation,
)
from harness.resilience import (
    Budget as SpendingBudget,
)
from harness.scenario.bounds import Budget, GateLimit
from harness.scenario.contestants import Contestants, Program
from harness.scenario.docstrings import field_docs, first_paragraph
from harness.scenario.explore import ExploreSpec, RunLimits
from harness.scenario.fitted import FittedFaults, FittedProfile
from harness.scenario.members import AgentSpec, Match, TeamSpec
from harness.scenario.policies import PolicySection
from harness.scenario.program_parts import ProgramProcess, ProgramTool
from harness.scenario.schema import (
    CheckpointFileSpec,
    CheckpointSpec,
    Kind,
    ModelSpec,
    ProviderSpec,
    Scenario,
    TargetScenario,
    WireAgentSpec,
    WireProviderSpec,
    Workload,
)
from harness.scenario.stubs import AgentScript, ReplySpec, RuleSpec, StubFile, ToolCallSpec
from harness.scenario.sweep import SweepSpec
from harness.state import DISCIPLINES

_INTRODUCTION = """\
# Scenario reference

<!-- Made by `make docs` from the code. Do not edit: tests/test_docs.py compares. -->

Every key of a scenario file. Unknown keys are errors. The unit stands at the end of a key: `_s` are seconds of virtual
time, `_usd` US dollars. For completion in an editor, put the JSON Schema on the first line:
`# yaml-language-server: $schema=PATH`, with the file that `harness schema` prints.

Paths in a scenario start at the folder of its file. A value may be changed for one simulation with
`--set path=value`, such as `--set workload.tasks=10` or `--set 'faults[0].hang.for_s=30'`.
"""

_DISTRIBUTIONS = """\
A distribution is a number, which means always that value, or a mapping with one of the keys below. Durations that are
drawn are rounded to whole microseconds. Every draw is keyed by what it is for, so that one more call of one agent
changes no value of another.
"""

_ARRIVALS = """\
Exactly one of `poisson`, `every_s` (a number: one task in every interval, the first at 0), `at_s` (a list of times),
`closed`, `trace`. Absent means one after another: `closed: {users: 1}`.
"""

_FAULTS = """\
A list; each entry is a mapping with one of the keys below ([page](failures.md)). Of the faults of one kind, the first that meets
something decides. All have the fields of [every fault](#every-fault), which say what they meet. A fault that meets nothing in all
runs of the file is an error, unless its `probability` is below 1.
"""

_FAULT_KINDS: tuple[tuple[str, type[InjectedFault]], ...] = (
    ("faults of attempts", Fault),
    ("faults of tools", ToolFault),
    ("faults of messages", MessageFault),
    ("faults of agents", AgentFault),
    ("faults of shared state", StateFault),
)

_CONTEXTS = "How much of its earlier turns in a task an agent is given again: `inputs`, `full`, or a mapping with one of the keys below.\n"

_PATTERNS = "A mapping with one of the keys below."

_AGGREGATORS = (
    "What `aggregate` of the pattern `parallel` may be: a mapping with one of the keys below.\n"
)

_DISCIPLINES = "What `state` of the pattern `blackboard` may be ([page](state.md)): a mapping with one of the keys below.\n"
_BAKEOFF = """\
A mapping with an entry for each way to do the tasks, which `harness bakeoff` compares ([page](bakeoff.md)). An entry that is called as
one of the patterns above is configured as that pattern. One of another name holds a `pattern`'s mapping, such as
`team: {orchestrator_worker: {...}}`, or a program:
"""

_TARGET = """\
With `target: module:function` instead of `pattern:` a scenario runs your own program, with its real SDKs, once for each task
([guide](testing-your-agents.md)). What the file may say then:
"""

_STUBS = """\
The file that an agent's `stub:` names, when it ends in `.yaml`. A stub may also be a function, as `module:function`: it
takes a `harness.models.Request` and gives a text or a `harness.models.Reply`. Its module is looked for beside the scenario first.
"""

PIPE = "\\|"
"""A bar inside a cell of a table."""

Record = type[Any]

_Section = tuple[str, Record]

_FILE: tuple[_Section, ...] = (("The file", Scenario), ("workload", Workload), ("kinds", Kind))
_PROVIDER: tuple[_Section, ...] = (
    ("providers", ProviderSpec),
    ("limits", Limits),
    ("queue", Queue),
    ("overload", Overload),
    ("outages", Outage),
    ("load", Load),
    ("models", ModelSpec),
    ("latency", Latency),
    ("a fitted profile", FittedProfile),
    ("faults of a profile", FittedFaults),
    ("tail", Tail),
    ("prompt cache", PromptCache),
    ("prices", Prices),
    ("tools", ToolSpec),
    ("agents", AgentSpec),
    ("a team", TeamSpec),
    ("a team in a pattern", InnerTeam),
)
_PROGRAM: tuple[_Section, ...] = (
    ("the file with `target`", TargetScenario),
    ("agents of a program", WireAgentSpec),
    ("match", Match),
    ("providers of a program", WireProviderSpec),
    ("tools of a program", ProgramTool),
    ("processes of a program", ProgramProcess),
)
_OF_PATTERNS: tuple[_Section, ...] = (
    ("a stage of a pipeline", Stage),
    ("a branch of a hierarchy", Branch),
    ("a subscriber of a bus", Subscriber),
)
_POLICIES: tuple[_Section, ...] = (
    ("policies", PolicySection),
    ("policy", Policies),
    ("retry", Retry),
    ("hedge", Hedge),
    ("queue of calls", CallQueue),
    ("token bucket", TokenBucket),
    ("circuit breaker", CircuitBreaker),
    ("budget of a task", SpendingBudget),
    ("validate", Validation),
    ("samples", Samples),
    ("cache", ReplyCache),
    ("default answer", DefaultAnswer),
    ("health", HealthScore),
    ("balance", Balance),
    ("rollout", Rollout),
    ("step of a rollout", RolloutStep),
    ("escalate", Escalation),
    ("sweep", SweepSpec),
    ("explore", ExploreSpec),
    ("limits of a task", RunLimits),
    ("checkpoint", CheckpointSpec),
    ("checkpoint file", CheckpointFileSpec),
)
_STUB_FILE: tuple[_Section, ...] = (
    ("a stub file", StubFile),
    ("an agent's script", AgentScript),
    ("a rule", RuleSpec),
    ("a reply", ReplySpec),
    ("a tool call", ToolCallSpec),
)


def reference() -> str:
    """Write the page."""
    parts = [_INTRODUCTION]
    parts += _sections(_FILE)
    parts += [
        "## arrivals\n",
        _ARRIVALS,
        *_members({"poisson": Poisson, "closed": Closed, "trace": Trace}),
    ]
    parts += ["## distributions\n", _DISTRIBUTIONS, *_members(DISTRIBUTIONS)]
    parts += _sections(_PROVIDER)
    parts += ["## context\n", _CONTEXTS, *_members(CONTEXTS)]
    parts += ["## pattern\n", _PATTERNS, *_members(PATTERNS)]
    parts += _sections(_OF_PATTERNS, level=3)
    parts += ["## aggregators\n", _AGGREGATORS, *_members(AGGREGATORS)]
    parts += ["## disciplines\n", _DISCIPLINES, *_members(DISCIPLINES)]
    parts += ["## bakeoff\n", _BAKEOFF, *_sections((("a program in bakeoff", Program),), level=3)]
    parts += _sections(_POLICIES)
    parts += ["## faults\n", _FAULTS, "### every fault\n", _table(InjectedFault), *_faults()]
    parts += _sections((("budgets", Budget), ("gate", GateLimit)))
    parts += ["## a program of one's own\n", _TARGET, *_sections(_PROGRAM, level=3)]
    parts += ["## metrics\n", "Those of the whole, which budgets may name:\n", _metrics(METRICS)]
    parts += ["Those of each agent:\n", _metrics(AGENT_METRICS)]
    parts += ["## stubs\n", _STUBS, *_sections(_STUB_FILE, level=3)]
    return "\n".join(parts)


def _sections(sections: tuple[_Section, ...], *, level: int = 2) -> Iterator[str]:
    for title, record in sections:
        yield f"{'#' * level} {title}\n"
        yield f"{first_paragraph(record)}\n"
        yield _table(record)


def _faults() -> Iterator[str]:
    """The faults of each kind, with the fields that the kind adds to those of every fault."""
    every = {field.name for field in dataclasses.fields(InjectedFault)}
    for title, base in _FAULT_KINDS:
        yield f"### {title}\n"
        yield f"{first_paragraph(base)}\n"
        own = _table(base, without=every)
        if own:
            yield own
        of_kind = {name: kind for name, kind in FAULTS.items() if issubclass(kind, base)}
        yield from _members(of_kind, without={field.name for field in dataclasses.fields(base)})


def _members(members: Mapping[str, Record], *, without: set[str] = frozenset()) -> Iterator[str]:  # type: ignore[assignment]
    for name, record in members.items():
        yield f"### `{name}`\n"
        yield f"{first_paragraph(record)}\n"
        table = _table(record, without=without)
        if table:
            yield table


def _metrics(metrics: Mapping[str, str]) -> str:
    rows = [f"| `{name}` | {meaning} |" for name, meaning in metrics.items()]
    return "\n".join(["| metric | meaning |", "|---|---|", *rows, ""])


def _table(record: Record, *, without: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    hints = get_type_hints(record, include_extras=True)
    docs = field_docs(record)
    rows = [
        f"| `{_key(record, name)}` | {_words(hints[name])} | {default} | {docs.get(name, '').replace('|', PIPE)} |"
        for name, default in _fields(record)
        if name not in without
    ]
    return (
        "\n".join(["| key | value | default | meaning |", "|---|---|---|---|", *rows, ""])
        if rows
        else ""
    )


def _fields(record: Record) -> Iterator[tuple[str, str]]:
    """Name and default of each field, as the table shows them."""
    if issubclass(record, BaseModel):
        for name, info in record.model_fields.items():
            yield (
                name,
                "required"
                if info.is_required()
                else _default(info.get_default(call_default_factory=True)),
            )
        return
    for field in dataclasses.fields(record):
        made = field.default_factory
        default = field.default if made is dataclasses.MISSING else made()
        yield field.name, "required" if default is dataclasses.MISSING else _default(default)


def _key(record: Record, name: str) -> str:
    """What a field is called in a file."""
    alias = record.model_fields[name].alias if issubclass(record, BaseModel) else None
    return alias or name


def _default(value: object) -> str:
    if value is None or value in ((), {}, ""):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float | str):
        return f"`{value:.12g}`" if isinstance(value, float) else f"`{value}`"
    inner = getattr(value, "value", None)
    return f"`{inner:g}`" if isinstance(inner, float) else ""


def _words(hint: Any) -> str:  # noqa: ANN401 - a type annotation
    """What may stand in a field."""
    if get_origin(hint) is Annotated:
        return _annotated_words(hint)
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_words(member) for member in get_args(hint) if member is not type(None))
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if get_origin(hint) is tuple and get_args(hint)[-1] is not ...:
        return f"[{', '.join(_words(part) for part in get_args(hint))}]"
    if get_origin(hint) is tuple:
        return f"list of: {_words(get_args(hint)[0])}"
    if get_origin(hint) in (dict, Mapping):
        return f"mapping from name to: {_words(get_args(hint)[1])}"
    title = _TITLES.get(hint)
    if title is not None:
        return f"[{title}](#{title.replace(' ', '-')})"
    return {float: "number", int: "whole number", str: "text", bool: "`true` or `false`"}.get(
        hint, "anything"
    )


def _annotated_words(hint: object) -> str:
    inner, *marks = get_args(hint)
    if hint == AnyDistribution:
        return "[distribution](#distributions)"
    if hint == Contestants or inner == get_args(Contestants)[0]:
        return "[patterns by name](#bakeoff)"
    bounds: list[str] = []
    for mark in marks:  # the outermost says it: a union inside may be marked as well
        if isinstance(mark, OrRecord):
            return f"{_words(mark.value)}, or {_words(mark.record)}"
    for mark in marks:
        if isinstance(mark, MemberOf):
            return "name under `agents`, or [a team in a pattern](#a-team-in-a-pattern)"
        if isinstance(mark, NameOf):
            return f"name under `{mark.section}`"
        if isinstance(mark, FileOfScenario):
            return "path of a file"
        if isinstance(mark, Tagged):
            return f"one of {', '.join(f'`{name}`' for name in mark.names)}"
        bounds += _bounds(mark)
    return " ".join([_words(inner), ", ".join(bounds)]).strip()


def _bounds(mark: object) -> Iterator[str]:
    for kind, sign, name in ((Ge, ">=", "ge"), (Gt, ">", "gt"), (Le, "<=", "le"), (Lt, "<", "lt")):
        if isinstance(mark, kind):
            yield f"{sign} {getattr(mark, name):g}"


RECORDS: tuple[Record, ...] = (
    *(record for _, record in (*_FILE, *_PROVIDER, *_POLICIES, *_PROGRAM)),
    Budget,
    CheckpointFileSpec,
    CheckpointSpec,
    GateLimit,
    Program,
    Poisson,
    Closed,
    Trace,
    *DISTRIBUTIONS.values(),
    *CONTEXTS.values(),
    *PATTERNS.values(),
    *(record for _, record in _OF_PATTERNS),
    *AGGREGATORS.values(),
    *DISCIPLINES.values(),
    *FAULTS.values(),
)
"""Every record that a scenario file is made of."""

_TITLES: dict[Record, str] = {
    record: title
    for title, record in (*_FILE, *_PROVIDER, *_OF_PATTERNS, *_POLICIES, *_PROGRAM, *_STUB_FILE)
} | {Budget: "budgets", GateLimit: "gate"}
