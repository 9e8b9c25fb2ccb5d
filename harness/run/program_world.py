"""The world of a user's program: providers on the wire, agents matched by rules, and faults.

The program runs as it is, with its own SDKs; what it sends reaches the servers of `harness.wire`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.agents.mishap import Mishap
from harness.apis import APIS, base_path, vendor_of
from harness.chance import Draws
from harness.errors import NotSimulated, UnknownHost
from harness.faults import FAULT_NAMES, FaultPlan, InjectedFault, is_of_meaning, plan
from harness.faults.of_agents import AgentFaults
from harness.faults.of_clocks import ClockFaults
from harness.faults.of_tools import ToolFaults
from harness.kernel.choosing import kernel_for
from harness.kernel.kernel import (
    DEFAULT_CALLS_PER_TASK,
    DEFAULT_HORIZON_S,
    DEFAULT_REPEATS_PER_TASK,
)
from harness.kernel.process import moment
from harness.models import content_of
from harness.models.meaning import Ledger, Traits
from harness.models.verdict import Judge
from harness.provider import (
    AnyPrices,
    Latency,
    Provider,
    ProviderSettings,
    Served,
    likely_latency_of,
    prices_of,
)
from harness.provider.settings import UNLIMITED
from harness.spans import ERROR, Span, SpanLog
from harness.texts import Texts
from harness.wire.api import ApiMaker
from harness.wire.bounds import StopTask
from harness.wire.call import Call
from harness.wire.effects import Effect, effect
from harness.wire.http import Connection
from harness.wire.names import UNMATCHED
from harness.wire.notes import Notes
from harness.wire.own_servers import OwnServers
from harness.wire.peers import NO_PEERS, AllPeers, Peers
from harness.wire.replay import Replay
from harness.wire.routing import AgentRule, Scope, scope_here
from harness.wire.server import Server
from harness.wire.sites import Endpoint

INSTANTS_WITHOUT_CALL = 2_000_000
"""Two million steps of time take some ten seconds, and no program polls so often for one reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireModel:
    """A model as a scenario or a test describes it, where it does so at all."""

    alias: str
    """Its name in spans and faults."""
    latency: Latency | None = None
    prices: AnyPrices | None = None
    pool: str | None = None
    """Models of one pool share rate limits; None means that this model has its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireProvider:
    """A provider with its servers."""

    name: str
    api: str
    """The name of the API that it speaks."""
    hosts: frozenset[str]
    paths: tuple[str, ...] = ()
    """Base paths of its URLs, besides those that are known of its hosts; any will do where there are none."""
    settings: ProviderSettings = UNLIMITED
    latency: Latency | None = None
    """Of all its models, instead of their own profiles."""
    models: Mapping[str, WireModel] = field(default_factory=dict)
    """What is known of its models, by the name that the API uses."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What else its API is told."""


def default_providers() -> dict[str, WireProvider]:
    """Those that are there with no line of set-up, without limits: one for each API."""
    return {
        name: WireProvider(name=name, api=name, hosts=frozenset({api.host}))
        for name, api in APIS.items()
    }


class ProgramWorld:
    """The parts of one run of a program; it is a network for the seams of `harness.wire`.

    The servers are made when the first connection is, so that a test can say until then who is there.

    Args:
        seed: The integer from which all random values are derived, or the draws of the run.
        providers: The providers, by name.
        roles: The agents, in the order in which their rules are asked.
        faults: What goes wrong, in order.
        latency_factors: How many times as long the attempts of single agents take to serve.
        horizon_s: Virtual time that the run may not pass [s].
        calls_per_task: How many calls a task may make.
        repeats_per_task: How many calls in a row may bring a task nothing new.
        begin_s: Where its clock starts [s].
        allow_unmatched: Whether a call that matches no agent is answered by a made-up one instead of raising an error.
        keep_texts: Whether prompts and replies are kept.
        replay: A cassette that answers what no described agent does; None without one.
    """

    def __init__(
        self,
        seed: int | Draws,
        *,
        providers: Mapping[str, WireProvider],
        roles: Sequence[AgentRule],
        faults: Sequence[InjectedFault] = (),
        latency_factors: Mapping[str, float] | None = None,
        horizon_s: float = DEFAULT_HORIZON_S,
        calls_per_task: float = DEFAULT_CALLS_PER_TASK,
        repeats_per_task: float = DEFAULT_REPEATS_PER_TASK,
        begin_s: float = 0.0,
        allow_unmatched: bool = False,
        keep_texts: bool = False,
        replay: Replay | None = None,
    ) -> None:
        self.replay = replay
        """The cassette; None without one."""
        self.peers: Peers = NO_PEERS
        """Hosts that are no providers; may be set until the first connection."""
        self.draws = Draws.of(seed)
        self.kernel = kernel_for(
            self.draws.choices,
            horizon_s=horizon_s,
            instants_without_call=INSTANTS_WITHOUT_CALL,
            begin_s=begin_s,
        )
        self._calls_per_task = calls_per_task
        self._repeats_per_task = repeats_per_task
        self.log = SpanLog(self.kernel.now_s)
        self.texts = Texts() if keep_texts else None
        self.root = Scope(self.log.open_task("program", 1), None)
        self.ledger = Ledger(
            self.log,
            any(role.traits != Traits() for role in roles) or any(map(is_of_meaning, faults)),
        )
        """The claims of its replies."""
        self._providers = providers
        self._roles = roles
        self._faults = faults
        self._latency_factors = latency_factors
        self.allow_unmatched = allow_unmatched
        """May be changed until the first connection."""
        self.stop_task: StopTask | None = None
        """Ends a task that makes no progress; None ends the run."""
        self._server: Server | None = None
        self._plan: FaultPlan | None = None
        self._tool_faults: ToolFaults | None = None
        self._agent_faults: AgentFaults | None = None
        self._clock_faults = ClockFaults(
            plan(faults, FAULT_NAMES), self.draws, self.log, self._clock_reader
        )
        if self._clock_faults.chooser:
            self.kernel.skew_s = self._clock_faults.skew_s
        self._effects: list[tuple[Effect, Span | None]] = []
        self._notes = Notes(self.log, self.root, lambda: self.calls)
        self.kernel.watcher = self._notes

    # -- as the network sees it -------------------------------------------------------------------------------------

    def connect(self, host: str, port: int) -> Connection | UnknownHost:
        """Open a connection, or raise the reason why not."""
        return self.server.connect(host, port)

    def refuse_websocket(self, host: str, path: str) -> NotSimulated:
        """Note that a client wants a websocket, and return the error for it."""
        return self.server.refuse_websocket(host, path)

    # -- as its owner sees it ---------------------------------------------------------------------------------------

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return self.draws.seed

    @property
    def server(self) -> Server:
        """The servers; from now on who is there is settled."""
        if self._server is None:
            self._server = self._make_server()
        return self._server

    @property
    def is_settled(self) -> bool:
        """Whether there was a connection, or a use of a tool, already."""
        return self._server is not None or self._tool_faults is not None

    @property
    def calls(self) -> list[Call]:
        """The calls so far."""
        return [] if self._server is None else self._server.calls.made

    @property
    def faults_met(self) -> set[int]:
        """Numbers of the faults that met something."""
        parts = (self._tool_faults, self._agent_faults, self._clock_faults)
        met = set().union(*(part.chooser.met for part in parts if part is not None))
        return met if self._plan is None else met | self._plan.met

    @property
    def unsimulated(self) -> dict[str, int]:
        """Hosts that are not simulated and that the program tried to reach, with the number of tries."""
        return {} if self._server is None else self._server.unsimulated

    @property
    def effects(self) -> list[Effect]:
        """What tools did so far: simulated ones, and those of the program whose results a model was told."""
        return [effect for effect, _ in self._done]

    @property
    def _done(self) -> Sequence[tuple[Effect, Span | None]]:
        brought = () if self._server is None else self._server.calls.effects
        return [*self._effects, *brought]

    def mishap(self, tool: str, span: Span, key: str, *, used_before: bool) -> Mishap | None:
        """What a fault makes of one use of a simulated tool; None for nothing.

        Args:
            tool: Its name.
            span: Of the use.
            key: Names the draws of the use.
            used_before: Whether it has answered before.
        """
        if self._tool_faults is None:
            planned = plan(self._faults, FAULT_NAMES)
            self._tool_faults = ToolFaults(planned, self.draws, self.log)
        if not self._tool_faults.chooser:
            return None
        customer = self.log.customer_of(span.task)
        return self._tool_faults.mishap(
            tool, span.agent, customer, key, span, used_before=used_before
        )

    def note_effect(
        self,
        tool: str,
        span: Span | None,
        args: Sequence[object],
        kwargs: Mapping[str, object] | None = None,
    ) -> None:
        """Note that a simulated tool did something.

        Args:
            tool: Its name.
            span: Its span; None where doing the same again is nothing to wonder at, as with a command.
            args: Its positional arguments.
            kwargs: Its arguments by name.
        """
        self._effects.append((effect(tool, "program", args, kwargs), span))

    def kept_in(self, text: str) -> frozenset[int]:
        """Numbers of the calls whose replies are in a text."""
        return (
            frozenset()
            if self._server is None
            else frozenset(self._server.calls.sources.of([text]))
        )

    def _clock_reader(self) -> tuple[str, Span]:
        scope = scope_here(self.root)
        return scope.agent or "", scope.span

    def begin_use(self, tool: str) -> tuple[int, int]:
        """Begin one use of a tool or a command; see `Server.begin_use`."""
        return self.server.begin_use(tool)

    def end_use(self, tool: str, given: object, span: Span, asked: int) -> None:
        """Note the end of one use.

        Args:
            tool: What was used.
            given: Its arguments.
            span: Its span, which is closed.
            asked: Its place in the order of what the program asks.
        """
        error = span.error if span.status == ERROR else ""
        self.server.calls.used(span.task, tool, given, asked, error)

    def end(self) -> None:
        """Close all connections, and all calls that the program gave up."""
        if self._server is not None:
            self._server.end()
        self._notes.end(self._done)

    def _make_server(self) -> Server:
        served: dict[tuple[str, str, Latency | None], Served] = {}

        def find(provider: str, model: str, latency: Latency | None) -> Served:
            key = (provider, model, latency)
            if key not in served:
                served[key] = _served(self._providers[provider], model, latency)
            return served[key]

        planned = plan(self._faults, FAULT_NAMES)
        self._plan = FaultPlan(planned, self.draws, self.kernel.now_s, FAULT_NAMES)
        judge: Judge = self._plan.judge
        agents = self._agent_faults = AgentFaults(planned, self.draws, self.log, self._at)
        if agents.chooser:
            judge = agents.judge(judge)
        server = Server(
            self.kernel,
            self.draws,
            self.log,
            self.root,
            sites=[site for one in self._providers.values() for site in self._sites(one)],
            roles=self._roles,
            unknown=lambda name: AgentRule(
                name=name, content=content_of(name.removeprefix(UNMATCHED))
            ),
            allow_unmatched=self.allow_unmatched,
            served=find,
            judge=judge,
            ledger=self.ledger,
            known_models=self._declared_models(),
            latency_factors=self._latency_factors,
            calls_per_task=self._calls_per_task,
            repeats_per_task=self._repeats_per_task,
            stop_task=self.stop_task,
            texts=self.texts,
            replay=self.replay,
            peers=AllPeers((OwnServers(), self.peers)),
        )
        server.calls.is_passing = self._fails_for_a_time
        return server

    def _at(self, at_s: float, do: Callable[[], None]) -> None:
        event = moment(self.kernel.env, at_s)
        assert event.callbacks is not None, "it has not happened yet"
        event.callbacks.append(lambda _: do())

    def _fails_for_a_time(self) -> bool:
        """Whether an outage, a fault or a crash is on that ends at a known time."""
        now_s = self.kernel.now_s()
        return (
            any(
                out.covers(now_s)
                for each in self._providers.values()
                for out in each.settings.outages
            )
            or any(fault.until_s is not None and fault.covers(now_s) for fault in self._faults)
            or (self._agent_faults is not None and self._agent_faults.restarts_after(now_s))
        )

    def _declared_models(self) -> list[str]:
        """The models that the scenario or the rules of its agents name; a glob names none."""
        named = [name for one in self._providers.values() for name in one.models]
        ruled = [role.match.model or "" for role in self._roles]
        return [*named, *(name for name in ruled if name and not _GLOB.search(name))]

    def _sites(self, part: WireProvider) -> Iterator[Endpoint]:
        """A provider as a server of its API, and of the others that it speaks at the same hosts."""
        provider = Provider(self.kernel.env, self.draws, part.name, part.settings)
        maker = APIS[part.api].load()
        own: ApiMaker = lambda desk: maker(desk, **part.options)  # noqa: E731 - a maker of one argument
        yield self._site(part, part.api, own, provider, part.hosts)
        vendor = vendor_of(part.name)
        if vendor is None or vendor.speaking(part.api) is None:
            return
        for other in (vendor, *vendor.others):
            if other.api != part.api:
                hosts = frozenset(other.hosts) & part.hosts
                yield self._site(part, other.api, APIS[other.api].load(), provider, hosts)

    def _site(
        self,
        part: WireProvider,
        api: str,
        maker: ApiMaker,
        provider: Provider,
        hosts: frozenset[str],
    ) -> Endpoint:
        return Endpoint(
            name=part.name,
            speaks=APIS[api],
            api=maker,
            provider=provider,
            hosts=hosts,
            base_paths=tuple(map(base_path, part.paths)) if api == part.api else (),
            aliases={name: model.alias for name, model in part.models.items()},
        )


_GLOB = re.compile(r"[*?\[]")


def _served(provider: WireProvider, model: str, latency: Latency | None) -> Served:
    """A model as a provider serves it: as stated, or guessed from its name."""
    known = provider.models.get(model, WireModel(alias=model))
    return Served(
        model,
        f"model {model}" if known.pool is None else f"pool {known.pool}",
        latency or known.latency or provider.latency or likely_latency_of(model),
        known.prices or prices_of(model, provider.name),
    )
