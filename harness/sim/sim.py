"""What a test speaks to: agents, tools, providers and faults around the user's own program, and its runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from harness import wall
from harness.environment import provided_environment
from harness.errors import HarnessError, NotSimulated, did_you_mean
from harness.faults import Fault
from harness.kernel import run_program
from harness.kernel.kernel import DEFAULT_CALLS_PER_TASK, DEFAULT_HORIZON_S
from harness.kernel.state import State
from harness.models import Model, Request, ToolCall
from harness.models.replies import AnyReply, Replies
from harness.run.wired import ApiName, WiredWorld, WireProvider, default_providers
from harness.sim import settings
from harness.sim.call_view import CallList, CallView
from harness.sim.check import check_all_needed
from harness.sim.fresh import Renewal, check_importable, check_not_bound, imported_anew
from harness.sim.processes import Code, Output, SimProcess, described
from harness.sim.program import Watch, bind, close_if_unstarted
from harness.sim.program_run import ProgramRun
from harness.sim.tools import SimTool, replaced
from harness.sim.undo import undo
from harness.spans import CANCELLED, ERROR, OK
from harness.wire import SEAMS, connected
from harness.wire.agents import Match, Role, turn_of

_LAST_LINES = 20
"""How much of a timeline the report of a failed test shows."""

_APIS: dict[str, ApiName] = {"anthropic": "anthropic", "openai": "openai"}


class Sim:
    """The simulated surroundings of a program: one a test.

    Args:
        seed: The one integer that all chance follows from.
        command: What runs the test again.
        module: The name of the module that the test is in.
        horizon_s: Virtual time that no run may pass [s].
        calls_per_task: How many calls each run may make.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        command: str = "",
        module: str = "__main__",
        horizon_s: float = DEFAULT_HORIZON_S,
        calls_per_task: int = DEFAULT_CALLS_PER_TASK,
    ) -> None:
        self.seed = settings.seed(seed)
        self.command = command
        self.horizon_s = settings.seconds("horizon_s", horizon_s)
        self.calls_per_task = settings.count("calls_per_task", calls_per_task)
        self._module = module
        self._fresh: list[str] = []
        self._renewal: Renewal | None = None
        self.runs: list[ProgramRun] = []
        """All runs of this test."""
        self._providers: dict[str, WireProvider] = default_providers()
        self._roles: list[Role] = []
        self._faults: list[Fault] = []
        self._latency_factors: dict[str, float] = {}
        self._tools: list[SimTool] = []
        self._processes: list[SimProcess] = []
        self._may_be_unused: set[str] = set()
        self._met: set[int] = set()
        self._world: WiredWorld | None = None

    @property
    def last_run(self) -> ProgramRun:
        """What came of the latest run, whether it returned or raised.

        Raises:
            HarnessError: No run has ended yet.
        """
        if not self.runs:
            raise HarnessError("no run has ended yet\n  How to fix: call `sim.run(...)` first")
        return self.runs[-1]

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
        match = Match(
            system=system,
            system_regex=settings.regex("system_regex", system_regex),
            model=model,
            tools=settings.names("tools", tools),
            headers=dict(headers or {}),
            when=when,
        )
        self._roles.append(
            Role(
                name=name,
                content=settings.content(
                    name, reply, [settings.tool_call(call) for call in tool_calls]
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
        api: ApiName | None = None,
        hosts: Sequence[str] = (),
        paths: Sequence[str] = (),
        **options: Any,  # noqa: ANN401 - what the API understands
    ) -> None:
        """Say how a provider behaves; `anthropic` and `openai` are there by themselves, without limits.

        Args:
            name: Its name; another than those two needs `api` and `hosts`.
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
            paths: Base paths of its URLs, such as `/openai/v1`; empty means the API's own at its own hosts, and any
                elsewhere.
            options: What the API is told, such as `message_threads=False` for Anthropic's.

        Raises:
            HarnessError: A value is wrong, or a program has connected already.
        """
        self._check_unsettled()
        speaks = api or _APIS.get(name)
        known = self._providers.get(name)
        if speaks is None or speaks not in _APIS.values() or (known is None and not hosts):
            raise HarnessError(
                f"nobody knows the provider {name!r}{did_you_mean(name, self._providers)}\n"
                "  How to fix: say which API it speaks and where: "
                f'sim.provider({name!r}, api="openai", hosts=["api.example.com"])'
            )
        self._providers[name] = WireProvider(
            name=name,
            api=speaks,
            hosts=frozenset(map(settings.host, settings.texts("hosts", hosts)))
            | (known.hosts if known else frozenset()),
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
        for name in modules:
            check_importable(name)
        self._fresh += modules

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

    # -- running ------------------------------------------------------------------------------------------------------

    def run(
        self,
        program: Coroutine[Any, Any, Any] | Callable[..., Any],
        *args: Any,  # noqa: ANN401 - the program's
        seed: int | None = None,
        horizon_s: float | None = None,
        calls_per_task: int | None = None,
        **kwargs: Any,  # noqa: ANN401 - the program's
    ) -> ProgramRun:
        """Run a program to its end in virtual time.

        Args:
            program: A coroutine, or a function; one that is not async may call `asyncio.run` itself.
            args: What the function is called with.
            seed: Another seed than the test's.
            horizon_s: Virtual time that it may not pass [s]; None means what holds for all runs of the test.
            calls_per_task: How many calls it may make; likewise.
            kwargs: What the function is called with.

        Returns:
            The run; also in `last_run`, and there even if the program raised.

        Raises:
            Exception: Whatever the program raised.
            LimitExceeded: It passed a bound; says what every task was doing, and which calls repeat.
            NotSimulated: There is a run already.
        """
        if self._world is not None:
            if inspect.iscoroutine(program):
                close_if_unstarted(program)
            _refuse_nesting()
        if horizon_s is None:
            horizon_s = self.horizon_s
        if calls_per_task is None:
            calls_per_task = self.calls_per_task
        world = WiredWorld(
            self.seed if seed is None else settings.seed(seed),
            providers=self._providers,
            roles=self._roles,
            faults=self._faults,
            latency_factors=self._latency_factors,
            horizon_s=settings.seconds("horizon_s", horizon_s),
            calls_per_task=settings.count("calls_per_task", calls_per_task),
        )
        began_s = wall.elapsed_s()
        for replies in self._replies():
            replies.begin_anew()
        arguments = undo.state_of(program, args, kwargs) if callable(program) else None
        whole: Any = program
        output, error, tasks = None, None, ""
        watch = Watch()
        self._world = world
        try:
            with (
                undo.around_run(world.seed, self._module) as ends,
                connected(world, SEAMS),
                described(world, self._processes),
                provided_environment(),
                replaced(self._tools),
            ):
                if self._fresh:
                    whole = self._on_fresh_modules(ends, watch, program, args, kwargs)
                elif not inspect.iscoroutine(program):
                    whole = bind(program, args, kwargs)
                output = run_program(world.kernel, watch.over(whole), seed=world.seed)
        except BaseException as raised:
            error, tasks = raised, getattr(raised, "report", "") or watch.tasks
            raise
        finally:
            self._world = None
            if inspect.iscoroutine(whole):
                close_if_unstarted(whole)
            world.end()
            again = partial(
                self.run,
                program,
                *args,
                seed=world.seed,
                horizon_s=horizon_s,
                calls_per_task=calls_per_task,
                **kwargs,
            )
            rerun = None
            if arguments is not None:
                arguments.note_end_of_run()
                rerun = self._under(again, arguments)
            self._note(world, output, error, tasks, rerun, wall.elapsed_s() - began_s)
        return self.last_run

    def so_far(self) -> ProgramRun:
        """The run that goes on, as far as it has come; for async tests, whose body is the program."""
        if self._world is None:
            raise HarnessError("there is no run; `last_run` is the one that has ended")
        return self._seen(self._world)

    def _on_fresh_modules(
        self,
        ends: ExitStack,
        watch: Watch,
        program: Any,  # noqa: ANN401 - a coroutine, or a function
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Callable[[], Any]:
        """A program that first imports modules anew; the world is there when it does."""
        if inspect.iscoroutine(program):
            check_not_bound(program, self._fresh)

        def begin() -> Any:  # noqa: ANN401 - a coroutine, or what the program returns
            known, self._renewal = (
                self._renewal,
                ends.enter_context(imported_anew(self._fresh, undo.reaches)),
            )
            if inspect.iscoroutine(program):
                return watch.over(program)
            # A test that has imported it knows it as the run before left it.
            old = program if known is None else known.old(program)
            whole = bind(self._renewal.new(old), args, kwargs)
            return watch.over(whole) if inspect.iscoroutine(whole) else whole()

        return begin

    def _under(
        self, again: Callable[[], ProgramRun], arguments: State
    ) -> Callable[[Fault], ProgramRun]:
        """Runs the program again under one fault more, which comes first, and leaves no trace of it."""

        def rerun(fault: Fault) -> ProgramRun:
            noted, met = self.runs[:], set(self._met)
            used = [(replies, replies.used) for replies in self._replies()]
            uses: list[list[Any]] = [one.uses for one in self._tools]
            uses += [one.uses for one in self._processes]
            before = [made[:] for made in uses]
            self._faults.insert(0, fault)
            try:
                with suppress(Exception), undo.once_more(arguments):  # the error is in the run
                    again()
                assert len(self.runs) > len(noted), "a run leaves a trace, whatever it raises"
                return self.last_run
            finally:
                del self._faults[0]
                self.runs, self._met = noted, met
                for replies, number in used:
                    replies.used = number
                for made, kept in zip(uses, before, strict=True):
                    made[:] = kept

        return rerun

    def _note(
        self,
        world: WiredWorld,
        output: Any,  # noqa: ANN401 - the program's
        error: BaseException | None,
        tasks: str,
        rerun: Callable[[Fault], ProgramRun] | None,
        wall_s: float,
    ) -> None:
        root = world.root.span
        if error is not None:
            root.error = type(error).__name__
        status = OK if error is None else ERROR if isinstance(error, Exception) else CANCELLED
        world.log.close(root, status)
        self._met |= world.faults_met
        self.runs.append(self._seen(world, output, error, tasks, rerun, wall_s))

    def _seen(
        self,
        world: WiredWorld,
        output: Any = None,  # noqa: ANN401 - the program's
        error: BaseException | None = None,
        tasks: str = "",
        rerun: Callable[[Fault], ProgramRun] | None = None,
        wall_s: float = 0.0,
    ) -> ProgramRun:
        return ProgramRun(
            seed=world.seed,
            output=output,
            error=error,
            latency_s=world.kernel.now_s() - world.root.span.arrival_s,
            spans_table=world.log.spans,
            events_table=world.log.events,
            all_calls=CallList(map(CallView, world.calls)),
            unsimulated=dict(world.unsimulated),
            faults_met=frozenset(world.faults_met),
            command=self.command,
            described=tuple(role.name for role in self._roles),
            wall_s=wall_s,
            kept=None if output is None else world.kept_in(str(output)),
            rerun=rerun,
            tasks=tasks,
            effects=tuple(world.effects),
        )

    def _replies(self) -> list[Replies]:
        return [role.content for role in self._roles if isinstance(role.content, Replies)]

    def use_scenario(self, path: str | Path) -> None:
        """Take providers, models, agents with their rules and their speed, and faults from a scenario file."""
        from harness.run.surroundings import surroundings
        from harness.scenario import load_scenario
        from harness.sim.stub_functions import StubFunctions

        scenario = load_scenario(path)
        found = surroundings(scenario, StubFunctions(scenario).find)
        self._providers.update(found.providers)
        self._roles.extend(found.roles)
        self._may_be_unused.update(found.may_be_unused)
        self._latency_factors.update(found.latency_factors)
        for fault in found.faults:
            self._faults.append(fault)
            if fault.probability < 1.0:  # the file is for many runs, and this may be one
                self._met.add(len(self._faults))

    def tell_failure(self, *, with_timeline: bool = True) -> str:
        """What happened last, what each task was doing, and how to run it again; for the report of a failed test."""
        lines = [f"To replay: {self.command}"] if self.command else []
        if not self.runs:
            return "\n".join([*lines, "No run has ended."])
        run = self.last_run
        lines.append(f"Seed {run.seed}, virtual time {run.latency_s:.6f} s.")
        if with_timeline:
            lines += ["The last calls:", run.timeline(last=_LAST_LINES)]
        if run.tasks and run.tasks not in str(run.error):
            lines += ["Tasks when it failed:", run.tasks]
        return "\n".join(lines)

    # -- at the end of a test -----------------------------------------------------------------------------------------

    def check(self) -> None:
        """Complain about what was said and never needed: it did not test what its author thinks.

        Raises:
            HarnessError: Agents that were never called, replies that were never given, processes that were never run,
                faults that met nothing.
        """
        __tracebackhide__ = True
        check_all_needed(
            self.runs, self._roles, self._may_be_unused, self._processes, self._faults, self._met
        )


def _refuse_nesting() -> NoReturn:
    raise NotSimulated(
        "a run inside a run", "let the program call its parts itself; one run simulates all of them"
    )
