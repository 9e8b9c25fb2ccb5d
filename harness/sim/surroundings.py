"""What a test says of the world around its program: agents, tools, commands, providers and faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from harness.apis import APIS, VENDORS, vendor_of
from harness.errors import HarnessError, did_you_mean
from harness.faults import Fault
from harness.models import Model, Request, ToolCall, content_of
from harness.models.replies import AnyReply, Replies
from harness.run.program_world import ProgramWorld, WireProvider, default_providers
from harness.sim import settings
from harness.sim.fresh import FreshModules
from harness.sim.processes import Code, Output, SimProcess
from harness.sim.real import RealFunction
from harness.sim.tools import Replacement, SimTool
from harness.wire.names import UNMATCHED
from harness.wire.routing import AgentRule, RequestMatch, turn_of


class Surroundings:
    """The simulated surroundings of a program, as a test describes them; a `Sim` runs programs in them.

    Args:
        allow_unmatched: Whether a call that is of no described agent is answered by a made-up one.
    """

    def __init__(self, *, allow_unmatched: bool) -> None:
        self._allow_unmatched = allow_unmatched
        self._fresh = FreshModules()
        self._providers: dict[str, WireProvider] = default_providers()
        self._roles: list[AgentRule] = []
        self._faults: list[Fault] = []
        self._latency_factors: dict[str, float] = {}
        self._tools: list[Replacement] = []
        self._processes: list[SimProcess] = []
        self._may_be_unused: set[str] = set()
        self._met: set[int] = set()
        """The faults, by number, that met an attempt, or of which it is fine if not."""
        self._world: ProgramWorld | None = None
        """The run that goes on."""

    def use_scenario(self, path: str | Path) -> None:
        """Take providers, models, agents with their rules and their speed, and faults from a scenario file."""
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
        latency_s: Any = None,  # noqa: ANN401 - a number, a distribution, or as a scenario file says it
        output_tokens: Any = None,  # noqa: ANN401 - likewise
        accuracy: float | None = None,
        as_is: bool = False,
        allow_unused: bool = False,
    ) -> None:
        """Say who one of the program's agents is, how to tell its calls, and what it says.

        Args:
            name: Its name in everything that is shown.
            system: A glob for the whole system prompt of its calls, such as `"*planner*"`.
            system_regex: A regular expression to be found in the system prompt.
            model: A glob for the model that is asked.
            tools: Names of tools that its calls offer.
            headers: HTTP headers of its calls, each with a glob.
            when: Anything else, as a function of the `Request`.
            reply: What it says, as in `harness.models.replies`, or a model; None means something plausible.
            tool_calls: Tools it asks for first, as `ToolCall` or `(name, arguments)`; the reply comes after their results.
            latency_s: How long its calls take [s]; None means what the model's profile says.
            output_tokens: Size of its replies [tokens]; None means their length.
            accuracy: Share of them that are right.
            as_is: Whether replies that do not obey their request are sent, as a deliberate fault, instead of being an error.
            allow_unused: Whether it is fine if it is never called, or not all of its replies are given.

        Raises:
            HarnessError: A value is wrong, or there is an agent of that name.
        """
        self._check_new(name)
        match = RequestMatch(
            system=system,
            system_regex=settings.regex("system_regex", system_regex),
            model=model,
            tools=settings.names("tools", tools),
            headers=dict(headers or {}),
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
                accuracy=None if accuracy is None else settings.share("accuracy", accuracy),
                as_is=as_is,
            )
        )
        if allow_unused:
            self._may_be_unused.add(name)

    @settings.settings_known
    def tool(
        self,
        name: str,
        *,
        result: Any = "done",  # noqa: ANN401 - whatever the tool gives, or a function of its arguments
        latency_s: Any = 0.0,  # noqa: ANN401 - a number, a distribution, or as a scenario file says it
        failure_probability: float = 0.0,
        replaces: str | None = None,
    ) -> SimTool:
        """A tool that takes time, gives what it was told to give, and sometimes fails; an async function to be called.

        In place of a function of the program it is what that is: async, or one that blocks in virtual time.

        Args:
            name: Its name in everything that is shown.
            result: What it gives, or a function of its arguments that does.
            latency_s: How long one use takes [s].
            failure_probability: Share of uses that raise a `ToolError`.
            replaces: A function of the program, as `module:name`, that it stands in for while a run is active.
        """
        tool = SimTool(
            name,
            result,
            settings.distribution("latency_s", latency_s),
            settings.share("failure_probability", failure_probability),
            replaces,
        )
        tool.attach(lambda: self._world)
        self._tools.append(tool)
        return tool

    def real(self, target: str, *, latency_s: Any = 0.0) -> RealFunction:  # noqa: ANN401 - see `tool`
        """Let a function of the program stay real inside a run, such as a query to a local database.

        It is called outside of the simulated world, blocking or awaited, while virtual time stands still. The order of its uses
        follows from the seed; what it gives does not.

        Args:
            target: The function, as `module:name`, where the program looks it up.
            latency_s: After what virtual time its result, or its exception, becomes visible [s].

        Returns:
            The function; its `uses` are the arguments of each use.
        """
        real = RealFunction(target, settings.distribution("latency_s", latency_s))
        real.attach(lambda: self._world)
        self._tools.append(real)
        return real

    @settings.settings_known
    def process(
        self,
        command: str,
        *,
        stdout: Output = "",
        stderr: Output = "",
        returncode: Code = 0,
        latency_s: Any = 0.0,  # noqa: ANN401 - a number, a distribution, or as a scenario file says it
        failure_probability: float = 0.0,
        allow_unused: bool = False,
    ) -> SimProcess:
        """A command that the program runs in another process; nothing is started, and it takes virtual time.

        It is found by `subprocess`, `os.system`, `os.popen` and asyncio's subprocesses. A command that no description
        meets is refused by name.

        Args:
            command: A glob for the command line, such as `"git push*"`; the first description that matches counts.
            stdout: What it writes, as text, bytes, or a function of the `Command` (its `argv`, `line`, `cwd`, `env`,
                `stdin`, `number`).
            stderr: Likewise.
            returncode: How it ends, as a number or a function of the `Command`.
            latency_s: How long it takes [s].
            failure_probability: Share of uses that end with return code 1 and say so on stderr.
            allow_unused: Whether it is fine if it is never run.

        Returns:
            The description; its `uses` are the commands that were run.

        Raises:
            HarnessError: A value is wrong.
        """
        process = SimProcess(
            command,
            stdout=stdout,
            stderr=stderr,
            returncode=returncode,
            latency_s=settings.distribution("latency_s", latency_s),
            failure_probability=settings.share("failure_probability", failure_probability),
            allow_unused=allow_unused,
        )
        self._processes.append(process)
        return process

    def provider(
        self,
        name: str,
        *,
        requests_per_min: int | None = None,
        input_tokens_per_min: int | None = None,
        output_tokens_per_min: int | None = None,
        concurrency: int | None = None,
        queue_capacity: int | None = None,
        latency: Any = None,  # noqa: ANN401 - a number, a distribution, or as a scenario file says it
        overload: Any = None,  # noqa: ANN401 - as a scenario file says it
        outages: Sequence[Any] = (),
        api: str | None = None,
        hosts: Sequence[str] = (),
        paths: Sequence[str] = (),
        **options: Any,  # noqa: ANN401 - what the API understands
    ) -> None:
        """Say how a provider behaves; `anthropic` and `openai` are there by themselves, without limits.

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
            api: Which API it speaks.
            hosts: Where it is reached, besides the usual.
            paths: Base paths of its URLs, such as `/openai/v1`, besides those that are known of its hosts; without any,
                all will do.
            options: What the API is told, such as `message_threads=False` for Anthropic's.

        Raises:
            HarnessError: A value is wrong, or a program has connected already.
        """
        self._check_unsettled()
        known, vendor = self._providers.get(name), vendor_of(name)
        speaks = api or (vendor.api if vendor else "")
        where = set(map(settings.host, settings.texts("hosts", hosts)))
        if known is not None:
            where |= known.hosts
        elif vendor is not None and vendor.api == speaks:
            where.add(vendor.host)
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
            limits=settings.limits(
                requests_per_min=requests_per_min,
                input_tokens_per_min=input_tokens_per_min,
                output_tokens_per_min=output_tokens_per_min,
            ),
            concurrency=None if concurrency is None else settings.count("concurrency", concurrency),
            queue=settings.queue(queue_capacity),
            overload=settings.overload(overload),
            outages=tuple(settings.outage(outage) for outage in outages),
            latency=None if latency is None else settings.latency("latency", latency),
            models=known.models if known else {},
            options=settings.options(speaks, options),
        )

    def fault(self, kind: str | Fault, *, allow_unmet: bool = False, **fields: Any) -> None:  # noqa: ANN401 - the fault's
        """Let something go wrong; the first fault that meets an attempt decides.

        Args:
            kind: A fault, or its name in a scenario file, such as `"overloaded"`.
            allow_unmet: Whether it is fine if no attempt ever meets it.
            fields: Which attempts it meets and what it does, such as `agent="worker", call=2`.

        Raises:
            HarnessError: There is no such fault, a field is wrong, or a program has connected already.
        """
        self._check_unsettled()
        self._faults.append(settings.fault(kind, fields))
        if allow_unmet:
            self._met.add(len(self._faults))

    def fresh(self, *modules: str) -> None:
        """Import modules anew for each run, for state in them that cannot be put back, such as a database in memory.

        What other modules have imported from them, the test's too, is replaced until the next run. Modules that keep
        something else of them, such as an object that one of their functions made, are named too.

        Args:
            modules: Their names, such as `my_app.limits`; a package stands for all that is in it.

        Raises:
            HarnessError: There is no such module.
        """
        self._fresh.add(modules)

    def agent_scope(self, name: str) -> AbstractContextManager[None]:
        """Give all calls in a block to one agent, whatever they look like; the block is one turn of it."""
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
        if any(role.name == agent for role in self._roles):
            raise HarnessError(f"there is an agent {agent!r} already")
        if agent.startswith(UNMATCHED):
            raise HarnessError(
                f"agent {agent!r}: names that begin with {UNMATCHED!r} are of calls that match no agent\n"
                "  How to fix: give it another name"
            )

    def _replies(self) -> list[Replies]:
        return [role.content for role in self._roles if isinstance(role.content, Replies)]
