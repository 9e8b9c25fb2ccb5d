"""Conformance checks for those who write patterns, policies and faults of their own.

from harness.testing import check_pattern, check_policy

def test_race():
    check_pattern(Race(runners=("a", "b")), {"a": "tortoise", "b": "hare"})

def test_slow_start():
    check_policy(lambda call, log, draws: with_slow_start(call, log))
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any

from harness import wall
from harness.agents import Agent, Message, Task
from harness.chance import Draws
from harness.errors import HarnessError
from harness.fault_check import FaultCheckError, check_fault
from harness.kernel import Kernel, run
from harness.models import CALL_ERRORS, ModelError, Reply, Request, ToolCall
from harness.patterns import Member, NestedTeam, Pattern, PatternError
from harness.patterns.single import Single
from harness.resilience import Policies
from harness.resilience.conformance import Around, PolicyCheck
from harness.spans import AGENT, CANCELLED, ERROR, OK, SpanLog, as_json_lines

__all__ = [
    "SIMULATED_ERRORS",
    "FaultCheckError",
    "PatternCheckError",
    "Says",
    "check_fault",
    "check_pattern",
]

Says = str | Reply | Callable[[str], str | Reply]
"""What an agent says: a text, a whole reply, or what follows from the prompt."""

SIMULATED_ERRORS = (*CALL_ERRORS, PatternError)
"""What the run of a pattern may fail with."""

_CALL_S = 1.0
"""How long the first agent takes; each next one takes a quarter of it more."""
_TURNS_TO_END = 3
"""Turns of the loop that a task which was cancelled has to end."""
_FAILURE = ModelError("api_error", 500, "a call that was made to fail")


class PatternCheckError(HarnessError):
    """A pattern does not do what every pattern must; says what, and how to mend it."""


class _Bug(Exception):  # noqa: N818 - it stands for any bug
    """A bug."""


def check_pattern(
    pattern: Pattern,
    replies: Mapping[str, Says | Sequence[Says]],
    *,
    tools: Mapping[str, str] | None = None,
    answer: str | None = None,
) -> None:
    """Check that a pattern does what every pattern must, with agents that say what they are told to say.

    It is run some ten times, in virtual time and once on asyncio's own loop, and looked at: whether the record is frozen and
    stays as it is; whether one play gives one execution; whether tasks that come together disturb one another; whether a
    failure of any agent ends the task or is coped with; whether an exception of a bug is passed on; whether nothing
    goes on once the task is over or given up; whether a team may stand where an agent does.

    Args:
        pattern: What is checked.
        replies: What each agent of its team says: one thing, or one a call in the same task, the last for ever.
        tools: What each tool of the agents answers.
        answer: What the text of the answer must be; None for any.

    Raises:
        PatternCheckError: It does not; says what, why and how to mend it.
    """
    plays = _Plays(pattern, {name: _listed(says) for name, says in replies.items()}, tools or {})
    plays.check_record()
    first = plays.check_answer(answer)
    plays.check_again(first)
    plays.check_stock_loop(first)
    plays.check_two_tasks(first)
    plays.check_teams(first)
    for name in replies:
        plays.check_failure(name)
        plays.check_mistake(name)
    plays.check_given_up(first)
    plays.check_unchanged()


def check_policy(around: Around, *, reply: str = "fine", goes_on: bool = False) -> None:
    """Check that a policy does what every policy must, around a call that does what it is told.

    It is run some ten times, in virtual time and once on asyncio's own loop, and looked at: whether a reply comes through; whether
    one play gives one execution; whether a failure is coped with, or raised as production would; whether a mistake in somebody's
    code is passed on; whether calls at once all end; whether a call that is cancelled ends, and gives back what it held.

    Args:
        around: Puts the policy around a call, such as `lambda call, log, draws: with_retry(call, Retry(), log, draws)`.
        reply: A reply that the policy takes.
        goes_on: Whether it may work on when its caller has an answer.

    Raises:
        PolicyCheckError: It does not; says what, why and how to mend it.
    """
    PolicyCheck(around, reply, goes_on).all()


def _listed(says: Says | Sequence[Says]) -> Sequence[Says]:
    return (says,) if isinstance(says, str | Reply) or callable(says) else says


@dataclass(frozen=True, slots=True)
class _Played:
    """What came of a play."""

    answers: list[Message]
    error: Exception | None
    took_s: float
    spans: str
    left: list[str]
    """The statuses of turns that did not end, and names of tasks that went on."""


class _Plays:
    """A pattern, and the agents that it is tried with."""

    def __init__(
        self, pattern: Pattern, replies: Mapping[str, Sequence[Says]], tools: Mapping[str, str]
    ) -> None:
        self._pattern = pattern
        self._replies = replies
        self._tools = {name: _Tool(result) for name, result in tools.items()}
        self._record = repr(pattern)

    def check_record(self) -> None:
        """It is a frozen record with an async method `run`."""
        kind = type(self._pattern)
        parameters = getattr(kind, "__dataclass_params__", None)
        if not is_dataclass(self._pattern) or parameters is None or not parameters.frozen:
            self._fail(
                "it is no frozen dataclass",
                "its fields are the keys of a scenario file, and all tasks share it",
                "put `@dataclass(frozen=True, slots=True, kw_only=True)` above the class",
            )
        if not inspect.iscoroutinefunction(getattr(kind, "run", None)):
            self._fail(
                "it has no method `async def run(self, task, team)`", "a run awaits it", "write one"
            )

    def check_answer(self, answer: str | None) -> _Played:
        """It gives a message of the task."""
        played = self._simulated()
        if played.error is not None:
            self._fail(
                f"it fails with {played.error!r}",
                "the agents said what `replies` has",
                "mend it, or give replies that it can use",
                played.error,
            )
        said = played.answers[0]
        if not isinstance(said, Message):
            self._fail(
                f"it returns {said!r}", "the answer is a message", "return what an agent said"
            )
        if said.task.number != 1:
            self._fail(
                "its answer is of another task",
                "messages belong to tasks",
                "use `task.reply(...)` or what an agent said",
            )
        if answer is not None and said.text != answer:
            self._fail(
                f"it answers {said.text!r}, not {answer!r}", "`answer` says so", "mend one of them"
            )
        self._check_left(played, "after its answer")
        return played

    def check_again(self, first: _Played) -> None:
        """The same play is the same execution."""
        if self._simulated().spans != first.spans:
            self._fail(
                "the same play gives another execution",
                "it draws, reads a clock, iterates a set or keeps something between tasks",
                "decide by order of listing or by a field; keep what a task needs in variables of `run`",
            )

    def check_stock_loop(self, first: _Played) -> None:
        """It runs on asyncio's own loop."""
        played = self._on_stock_loop()
        if played.error is not None or played.answers[0].text != first.answers[0].text:
            said = played.error or played.answers[0].text
            self._fail(
                f"on asyncio's own loop it gives {said!r}, in simulation {first.answers[0].text!r}",
                "a pattern knows nothing of the simulation",
                "use plain asyncio, and decide by what agents say and not by when",
                played.error,
            )
        self._check_left(played, "on asyncio's own loop")

    def check_two_tasks(self, first: _Played) -> None:
        """Tasks at the same time are as alone."""
        played = self._simulated(tasks=2)
        if (
            played.error is not None
            or [said.text for said in played.answers] != [first.answers[0].text] * 2
        ):
            self._fail(
                "two tasks at the same time disturb one another",
                f"alone each is answered {first.answers[0].text!r}",
                "keep what a task needs in variables of `run`, not in the record or its module",
                played.error,
            )

    def check_teams(self, first: _Played) -> None:
        """A team may stand where an agent does."""
        played = self._simulated(in_teams=True)
        if isinstance(played.error, PatternError) and "needs an agent there" in str(played.error):
            return  # it says so itself
        if played.error is not None or played.answers[0].text != first.answers[0].text:
            self._fail(
                "it does not take a team where an agent could stand",
                "patterns nest: a member has `name` and `handle`, and no more",
                "call `handle`, or fetch the agent with `agent_in(team, name)`, which says what is wrong",
                played.error,
            )

    def check_failure(self, name: str) -> None:
        """A failure of an agent ends the task with a simulated error, or is coped with."""
        played = self._simulated(failing={name: _FAILURE})
        if played.error is not None and not isinstance(played.error, SIMULATED_ERRORS):
            self._fail(
                f"when {name} fails it raises {played.error!r}",
                "that is taken for a mistake in the program and ends the whole run",
                "let the error of `handle` pass, or raise a subclass of PatternError",
                played.error,
            )
        self._check_left(played, f"when {name} fails")

    def check_mistake(self, name: str) -> None:
        """An exception of a bug is not treated as a failure of an agent."""
        called, played = self._called(failing={name: _Bug("a mistake")})
        if name in called and not isinstance(played.error, _Bug):
            self._fail(
                f"it hides a mistake in the code behind {name}",
                "an error that is neither a ModelError, a TimeoutError nor a PatternError is a mistake",
                "catch those alone, not `Exception`",
                played.error,
            )

    def check_given_up(self, first: _Played) -> None:
        """Whoever gives up on the task ends all that is done for it."""
        if first.took_s > 0:
            played = self._simulated(give_up_after_s=first.took_s / 2)
            self._check_left(played, "when somebody gives up on the task")

    def check_unchanged(self) -> None:
        """The record is as before."""
        if repr(self._pattern) != self._record:
            self._fail(
                f"its record has changed: {self._record} is now {self._pattern!r}",
                "all tasks share it",
                "keep what a task needs in variables of `run`",
            )

    def _check_left(self, played: _Played, when: str) -> None:
        if played.left:
            self._fail(
                f"{when} something goes on: {', '.join(played.left)}",
                "it would make calls that nobody waits for, and pay for them",
                "await all tasks that `run` has started, and cancel them in a `finally`",
            )

    def _fail(self, what: str, why: str, how: str, cause: Exception | None = None) -> None:
        raise PatternCheckError(
            f"{type(self._pattern).__name__}: {what}\n  Why: {why}\n  How to fix: {how}"
        ) from cause

    def _simulated(
        self,
        *,
        tasks: int = 1,
        failing: Mapping[str, Exception] | None = None,
        in_teams: bool = False,
        give_up_after_s: float | None = None,
    ) -> _Played:
        kernel = Kernel()
        log = SpanLog(kernel.now_s)
        team = self._team(log, failing or {}, _CALL_S, in_teams=in_teams)
        return run(kernel, self._play(log, team, tasks, give_up_after_s))

    def _called(self, failing: Mapping[str, Exception]) -> tuple[set[str], _Played]:
        """Whose turns have failed, and what came of it."""
        kernel = Kernel()
        log = SpanLog(kernel.now_s)
        team = self._team(log, failing, _CALL_S)
        played = run(kernel, self._play(log, team, 1, None))
        ended = log.spans.rows("kind", "agent", "status")
        asked = {agent for kind, agent, status in ended if kind == AGENT and status == ERROR}
        return asked, played

    def _on_stock_loop(self) -> _Played:
        log = SpanLog(wall.elapsed_s)
        play = self._play(log, self._team(log, {}, 0.0), 1, None)
        return asyncio.run(play)  # noqa: TID251 - the point is asyncio's own loop

    def _team(
        self,
        log: SpanLog,
        failing: Mapping[str, Exception],
        takes_s: float,
        *,
        in_teams: bool = False,
    ) -> dict[str, Member]:
        agents: dict[str, Member] = {
            name: Agent(
                name,
                _Speaker(says, takes_s * (1 + place / 4), failing.get(name)),
                "model",
                log,
                Draws(1),
                Policies(),
                tools=self._tools,
            )
            for place, (name, says) in enumerate(self._replies.items())
        }
        if not in_teams:
            return agents
        return {name: NestedTeam(name, Single(agent=name), agents, log) for name in agents}

    async def _play(
        self, log: SpanLog, team: Mapping[str, Member], tasks: int, give_up_after_s: float | None
    ) -> _Played:
        began_s = log.clock()
        roots = [log.open_task("task", number) for number in range(1, tasks + 1)]
        runs: list[Coroutine[Any, Any, Message]] = [
            self._pattern.run(
                Message.of_text(Task(span.task, "task", span), "user", "the task"), team
            )
            for span in roots
        ]
        error: Exception | None = None
        answers: list[Message] = []
        try:
            async with asyncio.timeout(give_up_after_s):
                answers = list(await asyncio.gather(*runs))
        except Exception as raised:  # noqa: BLE001 - it is looked at
            error = raised
        took_s = log.clock() - began_s
        for _ in range(_TURNS_TO_END):
            await asyncio.sleep(0)
        left = [
            task.get_coro().__qualname__  # type: ignore[union-attr]  # tasks have coroutines
            for task in asyncio.all_tasks()
            if task is not asyncio.current_task() and not task.done()
        ]
        for span in roots:
            log.close(span, OK if error is None else CANCELLED)
        spans = as_json_lines(log.spans) + as_json_lines(log.events)
        return _Played(answers, error, took_s, spans, sorted(left))


class _Speaker:
    """A model that says what it is told to say, the same in every task."""

    def __init__(self, says: Sequence[Says], takes_s: float, failure: Exception | None) -> None:
        self._says = says
        self._takes_s = takes_s
        self._failure = failure

    async def reply(self, request: Request) -> Reply:
        await asyncio.sleep(self._takes_s)
        if self._failure is not None:
            raise self._failure
        said = self._says[min(request.call_in_task, len(self._says)) - 1]
        if callable(said):
            said = said(request.prompt)
        return said if isinstance(said, Reply) else Reply(said)


class _Tool:
    """A tool with one answer."""

    def __init__(self, result: str) -> None:
        self._result = result

    async def use(self, call: ToolCall, key: str) -> str:
        await asyncio.sleep(0)
        return self._result
