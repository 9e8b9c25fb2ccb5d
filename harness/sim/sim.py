"""`Sim`, the object behind the `sim` fixture: it describes a program's environment and runs the program."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from harness import wall
from harness.chance.choices import Choices
from harness.chance.chosen_draws import draws_of
from harness.environment import provided_environment
from harness.errors import HarnessError, NotSimulated
from harness.faults import InjectedFault
from harness.kernel.kernel import (
    DEFAULT_CALLS_PER_TASK,
    DEFAULT_HORIZON_S,
    DEFAULT_REPEATS_PER_TASK,
)
from harness.metrics.stood_out import note_at_end
from harness.rollback.state import State
from harness.run import numbers
from harness.run.commands import described
from harness.run.program_world import ProgramWorld
from harness.run.replacing import replaced
from harness.sim import settings
from harness.sim.call_view import CallList, CallView
from harness.sim.check import check_all_needed
from harness.sim.effects import EffectList
from harness.sim.failure import describe
from harness.sim.peers import serving
from harness.sim.program import Watch, close_if_unstarted
from harness.sim.program_run import ProgramRun
from harness.sim.settings import Order
from harness.sim.surroundings import Surroundings
from harness.sim.undo import undo
from harness.spans import CANCELLED, ERROR, OK
from harness.texts import no_texts
from harness.virtual.world import choose_order, record_order, run_program
from harness.wire import SEAMS, connected

if TYPE_CHECKING:
    from harness.explore.exploration import Exploration, Finding
    from harness.sim.exploring import Explored


class Sim(Surroundings):
    """The simulated environment of a program; one per test.

    Args:
        seed: The integer from which all random values are derived.
        command: The command that reruns the test.
        module: The name of the module that the test is in.
        horizon_s: Virtual time that no run may pass [s].
        calls_per_task: How many calls each run may make.
        repeats_per_task: How many calls in a row may bring a run nothing new: equal requests with equal outcomes.
        order: Which of several ready threads runs next: the one that was ready first (`"arrival"`), or one that the seed
            chooses (`"random"`), so that some seed finds the order that breaks a program.
        allow_unmatched: Whether a call that matches no described agent is answered by a made-up one, which is called
            `unmatched:...`. Otherwise it is an error, as soon as one agent is described.
        keep_texts: Whether stored runs include prompts and replies, without secrets.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        command: str = "",
        module: str = "__main__",
        horizon_s: float = DEFAULT_HORIZON_S,
        calls_per_task: int = DEFAULT_CALLS_PER_TASK,
        repeats_per_task: int = DEFAULT_REPEATS_PER_TASK,
        order: Order = "arrival",
        allow_unmatched: bool = False,
        keep_texts: bool = False,
    ) -> None:
        self.seed = numbers.seed(seed)
        self.command = command
        self.horizon_s = settings.seconds("horizon_s", horizon_s)
        self.calls_per_task = settings.count("calls_per_task", calls_per_task)
        self.repeats_per_task = settings.count("repeats_per_task", repeats_per_task)
        self.order = settings.order(order)
        super().__init__(allow_unmatched=allow_unmatched)
        self._module = module
        self._keep_texts = keep_texts
        self._explored: Explored | None = None
        self.explore_budget: dict[str, float] = {}
        """What the command line or a marker states of `explore`: `runs`, `wall_s`."""
        self.explore_cases: Path | None = None
        """The folder in which the findings of `explore` are kept."""
        self.explore_replay: str | None = None
        """The token of a finding that `explore` runs again instead of searching."""
        self.runs: list[ProgramRun] = []
        """All runs of this test."""

    def __setattr__(self, name: str, value: object) -> None:
        """Set what a test may change, such as `allow_unmatched`.

        Raises:
            HarnessError: There is nothing of this name to set; it would have no effect.
        """
        settings.check_settable(type(self), name)
        super().__setattr__(name, value)

    @property
    def last_run(self) -> ProgramRun:
        """The latest run, whether it returned or raised.

        Raises:
            HarnessError: No run has ended yet.
        """
        if not self.runs:
            raise HarnessError("no run has ended yet\n  How to fix: call `sim.run(...)` first")
        return self.runs[-1]

    # -- running ------------------------------------------------------------------------------------------------------

    def run(
        self,
        program: Coroutine[object, None, Any] | Callable[..., object],
        *args: object,
        seed: int | None = None,
        horizon_s: float | None = None,
        calls_per_task: int | None = None,
        order: Order | None = None,
        choices: Choices | None = None,
        **kwargs: object,
    ) -> ProgramRun:
        """Run a program to its end in virtual time.

        Args:
            program: A coroutine, or a function; one that is not async may call `asyncio.run` itself.
            args: What the function is called with.
            seed: Another seed than the test's.
            horizon_s: Virtual time that it may not pass [s]; None means what holds for all runs of the test.
            calls_per_task: How many calls it may make; likewise.
            order: Which of several ready threads runs next; likewise.
            choices: Overrides of single choices, and the record of all; None means neither.
            kwargs: What the function is called with.

        Returns:
            The run; also in `last_run`, and there even if the program raised.

        Raises:
            Exception: Whatever the program raised.
            LimitExceeded: It exceeded a limit; the message shows what every task was doing, and which calls repeat.
            NotSimulated: There is a run already.
        """
        if self._world is not None:
            if inspect.iscoroutine(program):
                close_if_unstarted(program)
            _refuse_nesting()
        bounds = (
            self.seed if seed is None else numbers.seed(seed),
            self.horizon_s if horizon_s is None else horizon_s,
            self.calls_per_task if calls_per_task is None else calls_per_task,
            self.order if order is None else settings.order(order),
            choices,
        )
        world = self._new_world(*bounds)
        began_s = wall.elapsed_s()
        watch = Watch()
        in_fresh = [tool for tool in self._tools if self._fresh.has(tool.replaces)]
        replacements = ExitStack()
        put_in = partial(_enter, replacements, in_fresh)
        whole = self._fresh.under(program, args, kwargs, watch.over, put_in)
        output, error, tasks, rerun = None, None, "", None
        self._world = world
        try:
            with (
                undo.around_run(world.seed, self._module, (program, args, kwargs)) as arguments,
                connected(world, SEAMS),
                serving(world, self._mcp_servers, self._a2a_agents) as servers,
                described(world, self._processes, servers),
                provided_environment(),
                replacements,
                replaced(tool for tool in self._tools if tool not in in_fresh),
            ):
                if callable(program):
                    rerun = self._under(self._again(bounds, program, args, kwargs), arguments)
                output = run_program(world.kernel, watch.over(whole), seed=world.draws)
        except BaseException as raised:
            output, error = None, raised
            tasks = getattr(raised, "report", "") or watch.tasks_at(raised)
            raise
        finally:
            self._world = None
            if inspect.iscoroutine(whole):
                close_if_unstarted(whole)
            world.end()
            if self._cassette is not None:
                self._cassette.end_run()
            self._note(world, output, error, tasks, rerun, wall.elapsed_s() - began_s)
        return self.last_run

    def explore(
        self,
        program: Callable[..., Any],
        *args: object,
        check: Callable[..., object] | None = None,
        runs: int | None = None,
        wall_s: float | None = None,
        faults: Collection[str] | None = None,
        limits: Mapping[str, float] | None = None,
        seed: int | None = None,
        at_most: int | None = None,
        cases: str | Path | None = None,
        jobs: int = 1,
        on_finding: Callable[[Finding], object] | None = None,
    ) -> Exploration:
        """Search for the least bad luck that breaks a program: faults, latencies, order, cancellations, lost answers.

        Args:
            program: A function; one that is not async may call `asyncio.run` itself.
            args: What it is called with.
            check: Called with the output of every run that ended well; raises or returns False if the output is wrong.
            runs: How many runs the search may make, those for shrinking not counted; None means what the marker `sim_explore`
                says, or 300. `--sim-explore-budget` comes first.
            wall_s: How long it may take [s]; None means likewise, or 60.
            faults: Names of the faults that may be injected, as in `sim.fault`; None means all, and an empty list none.
            limits: What every run must keep, whatever fails: at most so many `calls` and `tokens`, so much `cost_usd` and `latency_s`,
                and `recovery_s` from the end of the last fault to the end of the run. With `recovery_s` a run may go on for as long as a
                fault lasts.
            seed: Another seed than the test's.
            at_most: Ends the search when so many classes of failure were found; None means that it goes on.
            cases: The folder in which findings are kept; those of this test are run first. None means what
                `--sim-explore-cases` says, or that none is kept.
            jobs: How many runs are made at once, in forked processes; what is found does not depend on it.
            on_finding: Called with each finding as it comes.

        Returns:
            What was found, each class of failure once, and how far the search has looked.

        Raises:
            HarnessError: There is no such fault, or the test describes its surroundings wrongly.
        """
        from harness.explore.budget import Budget
        from harness.sim.exploring import Explored, How

        self._explored = Explored(self, program, args, check)
        if self.explore_replay is not None:
            return self._explored.replay(self.explore_replay)
        stated = {
            "runs": 300 if runs is None else runs,
            "wall_s": 60.0 if wall_s is None else wall_s,
        }
        stated |= self.explore_budget
        budget = Budget(
            settings.count("runs", int(stated["runs"])),
            settings.seconds("wall_s", stated["wall_s"]),
            math.inf if at_most is None else settings.count("at_most", at_most),
        )
        return self._explored.search(
            How(
                budget,
                self.seed if seed is None else numbers.seed(seed),
                None if faults is None else settings.names("faults", list(faults)),
                on_finding,
                self.explore_cases if cases is None else Path(cases),
                settings.count("jobs", jobs),
                settings.run_limits(limits or {}),
            )
        )

    def replay_finding(
        self,
        token: str,
        program: Callable[..., Any] | None = None,
        *args: object,
        check: Callable[..., object] | None = None,
    ) -> Exploration:
        """Run a finding of a search again.

        Args:
            token: The finding's.
            program: What was explored; None means what this object has explored last, with its check.
            args: What it is called with.
            check: As in `explore`.

        Returns:
            A search of that one run: its finding, or none if the program has been mended.

        Raises:
            HarnessError: It is no token, or nothing was explored.
        """
        from harness.explore.token import read_token
        from harness.sim.exploring import Explored

        read_token(token)
        explored = self._explored
        if program is not None:
            explored = Explored(self, program, args, check)
        if explored is None:
            raise HarnessError(
                "nothing was explored that could be replayed\n"
                "  How to fix: give sim.replay_finding the program: sim.replay_finding(token, program, check=check)"
            )
        return explored.replay(token)

    def _new_world(
        self,
        seed: int,
        horizon_s: float,
        calls_per_task: int,
        order: Order,
        choices: Choices | None,
    ) -> ProgramWorld:
        for replies in self._replies():
            replies.begin_anew()
        world = ProgramWorld(
            draws_of(seed, choices),
            providers=self._providers,
            roles=self._roles,
            faults=self._faults,
            latency_factors=self._latency_factors,
            horizon_s=settings.seconds("horizon_s", horizon_s),
            calls_per_task=settings.count("calls_per_task", calls_per_task),
            repeats_per_task=settings.count("repeats_per_task", self.repeats_per_task),
            allow_unmatched=self._allow_unmatched,
            keep_texts=self._keep_texts,
            replay=None if self._cassette is None else self._cassette.begin_run(),
        )
        if order == "random":
            choose_order(world.kernel, world.draws)
        elif choices is not None and choices.orders_threads:
            record_order(world.kernel, choices)
        return world

    def _again(
        self,
        bounds: tuple[int, float, int, Order, Choices | None],
        program: Callable[..., object],
        args: tuple[object, ...],
        kwargs: dict[str, Any],
    ) -> Callable[[], ProgramRun]:
        *same, choices = bounds
        if choices is not None:  # what is on record is of this run
            choices = Choices(choices.overrides)
        names = ("seed", "horizon_s", "calls_per_task", "order", "choices")
        again: Any = dict(zip(names, (*same, choices), strict=True))
        return partial(self.run, program, *args, **again, **kwargs)

    def so_far(self) -> ProgramRun:
        """The active run so far; for async tests, whose body is the program."""
        if self._world is None:
            raise HarnessError("there is no run; `last_run` is the one that has ended")
        return self._seen(self._world)

    def _under(
        self, again: Callable[[], ProgramRun], arguments: State
    ) -> Callable[[InjectedFault], ProgramRun]:
        """Run the program again with an additional first fault; the run is not kept."""

        def rerun(fault: InjectedFault) -> ProgramRun:
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
        world: ProgramWorld,
        output: object,
        error: BaseException | None,
        tasks: str,
        rerun: Callable[[InjectedFault], ProgramRun] | None,
        wall_s: float,
    ) -> None:
        root = world.root.span
        if error is not None:
            root.error = type(error).__name__
        status = OK if error is None else ERROR if isinstance(error, Exception) else CANCELLED
        world.log.close(root, status)
        world.ledger.end_task(root, output)
        described = [role.name for role in self._roles if role.name not in self._may_be_unused]
        note_at_end(world.log, expected=described)
        self._met |= world.faults_met
        self.runs.append(self._seen(world, output, error, tasks, rerun, wall_s))

    def _seen(
        self,
        world: ProgramWorld,
        output: object = None,
        error: BaseException | None = None,
        tasks: str = "",
        rerun: Callable[[InjectedFault], ProgramRun] | None = None,
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
            limits={
                name: provider.settings.limits.in_words()
                for name, provider in self._providers.items()
                if provider.settings.limits is not None
            },
            effects=EffectList.of(world.effects, self._names_of_tools()),
            claims_made=tuple(world.ledger.claims),
            injected_calls=tuple(world.ledger.injected),
            texts_table=no_texts() if world.texts is None else world.texts.table,
        )

    def tell_failure(self, error: BaseException | None = None) -> str:
        """The failure report of a test: the verdict, waits, last calls, and the replay command.

        Args:
            error: What the test raised.
        """
        return describe(error, self.runs[-1] if self.runs else None, self.command)

    # -- at the end of a test -----------------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise an error for descriptions that were never used: the test does not test what its author thinks.

        Raises:
            HarnessError: Agents that were never called, replies that were never given, processes that were never run,
                faults that met nothing.
        """
        __tracebackhide__ = True
        check_all_needed(
            self.runs,
            self._roles,
            self._may_be_unused,
            self._processes,
            self._faults,
            self._met,
            self._names_of_tools(),
        )


def _enter(stack: ExitStack, tools: Sequence[Any]) -> None:
    stack.enter_context(replaced(tools))


def _refuse_nesting() -> NoReturn:
    raise NotSimulated(
        "a run inside a run", "let the program call its parts itself; one run simulates all of them"
    )
