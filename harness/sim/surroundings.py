"""The environment of a program as a test describes it: agents, tools, commands, providers, faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from harness.apis import APIS, VENDORS, vendor_of
from harness.cassettes import RecordedRequest
from harness.errors import HarnessError, did_you_mean
from harness.faults import InjectedFault
from harness.models import Model, Request, ToolCall, content_of
from harness.models.meaning import Traits
from harness.models.replies import AnyReply, Replies
from harness.provider import ProviderSettings
from harness.run.program_world import WireProvider
from harness.sim import settings
from harness.sim.cassette import SimCassette, cassette
from harness.sim.equipment import Equipment
from harness.sim.example import described_for_now
from harness.sim.fresh import FreshModules
from harness.wire.names import UNMATCHED
from harness.wire.routing import AgentRule, RequestMatch, turn_of


class Surroundings(Equipment):
    """The simulated surroundings of a program, as a test describes them; a `Sim` runs programs in them.

    Args:
        allow_unmatched: Whether a call that is of no described agent is answered by a made-up one.
    """

    def __init__(self, *, allow_unmatched: bool) -> None:
        super().__init__()
        self._allow_unmatched = allow_unmatched
        self._fresh = FreshModules()
        self._roles: list[AgentRule] = []
        self._faults: list[InjectedFault] = []
        self._latency_factors: dict[str, float] = {}
        self._may_be_unused: set[str] = set()
        self._met: set[int] = set()
        """The faults, by number, that met an attempt, or of which it is fine if not."""
        self._cassette: SimCassette | None = None

    def use_scenario(self, path: str | Path) -> None:
        """Read providers, models, agents with their rules and latency factors, and faults from a scenario file."""
        from harness.run.wiring import surroundings
        from harness.scenario import load_scenario
        from harness.sim.stub_functions import StubFunctions

        scenario = load_scenario(path)
        found = surroundings(scenario, StubFunctions(scenario).find)
        self._providers.update(found.providers)
        self._roles.extend(found.roles)
        self._allow_unmatched = self._allow_unmatched or found.allow_unmatched
        self._may_be_unused.update(found.may_be_unused)
        self._latency_factors.update(found.latency_factors)
        for fault in found.faults:
            self._faults.append(fault)
            if fault.probability < 1.0:  # the file is for many runs, and this may be one
                self._met.add(len(self._faults))

    @property
    def allow_unmatched(self) -> bool:
        """Whether made-up agents answer calls of no described agent; may be set before the program's first call."""
        return self._allow_unmatched

    @allow_unmatched.setter
    def allow_unmatched(self, allowed: bool) -> None:
        self._check_unsettled()
        self._allow_unmatched = allowed
        if self._world is not None:
            self._world.allow_unmatched = allowed

    # -- who is there -------------------------------------------------------------------------------------------------

    @settings.settings_known
    def agent(
        self,
        name: str,
        *,
        system: str | None = None,
        system_regex: str | None = None,
        model: str | None = None,
        tools: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        when: Callable[[Request], bool] | None = None,
        reply: AnyReply | Model | None = None,
        tool_calls: Sequence[ToolCall | tuple[str, dict[str, Any]]] = (),
        latency_s: object = None,
        output_tokens: object = None,
        accuracy: float | None = None,
        catches: float = 0.0,
        sways: float = 0.0,
        correlation: float = 0.0,
        gullible: float = 0.0,
        wrong_reply: str | None = None,
        objection: str | None = None,
        as_is: bool = False,
        allow_unused: bool = False,
    ) -> None:
        """Describe one of the program's agents: the rules for its calls, and its replies.

        Args:
            name: Its name in reports and messages.
            system: A glob for the whole system prompt of its calls, such as `"*planner*"`.
            system_regex: A regular expression to be found in the system prompt.
            model: A glob for the model that is asked.
            tools: Names of tools that its calls offer.
            headers: HTTP headers of its calls, each with a glob.
            when: Any other condition, as a function of the `Request`.
            reply: Its reply, as in `harness.models.replies`, or a model; None means a made-up reply that fits the request.
            tool_calls: Tools it calls first, as `ToolCall` or `(name, arguments)`; the reply comes after their results.
            latency_s: How long its calls take [s]; None means what the model's profile says.
            output_tokens: Size of its replies [tokens]; None means their length.
            accuracy: Share of its claims that are true; a true claim that it passes on is garbled with the rest.
            catches: Share of the false claims it reads that it notices; it corrects them.
            sways: Share of its replies that give up its own view for that of the majority of what it reads.
            correlation: Share of runs in which its errors are those that all agents of its model make.
            gullible: Share of injected instructions in what it reads that it obeys.
            wrong_reply: What it says instead if its reply holds a false claim; None means the same.
            objection: What it says instead if it has noticed a false claim; None means the same.
            as_is: Whether replies that violate their request are sent anyway, instead of raising an error.
            allow_unused: Whether the agent or some of its replies may remain unused without an error.

        Raises:
            HarnessError: A value is wrong, or there is an agent of that name.
        """
        self._check_new(name)
        match = RequestMatch(
            system=system,
            system_regex=settings.regex("system_regex", system_regex),
            model=model,
            tools=settings.names("tools", tools),
            headers=settings.headers(headers or {}),
            when=when,
        )
        self._roles.append(
            AgentRule(
                name=name,
                content=content_of(
                    name, reply, tool_calls=[settings.tool_call(call) for call in tool_calls]
                ),
                match=match,
                latency=None if latency_s is None else settings.latency("latency_s", latency_s),
                output_tokens=None
                if output_tokens is None
                else settings.distribution("output_tokens", output_tokens),
                traits=Traits(
                    accuracy=None if accuracy is None else settings.share("accuracy", accuracy),
                    catches=settings.share("catches", catches),
                    sways=settings.share("sways", sways),
                    correlation=settings.share("correlation", correlation),
                    gullible=settings.share("gullible", gullible),
                    wrong_reply=wrong_reply,
                    objection=objection,
                ),
                as_is=as_is,
            )
        )
        if allow_unused:
            self._may_be_unused.add(name)

    @settings.settings_known
    def provider(
        self,
        name: str,
        *,
        requests_per_min: int | None = None,
        input_tokens_per_min: int | None = None,
        output_tokens_per_min: int | None = None,
        concurrency: int | None = None,
        queue_capacity: int | None = None,
        latency: object = None,
        overload: object = None,
        outages: Sequence[object] = (),
        load: object = None,
        api: str | None = None,
        hosts: Sequence[str] = (),
        paths: Sequence[str] = (),
        **options: object,
    ) -> None:
        """Describe a provider. `anthropic` and `openai` exist by default, without limits.

        Args:
            name: Its name. Well-known ones such as `groq` and `openrouter` need nothing else; others need `api` and `hosts`.
            requests_per_min: Rate limit of each model.
            input_tokens_per_min: Likewise.
            output_tokens_per_min: Likewise.
            concurrency: How many attempts are served at once.
            queue_capacity: How many may wait for a slot; one more is refused.
            latency: How long its calls take: a number [s], a distribution, or a profile as in a scenario file.
            overload: Overload that comes and goes, as in a scenario file.
            outages: Such as `{"at_s": 10, "for_s": 30}`.
            load: How the time per token grows with the number of attempts in service: points such as `[(1, 1.0), (50, 3.2)]`,
                or `{}` for a measured curve.
            api: Which API it speaks.
            hosts: Where it is reached, besides the usual.
            paths: Base paths of its URLs, such as `/openai/v1`, besides those that are known of its hosts; without any,
                all will do.
            options: What the API is told, such as `message_threads=False` or `files={id: content}` for Anthropic's.

        Raises:
            HarnessError: A value is wrong, or a program has connected already.
        """
        self._check_unsettled()
        known, vendor = self._providers.get(name), vendor_of(name)
        speaks = api or (vendor.api if vendor else "")
        where = set(map(settings.host, settings.texts("hosts", hosts)))
        if known is not None:
            where |= known.hosts
        elif vendor is not None and vendor.speaking(speaks):
            where.update(vendor.hosts)
        if speaks not in APIS or not where:
            names = [*self._providers, *VENDORS]
            raise HarnessError(
                f"unknown provider {name!r}{did_you_mean(name, names)}\n"
                "  How to fix: say which API it speaks and where: "
                f'sim.provider({name!r}, api="openai", hosts=["api.example.com"])'
            )
        self._providers[name] = WireProvider(
            name=name,
            api=speaks,
            hosts=frozenset(where),
            paths=settings.texts("paths", paths),
            settings=ProviderSettings(
                limits=settings.limits(
                    requests_per_min=requests_per_min,
                    input_tokens_per_min=input_tokens_per_min,
                    output_tokens_per_min=output_tokens_per_min,
                ),
                concurrency=None
                if concurrency is None
                else settings.count("concurrency", concurrency),
                queue=settings.queue(queue_capacity, concurrency),
                overload=settings.overload(overload),
                outages=tuple(settings.outage(outage) for outage in outages),
                load=settings.load(load),
            ),
            latency=None if latency is None else settings.latency("latency", latency),
            models=known.models if known else {},
            options=settings.options(speaks, options),
        )

    def fault(
        self, kind: str | InjectedFault, *, allow_unmet: bool = False, **fields: object
    ) -> None:
        """Add a fault. The first fault that applies to an attempt decides.

        Args:
            kind: A fault, or its name in a scenario file, such as `"overloaded"`.
            allow_unmet: Whether the fault may apply to no attempt without an error.
            fields: Which attempts it applies to and its parameters, such as `agent="worker", call=2`.

        Raises:
            HarnessError: There is no such fault, a field is wrong, or a program has connected already.
        """
        self._check_unsettled()
        self._faults.append(settings.fault(kind, fields))
        if allow_unmet:
            self._met.add(len(self._faults))

    @settings.settings_known
    def cassette(
        self,
        path: str | Path,
        *,
        mode: str = "none",
        ignore: Sequence[str] = (),
        match_on: Sequence[Callable[[RecordedRequest], object]] = (),
        latency: str = "recorded",
        scrub: Sequence[Callable[[str], str]] = (),
        allow_unused: bool = False,
        tell: Callable[[str], None] | None = None,
    ) -> SimCassette:
        """Let a recording answer all calls that no described agent has a reply for.

        Args:
            path: The cassette, a YAML file of vcrpy's format.
            mode: What may be recorded from the real API: nothing (`"none"`), what is not there (`"new"`), everything anew
                (`"all"`), everything if there is no file (`"once"`), or what changed, without what is asked no more (`"drift"`).
            ignore: Fields of JSON bodies in which a request may differ from its recording, such as `"metadata.user_id"`.
            match_on: Functions of a request; its recording must give the same.
            latency: How long replayed responses take: `"recorded"`, `"profile"` (of the model), or `"none"`.
            scrub: Functions that take secrets out of texts before they are written, besides what is built in.
            allow_unused: Whether interactions may remain unused without an error.
            tell: Called, in the mode `"drift"`, with a line about what a call will cost before it is made; it may raise an
                error to refuse it. None writes the line on standard error.

        Returns:
            The cassette.

        Raises:
            HarnessError: A value is wrong, there is a cassette already, or the file cannot be read.
        """
        self._check_unsettled()
        if self._cassette is not None:
            raise HarnessError(f"there is a cassette already: {self._cassette.path}")
        self._cassette = cassette(
            path,
            mode=mode,
            ignore=ignore,
            match_on=match_on,
            latency=latency,
            scrub=scrub,
            allow_unused=allow_unused,
            tell=tell,
        )
        return self._cassette

    @property
    def used_cassette(self) -> SimCassette | None:
        """The cassette, if there is one."""
        return self._cassette

    def fresh(self, *modules: str) -> None:
        """Import modules anew for each run, for state that cannot be restored, such as an in-memory database.

        What other modules have imported from them, the test's too, is replaced until the next run. Modules that keep
        something else of them, such as an object that one of their functions made, are named too.

        Args:
            modules: Their names, such as `my_app.limits`; a package stands for all that is in it.

        Raises:
            HarnessError: There is no such module.
        """
        self._fresh.add(modules)

    def example(self) -> AbstractContextManager[None]:
        """Forget at the end of a block what is described in it; for property tests, which run one function many times.

        Agents, tools, faults and the rest that were described before stay. What is described in the block may remain unused.
        """
        return described_for_now(self)

    def agent_scope(self, name: str) -> AbstractContextManager[None]:
        """Assign all calls in a block to one agent, regardless of rules; the block is one turn."""
        world = self._world
        if world is None:
            raise HarnessError("an agent's scope begins inside the program; there is no run")
        return turn_of(name, world.log, world.root)

    def _check_unsettled(self) -> None:
        if self._world is not None and self._world.is_settled:
            raise HarnessError(
                "the program has connected already; describe providers and faults before its first call"
            )

    def _check_new(self, agent: str) -> None:
        if not agent:
            raise HarnessError("an agent needs a name (got '')")
        if any(role.name == agent for role in self._roles):
            raise HarnessError(f"agent {agent!r} is described already")
        if agent.startswith(UNMATCHED):
            raise HarnessError(
                f"agent {agent!r}: names that begin with {UNMATCHED!r} are of calls that match no agent\n"
                "  How to fix: give it another name"
            )

    def _replies(self) -> list[Replies]:
        return [role.content for role in self._roles if isinstance(role.content, Replies)]
