"""What a scenario file may say. Each part is the very record that the simulation runs on, so nothing is stated twice.

The records with behaviour live with it: distributions and arrivals in `kernel/`, limits, latency, prices and weather in
`provider/`, policies in `resilience/`, faults and patterns in their folders. Here stands how a file is put together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le, Len, MinLen
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from harness.agents import ToolSpec
from harness.apis import APIS, vendor_of
from harness.chance.arrivals import AnyArrivals, At, Closed, Trace
from harness.chance.distributions import AnyDistribution
from harness.faults import AnyFault
from harness.fields import AgentName, ModelName, ProviderName, ToolName
from harness.kernel import kernel
from harness.metrics import DEFAULT_LIMITS, METRICS
from harness.metrics.limits import SHARES
from harness.patterns import AnyPattern
from harness.provider import Latency, Limits, Outage, Overload, Prices, Queue
from harness.registration import registered
from harness.resilience import Policies
from harness.scenario.contestants import Contestants
from harness.units import SEED_MAX, Count, PositiveSeconds, Probability, Tokens

DEFAULT_HORIZON_S = 30 * 86_400.0
"""A month: longer than any workload that is worth simulating call by call."""

if TYPE_CHECKING:
    ApiName = str
else:
    ApiName = Literal[tuple(APIS)]
"""The name of an API."""


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise PydanticCustomError(
            "regex", "must be a regular expression: {why}", {"why": str(error)}
        ) from None
    return pattern


Regex = Annotated[str, AfterValidator(_regex)]
"""A regular expression."""


def _host(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]+", name) is None:
        raise PydanticCustomError(
            "host",
            "must be the name of a host alone, such as api.groq.com; the path of its URLs is that of `paths`",
        )
    return name.lower()


HostName = Annotated[str, AfterValidator(_host)]
"""The name of a host, without a scheme, a port or a path."""

NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"

Name = Annotated[str, Field(pattern=NAME, max_length=100)]
"""A name of one word, of letters, digits, `_`, `.` and `-`."""


class Section(BaseModel):
    """A part of the file: unknown keys are errors, and a value is of its type or wrong."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        defer_build=True,  # of the two kinds of file a process reads one, and building takes a tenth of a second
    )


class Kind(Section):
    """One kind of task."""

    kind: Name = "task"
    """Its name."""
    customer: Name | None = None
    """Whom it is for; stands at its tasks, and gives metrics by customer."""
    priority: Annotated[int, Ge(0)] | None = None
    """How much it matters, 0 the least; absent means 0."""
    weight: Annotated[float, Gt(0)] = 1.0
    """How often it comes, against the weights of the other kinds."""
    text: str | None = None
    """What the user says; absent means the kind and the task's number."""
    input_tokens: AnyDistribution | None = None
    """Size of what the user brings [tokens]; absent means what the trace says, or the length of the text."""
    output_tokens: AnyDistribution | None = None
    """Size of each answer of an agent that does not state its own [tokens]; absent means what the trace says."""


class Workload(Section):
    """The tasks that come."""

    tasks: Count | None = None
    """How many; absent means all that `at_s` or the trace holds."""
    warmup_tasks: Annotated[int, Ge(0)] = 0
    """How many of the first are simulated and left out of the metrics."""
    arrivals: AnyArrivals = Closed(users=1)
    """When they come; absent means one after another."""
    kinds: Annotated[tuple[Kind, ...], MinLen(1)] = (Kind(),)
    """What sorts of tasks there are."""

    @model_validator(mode="after")
    def _check_number(self) -> Workload:
        if self.tasks is None and not isinstance(self.arrivals, At | Trace):
            raise PydanticCustomError(
                "missing_tasks", "`tasks` is missing: these arrivals have no end of their own"
            )
        if self.tasks is not None and self.warmup_tasks >= self.tasks:
            raise PydanticCustomError(
                "all_warmup",
                "leaves no task to measure: {warmup} of {tasks}",
                {"warmup": self.warmup_tasks, "tasks": self.tasks, "at": ("warmup_tasks",)},
            )
        return self


class ProviderSpec(Section):
    """A provider of models."""

    limits: Limits | None = None
    """Rate limits of each pool of models; absent means none."""
    concurrency: Count | None = None
    """How many attempts are served at once; absent means all."""
    queue: Queue | None = None
    """Where attempts wait when all slots are busy."""
    overload: Overload | None = None
    """Overload that comes and goes; absent means never."""
    outages: tuple[Outage, ...] = ()
    """Planned outages."""


class ModelSpec(Section):
    """A model at a provider."""

    provider: ProviderName
    """Who serves it."""
    name: str
    """The name that the API knows; latency and prices are found by it."""
    pool: str | None = None
    """Models of one pool share the provider's rate limits; absent means that this model has its own."""
    latency: Latency | None = None
    """Its latency profile; absent means the fitted one of that name."""
    prices: Prices | None = None
    """Its prices; absent means those of genai-prices, or unknown."""


class AgentSpec(Section):
    """An agent."""

    model: ModelName
    """Which model answers for it."""
    stub: str | None = None
    """What it says: a YAML file of replies, or `module:function`; absent means a fixed sentence."""
    system: str = ""
    """Its system prompt."""
    system_tokens: Tokens | None = None
    """Size of all that is sent with every call, such as the system prompt and tool descriptions [tokens]; absent
    means the length of `system`."""
    output_tokens: AnyDistribution | None = None
    """Size of its replies [tokens]; absent means what the task says, or the length of the reply."""
    accuracy: Probability | None = None
    """Share of its replies that are right; gives `quality_mean`."""
    tools: tuple[ToolName, ...] = ()
    """What it can use."""
    match: Match | None = None
    """How to tell its calls when a program takes the place of the pattern; absent means by `system`, or by the header
    `x-harness-agent`."""


def _check_names(entries: Contestants) -> Contestants:
    if not entries:
        raise PydanticCustomError("one_of", "must hold at least one entry")
    for name in entries:
        if re.fullmatch(NAME, name) is None:
            raise PydanticCustomError(
                "one_of",
                "{name} must be one word of letters, digits, `_`, `.` and `-`",
                {"name": repr(name), "at": (name,)},
            )
    return entries


class PolicySection(Section):
    """What holds when calls fail."""

    default: Policies = Policies()
    """For every agent."""
    agents: dict[AgentName, Policies] = {}
    """For single agents, over the default."""


def _known_metric(name: str) -> str:
    if name not in METRICS:
        raise PydanticCustomError(
            "unknown_name",
            "there is no metric {name}",
            {"name": repr(name), "known": list(METRICS)},
        )
    return name


MetricName = Annotated[str, AfterValidator(_known_metric)]


class Budget(Section):
    """A bound on a metric; the metric is compared as it is, in its own unit."""

    below: float | None = None
    """The value must be below this."""
    at_most: float | None = None
    """The value must not be above this."""
    above: float | None = None
    """The value must be above this."""
    at_least: float | None = None
    """The value must not be below this."""

    @model_validator(mode="after")
    def _check_one(self) -> Budget:
        if len(self.bounds()) != 1:
            raise PydanticCustomError(
                "one_of", "give exactly one of below, at_most, above, at_least"
            )
        return self

    def bounds(self) -> dict[str, float]:
        """The bounds that are stated."""
        stated = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in stated.items() if value is not None}

    def passes(self, value: float) -> bool:
        """Whether a value keeps the bound."""
        ((bound, limit),) = self.bounds().items()
        return {
            "below": value < limit,
            "at_most": value <= limit,
            "above": value > limit,
            "at_least": value >= limit,
        }[bound]

    def __str__(self) -> str:
        ((bound, limit),) = self.bounds().items()
        return f"{bound.replace('_', ' ')} {limit:g}"


class GateLimit(Section):
    """How much worse a metric may become against a baseline: in percent, or in points when it is a share."""

    percent: Annotated[float, Ge(0)] | None = None
    """Of the baseline's value."""
    points: Annotated[float, Ge(0), Le(100)] | None = None
    """Percentage points; for `success_rate`, `quality_mean`, `work_share` and `utilisation`."""
    level: Literal["error", "warn", "ignore"] = "error"
    """Whether the gate fails, only warns, or does not look."""


def _check_units(limits: dict[str, GateLimit]) -> dict[str, GateLimit]:
    for metric, limit in limits.items():
        right, wrong = ("points", "percent") if metric in SHARES else ("percent", "points")
        if getattr(limit, wrong) is not None:
            raise PydanticCustomError(
                "one_of",
                "is not counted in {wrong}; give {right}",
                {"wrong": wrong, "right": right, "at": (metric,)},
            )
        has_one = getattr(limit, right) is not None or metric in DEFAULT_LIMITS
        if not has_one and limit.level != "ignore":
            raise PydanticCustomError(
                "one_of",
                "has no limit of its own; give {right}",
                {"right": right, "at": (metric,)},
            )
    return limits


class Match(Section):
    """What the calls of an agent look like, in a program of one's own; all that is stated must hold."""

    system: str | None = None
    """A glob that the whole system prompt must match."""
    system_regex: Regex | None = None
    """A regular expression to be found in the system prompt."""
    model: str | None = None
    """A glob that the model's name must match, as the API knows it."""
    tools: tuple[str, ...] = ()
    """Names of tools that must all be offered."""
    headers: dict[str, str] = {}
    """HTTP headers, by name, each with a glob for its value."""


class WireAgentSpec(Section):
    """An agent of a program of one's own."""

    match: Match = Match()
    """How to tell its calls; the first agent whose rules hold gets a call, one without rules what is left."""
    stub: str | None = None
    """What it says: a YAML file of replies, or `module:function`; absent means something plausible."""
    latency: Latency | None = None
    """How long its calls take; absent means what the model's profile says."""
    output_tokens: AnyDistribution | None = None
    """Size of its replies [tokens]; absent means their length."""
    accuracy: Probability | None = None
    """Share of its replies that are right; gives `quality_mean`."""


class WireProviderSpec(ProviderSpec):
    """A provider of models that a program of one's own reaches through its SDK."""

    api: ApiName | None = None
    """Which API it speaks; absent means the one of its name."""
    hosts: tuple[HostName, ...] = ()
    """Where it is reached; absent means where the API really is."""
    paths: tuple[str, ...] = ()
    """Base paths of its URLs, such as `/openai/v1`, besides those that are known of its hosts; without any, all will do."""

    @model_validator(mode="after")
    def _check_hosts(self) -> WireProviderSpec:
        if self.api is None and self.hosts:
            raise PydanticCustomError("one_of", "`hosts` needs `api`: which API is spoken there")
        return self


class Head(Section):
    """What every scenario file says."""

    scenario: Name
    """Its name."""
    description: str = ""
    """What question it answers."""
    seed: Annotated[int, Ge(0), Le(SEED_MAX)] = 1
    """The first seed."""
    runs: Count = 1
    """How many runs, with seeds from `seed` on."""
    horizon_s: PositiveSeconds = DEFAULT_HORIZON_S
    """When a run ends even if tasks are left [s]; those are cancelled, and counted as failed."""
    workload: Workload
    """The tasks that come."""
    faults: tuple[AnyFault, ...] = ()
    """What goes wrong, in order; the first fault that meets an attempt decides."""
    latency_factors: dict[AgentName, Annotated[float, Gt(0)]] = {}
    """How many times as long the attempts of single agents take to serve, by name, such as `{reviewer: 0.8}`; tools and
    waits stay as they are."""
    budgets: dict[MetricName, Budget] = {}
    """What must hold of the metrics; otherwise the exit code is 1."""
    gate: Annotated[dict[MetricName, GateLimit], AfterValidator(_check_units)] = {}
    """How much worse metrics may become against a baseline; absent ones have the [default limits](gate.md)."""

    def seeds(self, *, first: int | None, runs: int | None) -> range:
        """The seeds of some runs: as many as the file says, from the one that it says, where nothing else is asked."""
        begin = self.seed if first is None else first
        return range(begin, begin + (self.runs if runs is None else runs))


class Scenario(Head):
    """A scenario of a pattern: who works together how, on what, at which provider, and what goes wrong."""

    providers: Annotated[dict[Name, ProviderSpec], Len(1)]
    """The providers, by name."""
    models: Annotated[dict[Name, ModelSpec], Len(1)]
    """The models, by name."""
    tools: dict[Name, ToolSpec] = {}
    """The tools, by name."""
    agents: Annotated[dict[Name, AgentSpec], Len(1)]
    """The agents, by name."""
    pattern: AnyPattern
    """How the agents work together; beside `bakeoff` the name of an entry there, or absent, which means the first."""
    bakeoff: Annotated[Contestants, AfterValidator(_check_names)] = {}
    """Ways to do the same tasks, which `harness bakeoff` compares: each called as its pattern, or by a name of its own."""
    policies: PolicySection = PolicySection()
    """What holds when calls fail."""

    @model_validator(mode="after")
    def _check_fallbacks(self) -> Scenario:
        for start in self.agents:
            path = [start]
            while (fallback := self.policies_of(path[-1]).fallback) is not None:
                if fallback in path:
                    cycle = " -> ".join([*path[path.index(fallback) :], fallback])
                    raise PydanticCustomError(
                        "cycle",
                        "fallbacks go in a circle: {cycle}",
                        {"cycle": cycle, "at": self._place_of_fallback(path[-1])},
                    )
                path.append(fallback)
        return self

    def _place_of_fallback(self, agent: str) -> tuple[str, ...]:
        own = self.policies.agents.get(agent)
        if own is None or own.fallback is None:
            return ("policies", "default", "fallback")
        return ("policies", "agents", agent, "fallback")

    def policies_of(self, agent: str) -> Policies:
        """The policies of one agent: its own, over the default."""
        own = self.policies.agents.get(agent)
        return self.policies.default if own is None else own.over(self.policies.default)


class TargetScenario(Head):
    """A scenario of a program of one's own: the function that does a task, and what surrounds it."""

    target: str
    """The function, as `module:function`; it is given the text of the task if it takes an argument."""
    horizon_s: PositiveSeconds = kernel.DEFAULT_HORIZON_S
    """When a run ends even if tasks are left [s]; those are cancelled, and counted as failed."""
    calls_per_task: Count = kernel.DEFAULT_CALLS_PER_TASK
    """How many calls a task may make; with one more the run ends with an error that says which calls repeat."""
    providers: dict[Name, WireProviderSpec] = {}
    """The providers, by name; `anthropic` and `openai` are there by themselves, without limits."""
    models: dict[Name, ModelSpec] = {}
    """What is known of models, by a name for spans and faults; others have the latency and prices of their names."""
    agents: dict[Name, WireAgentSpec] = {}
    """The agents, by name; if there are none, calls are answered by agents that are named after their system prompts."""
    allow_unmatched: bool = False
    """Whether calls that match no agent are answered by made-up ones, which are called `unmatched:...`; else they are an error."""

    @model_validator(mode="after")
    def _check_providers(self) -> TargetScenario:
        for name, part in self.providers.items():
            if part.api is None and vendor_of(name) is None:
                raise PydanticCustomError(
                    "one_of",
                    "say which `api` provider {name} speaks, and at which `hosts`",
                    {"name": repr(name), "at": ("providers", name)},
                )
        return self


AnyScenario = Scenario | TargetScenario
"""What a file may hold: the one with `target` is of a program of one's own."""

_built: dict[type[BaseModel], int] = {}


def rebuild_if_registered(kind: type[BaseModel]) -> None:
    """Build the checks of a kind of file anew if a fault or a pattern was registered since."""
    count = registered()
    if _built.get(kind, 0) != count:
        kind.model_rebuild(force=True)
        _built[kind] = count
