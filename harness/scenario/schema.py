"""The schema of a scenario file. Each part is the record that the simulation uses.

Records with behaviour are defined with it: distributions and arrivals in `chance/`, limits, latency, prices and overload in
`provider/`, policies in `resilience/`, faults and patterns in their folders. This file defines how a scenario is composed.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le, Len, MinLen
from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from harness.agents import ToolSpec
from harness.apis import APIS, vendor_of
from harness.chance.arrivals import AnyArrivals, At, Closed, Trace
from harness.chance.distributions import AnyDistribution
from harness.fields import AgentName, ProviderName
from harness.kernel import kernel
from harness.models.recorded import ReplayLatency
from harness.patterns import AnyPattern, Pattern
from harness.patterns.nested import seats, teams_in
from harness.provider import (
    Limits,
    Load,
    Outage,
    Overload,
    Prices,
    PromptCache,
    ProviderSettings,
    Queue,
)
from harness.registration import registered
from harness.resilience import Policies
from harness.scenario.bounds import Budget, GateLimit, MetricName, check_units
from harness.scenario.contestants import Contestants
from harness.scenario.cycles import cycle_of
from harness.scenario.explore import ExploreSpec
from harness.scenario.fitted import AnyFaults, AnyLatency, AnySize
from harness.scenario.meaning import Judging
from harness.scenario.members import AgentSpec, AnyMember, Match, TeamSpec
from harness.scenario.policies import PolicySection, check_policies
from harness.scenario.program_parts import ProgramProcess, ProgramTool
from harness.scenario.section import NAME, Name, Section
from harness.scenario.sweep import SweepSpec
from harness.units import SEED_MAX, Count, PositiveSeconds

DEFAULT_HORIZON_S = 30 * 86_400.0
"""A month: longer than any workload that is worth simulating call by call."""

if TYPE_CHECKING:
    ApiName = str
else:
    ApiName = Literal[tuple(APIS)]
"""The name of an API."""


def _host(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]+", name) is None:
        raise PydanticCustomError(
            "host",
            "must be the name of a host alone, such as api.groq.com; the path of its URLs is that of `paths`",
        )
    return name.lower()


HostName = Annotated[str, AfterValidator(_host)]
"""The name of a host, without a scheme, a port or a path."""


class Kind(Section):
    """One kind of task."""

    kind: Name = "task"
    """Its name."""
    customer: Name | None = None
    """Whom it is for; stands at its tasks, and gives metrics by customer."""
    priority: Annotated[int, Ge(0)] | None = None
    """How much it matters, 0 the least; absent means 0. Where calls wait for a place of `max_in_flight`, those of a task with a
    higher priority go first."""
    weight: Annotated[float, Gt(0)] = 1.0
    """Its frequency, relative to the weights of the other kinds."""
    text: str | None = None
    """The user's text; absent means the kind and the task's number."""
    input_tokens: AnyDistribution | None = None
    """Size of the user's input [tokens]; absent means what the trace says, or the length of the text."""
    output_tokens: AnySize | None = None
    """Size of each answer of an agent that does not state its own [tokens]; absent means what the trace says."""


class Workload(Section):
    """The tasks of a run."""

    tasks: Count | None = None
    """Number of tasks; absent means all of `at_s` or the trace."""
    warmup_tasks: Annotated[int, Ge(0)] = 0
    """Number of first tasks that are simulated and left out of the metrics."""
    arrivals: AnyArrivals = Closed(users=1)
    """Arrival times; absent means one after another."""
    kinds: Annotated[tuple[Kind, ...], MinLen(1)] = (Kind(),)
    """The kinds of tasks."""

    @model_validator(mode="after")
    def _check_number(self) -> Workload:
        if self.tasks is None and not isinstance(self.arrivals, At | Trace):
            raise PydanticCustomError(
                "missing_tasks", "`tasks` is missing: these arrivals do not end by themselves"
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
    """Number of attempts served at once; absent means unlimited."""
    queue: Queue | None = None
    """Where attempts wait when all slots are busy; only beside `concurrency`."""
    overload: Overload | None = None
    """Overload that comes and goes; absent means never."""
    outages: tuple[Outage, ...] = ()
    """Planned outages."""
    load: Load | None = None
    """How the time per token grows with the number of attempts in service; `{}` for a measured curve, absent means that it does not."""

    @model_validator(mode="after")
    def _check_queue(self) -> ProviderSpec:
        if self.queue is not None and self.concurrency is None:
            raise ValueError(
                "`queue` needs `concurrency`: nobody waits where all are served at once"
            )
        return self

    @property
    def settings(self) -> ProviderSettings:
        """How it serves."""
        return ProviderSettings(
            limits=self.limits,
            concurrency=self.concurrency,
            queue=self.queue,
            overload=self.overload,
            outages=self.outages,
            load=self.load,
        )


class ModelSpec(Section):
    """A model at a provider."""

    provider: ProviderName
    """The provider that serves it."""
    name: str
    """Its name in the API; latency and prices are looked up by it."""
    pool: str | None = None
    """Models of one pool share the provider's rate limits; absent means that this model has its own."""
    latency: AnyLatency | None = None
    """Its latency profile; absent means the fitted one of that name."""
    prompt_cache: PromptCache | None = None
    """Its cache of prompts whose blocks a trace knows; absent means none."""
    prices: Prices | None = None
    """Its prices; absent means those of genai-prices, or unknown."""


class CheckpointFileSpec(Section):
    """A file in which progress is kept."""

    file: Annotated[str, MinLen(1)]
    """Its path; a relative one starts at the scenario's folder. Each run has one of its own, with its seed in the name, and
    deletes it when it ends."""


CheckpointStorage = Literal["memory"] | CheckpointFileSpec
"""Where progress is kept."""


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


class CheckpointSpec(Section):
    """Where the progress of a run is kept, so that a run that is killed can be resumed."""

    storage: CheckpointStorage = "memory"
    """`memory`, for as long as the `Simulation` in Python lives; or `{file: FILE}`, a DuckDB file."""
    restart_s: PositiveSeconds = 1.0
    """How long after its last outcome a run that was killed works again [s]."""

    @property
    def file(self) -> str | None:
        """The file; None if progress is kept in memory."""
        return None if isinstance(self.storage, str) else self.storage.file


class WireAgentSpec(Judging):
    """An agent in a program of your own."""

    match: Match = Match()
    """Rules for its calls. The first agent whose rules hold gets a call; an agent without rules gets the remaining calls."""
    stub: str | None = None
    """Its replies: a YAML file, or `module:function`; absent means made-up replies that fit the request."""
    cassette: str | None = None
    """A recording of its calls, in place of `stub`: its replies come as they were recorded, after the times that they took."""
    cassette_latency: ReplayLatency = "recorded"
    """How long recorded replies take: as long as they took (`recorded`), what the model's profile says (`profile`), or no time
    (`none`)."""
    latency: AnyLatency | None = None
    """Latency of its calls; absent means the model's profile."""
    output_tokens: AnySize | None = None
    """Size of its replies [tokens]; absent means their length."""


class WireProviderSpec(ProviderSpec):
    """A provider that a program of your own reaches through its SDK."""

    api: ApiName | None = None
    """The API that it serves; absent means the one of its name."""
    hosts: tuple[HostName, ...] = ()
    """Its hosts; absent means the hosts of the real API."""
    paths: tuple[str, ...] = ()
    """Base paths of its URLs, such as `/openai/v1`, in addition to the known ones of its hosts; if there are none, any path is accepted."""

    @model_validator(mode="after")
    def _check_hosts(self) -> WireProviderSpec:
        if self.api is None and self.hosts:
            raise PydanticCustomError(
                "one_of", "`hosts` needs `api`: the API that these hosts serve"
            )
        return self


class Head(Section):
    """Keys of every scenario file."""

    scenario: Name
    """Its name."""
    description: str = ""
    """The question that it answers."""
    seed: Annotated[int, Ge(0), Le(SEED_MAX)] = 1
    """The first seed."""
    runs: Count = 1
    """How many runs, with seeds from `seed` on."""
    horizon_s: PositiveSeconds = DEFAULT_HORIZON_S
    """Virtual time at which a run ends even if tasks are unfinished [s]; those are cancelled, and count as failed."""
    workload: Workload
    """The tasks of a run."""
    faults: AnyFaults = ()
    """The faults, in order; the first that applies to an attempt decides. `{profile: FILE}` stands for those that `harness calibrate` has
    measured."""
    latency_factors: dict[AgentName, Annotated[float, Gt(0)]] = {}
    """Factors for the service time of single agents' attempts, by name, such as `{reviewer: 0.8}`; tools and
    waits are not changed."""
    budgets: dict[MetricName, Budget] = {}
    """Limits on metrics; if one does not hold, the exit code is 1."""
    gate: Annotated[dict[MetricName, GateLimit], AfterValidator(check_units)] = {}
    """How much worse metrics may become against a baseline; absent ones have the [default limits](gate.md)."""
    sweep: SweepSpec | None = None
    """The points at which `harness sweep` simulates this scenario, unless its options name others."""
    explore: ExploreSpec = ExploreSpec()
    """What `harness explore` looks for besides."""

    def seeds(self, *, first: int | None, runs: int | None) -> range:
        """The seeds to run: `runs` and `seed` of the file, unless others are given."""
        begin = self.seed if first is None else first
        return range(begin, begin + (self.runs if runs is None else runs))


class Scenario(Head):
    """A scenario of a pattern: agents, pattern, workload, providers and faults."""

    providers: Annotated[dict[Name, ProviderSpec], Len(1)]
    """The providers, by name."""
    models: Annotated[dict[Name, ModelSpec], Len(1)]
    """The models, by name."""
    tools: dict[Name, ToolSpec] = {}
    """The tools, by name."""
    members: Annotated[dict[Name, AnyMember], Len(1)] = Field(alias="agents")
    """The agents, by name, and teams that patterns may name in place of an agent."""
    pattern: AnyPattern
    """How the agents work together; beside `bakeoff` the name of an entry there, or absent, which means the first."""
    checkpoint: CheckpointSpec | None = None
    """Where progress is kept, so that a run that is killed can be [resumed](state.md); absent means nowhere."""
    bakeoff: Annotated[Contestants, AfterValidator(_check_names)] = {}
    """Ways to do the same tasks, which `harness bakeoff` compares: each called as its pattern, or by a name of its own."""
    policies: PolicySection = PolicySection()
    """Policies for failing calls."""

    @model_validator(mode="after")
    def _check_policies(self) -> Scenario:
        customers = [kind.customer for kind in self.workload.kinds]
        check_policies(self.policies, self.agents, customers)
        return self

    @model_validator(mode="after")
    def _check_summarizers(self) -> Scenario:
        named = {
            name: [by]
            for name, part in self.agents.items()
            if (by := part.context.summarizer) is not None
        }
        cycle = cycle_of(named)
        if cycle:
            raise PydanticCustomError(
                "cycle",
                "summaries form a cycle: {cycle}",
                {"cycle": " -> ".join(cycle), "at": ("agents", cycle[0], "context")},
            )
        return self

    @model_validator(mode="after")
    def _check_teams(self) -> Scenario:
        taken = set(self.members)
        for name, _ in self._nested():
            if name in taken:
                raise PydanticCustomError(
                    "cycle",
                    "two members of the team are called {name}; give each a name of its own",
                    {"name": repr(name), "at": ("pattern",)},
                )
            taken.add(name)
        named = {name: list(map(str, seats(team))) for name, team in self.teams.items()}
        cycle = cycle_of(named)
        if cycle:
            raise PydanticCustomError(
                "cycle",
                "teams form a cycle: {cycle}",
                {"cycle": " -> ".join(cycle), "at": ("agents", cycle[0])},
            )
        return self

    def _nested(self) -> list[tuple[str, Pattern]]:
        """The patterns that stand in patterns, to any depth, by name."""
        tops = [part.pattern for part in self.members.values() if isinstance(part, TeamSpec)]
        return [pair for top in (*tops, self.pattern) for pair in teams_in(top)]

    @cached_property
    def agents(self) -> dict[str, AgentSpec]:
        """The agents alone, by name."""
        return {name: part for name, part in self.members.items() if isinstance(part, AgentSpec)}

    @cached_property
    def teams(self) -> dict[str, Pattern]:
        """The teams within the team, by name: those of `agents`, and those that stand in patterns."""
        of_agents = {
            name: part.pattern for name, part in self.members.items() if isinstance(part, TeamSpec)
        }
        return of_agents | dict(self._nested())

    def policies_of(self, agent: str) -> Policies:
        """The policies of one agent: its own, over the default."""
        return self.policies.of(agent)


class TargetScenario(Head):
    """A scenario of a program of your own: the function that does a task, and its environment."""

    target: str
    """The function, as `module:function`; it is given the text of the task if it takes an argument."""
    horizon_s: PositiveSeconds = kernel.DEFAULT_HORIZON_S
    """Virtual time at which a run ends even if tasks are unfinished [s]; those are cancelled, and count as failed."""
    calls_per_task: Count = kernel.DEFAULT_CALLS_PER_TASK
    """Maximum number of calls of a task; one more ends the run with an error that shows which calls repeat."""
    repeats_per_task: Count = kernel.DEFAULT_REPEATS_PER_TASK
    """Maximum number of calls in a row that bring a task nothing new, being equal to earlier ones with equal outcomes."""
    providers: dict[Name, WireProviderSpec] = {}
    """The providers, by name; `anthropic`, `openai` and `gemini` exist by default, without limits."""
    models: dict[Name, ModelSpec] = {}
    """Settings of models, by a name for spans and faults; other models have the latency and prices of their names."""
    tools: dict[Name, ProgramTool] = {}
    """Functions that are replaced by simulated tools, by a name for spans and faults."""
    processes: dict[str, ProgramProcess] = {}
    """Commands that the program runs in other processes, by globs such as `git push*`, which are their names for spans and faults; the
    first that matches counts. Any other command is refused."""
    agents: dict[Name, WireAgentSpec] = {}
    """The agents, by name; if there are none, calls are answered by agents that are named after their system prompts."""
    allow_unmatched: bool = False
    """Whether made-up agents named `unmatched:...` answer calls that match no agent; otherwise such calls are an error."""

    @model_validator(mode="after")
    def _check_providers(self) -> TargetScenario:
        for name, part in self.providers.items():
            if part.api is None and vendor_of(name) is None:
                raise PydanticCustomError(
                    "one_of",
                    "provider {name} needs `api` and `hosts`: its API, and where it is served",
                    {"name": repr(name), "at": ("providers", name)},
                )
        return self

    @model_validator(mode="after")
    def _check_faults(self) -> TargetScenario:
        for number, fault in enumerate(self.faults):
            if fault.only_of_patterns:
                raise PydanticCustomError(
                    "one_of",
                    "meets {what} of a pattern; a program's own is not seen",
                    {"what": fault.meets_what, "at": ("faults", number)},
                )
        return self


AnyScenario = Scenario | TargetScenario
"""What a file may hold: the one with `target` is of a program of one's own."""

_built: dict[type[BaseModel], int] = {}


def rebuild_if_registered(kind: type[BaseModel]) -> None:
    """Build the checks of a kind of file anew if a fault or a pattern was registered since."""
    count = registered()
    if _built.get(kind, 0) != count:
        TeamSpec.model_rebuild(force=True)
        kind.model_rebuild(force=True)
        _built[kind] = count
