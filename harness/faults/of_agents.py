"""Faults of agents at work: calls fail while their agents are down."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from harness.chance import Draws
from harness.faults.api import AgentFault, Break, Fail
from harness.faults.chooser import Chooser
from harness.faults.inject import PlannedFault
from harness.faults.selector import Occurrence
from harness.models import ModelError, Reply, Request
from harness.models.verdict import Damage, Judge, Verdict
from harness.provider import Refusal
from harness.provider.service import REFUSAL_S
from harness.spans import Span, SpanLog

At = Callable[[float, Callable[[], None]], None]
"""Lets something happen at a time [s]."""


class AgentDown(ModelError):  # noqa: N818 - names the condition
    """The agent does not work; a simulated error.

    Args:
        agent: Its name.
    """

    def __init__(self, agent: str) -> None:
        super().__init__("agent_down", None, f"{agent} is down")
        self.args = (agent,)  # of this constructor, so that it survives `pickle`

    @property
    def is_retryable(self) -> bool:
        """Never: whoever would try again is down itself."""
        return False


class AgentFaults:
    """The faults of agents of one run.

    Args:
        planned: The whole plan.
        draws: Source of random values.
        log: Where it is noted that one has met something.
        at: Lets something happen at a time [s]; of a program, whose calls are cut then.
    """

    def __init__(
        self, planned: Sequence[PlannedFault], draws: Draws, log: SpanLog, at: At | None = None
    ) -> None:
        self.chooser = Chooser(planned, AgentFault, draws, log)
        self._log = log
        self._at = at
        self._until_s: dict[str, float] = {}
        """By agent that has crashed, when it works again [s]."""
        self._open: dict[str, list[asyncio.Timeout]] = {}
        """By agent, the calls that a crash would end."""
        self._answered: dict[str, list[Request]] = {}
        """By agent, the calls of a program that a crash would cut, and some that are over."""
        self._forgot: list[str] = []
        """Who has crashed and lost its memory, each time."""
        self._told: dict[tuple[int, str], int] = {}
        """By task and agent, how often the agent had lost its memory when it was last called."""

    def has_forgotten(self, agent: str, task: int) -> bool:
        """Whether an agent has lost its memory since its last call in a task.

        Args:
            agent: The agent.
            task: The number of the task.
        """
        now_s = self._log.clock()
        windows = [
            number
            for number, fault in self.chooser.numbered
            if fault.interruption().is_window
            and fault.interruption().loses_memory
            and fault.is_of(agent)
            and fault.from_s <= now_s
        ]
        times = len(windows) + sum(name == agent for name in self._forgot)
        before = self._told.get((task, agent), times)
        self._told[task, agent] = times
        if times > before:
            self.chooser.met.update(windows)
        return times > before

    async def call(self, request: Request, go_on: Callable[[Request], Awaitable[Reply]]) -> Reply:
        """Make a call of an agent that may be down, or come down meanwhile.

        Raises:
            AgentDown: It is, or does.
        """
        agent, span = request.agent, request.call_span
        met = self._occurrence(request)
        if self._is_down(agent) or self._window_is_on(met, span):
            await asyncio.sleep(REFUSAL_S)
            raise AgentDown(agent)
        ends = asyncio.timeout(None)
        try:
            async with ends:
                scopes = self._open.setdefault(agent, [])
                scopes.append(ends)
                try:
                    self._plan_end(met, span, ends)
                    return await go_on(request)
                finally:
                    scopes.remove(ends)
        except TimeoutError:
            if ends.expired():
                raise AgentDown(agent) from None
            raise

    def restarts_after(self, now_s: float) -> bool:
        """Whether an agent that has crashed works again at a known time after this [s]."""
        return any(now_s < until_s < math.inf for until_s in self._until_s.values())

    def _plan_end(self, met: Occurrence, span: Span, ends: asyncio.Timeout) -> None:
        """Let a call end when its agent comes down: at the beginning of a window, or by a crash in this call."""
        loop = asyncio.get_running_loop()
        crash = self.chooser.choose(met, lambda fault: not fault.interruption().is_window, span)
        if crash is not None:
            loop.call_at(
                self._log.clock() + crash.interruption().after_s, self._crash, met.agent, crash
            )
        later = self.chooser.next_after(
            met, self._log.clock(), lambda fault: fault.interruption().is_window
        )
        if later is not None:
            at_s, number = later
            ends.reschedule(at_s)
            loop.call_at(at_s, self._note_window, ends, number, span)

    def _note_window(self, ends: asyncio.Timeout, number: int, span: Span) -> None:
        if not span.status:
            self.chooser.note(number, span)

    def _crash(self, agent: str, fault: AgentFault) -> None:
        now_s, what = self._log.clock(), fault.interruption()
        for one in fault.agents or (agent,):
            self._until_s[one] = now_s + what.for_s
            if what.loses_memory:
                self._forgot.append(one)
            for call in self._open.get(one, ()):
                if not call.expired():
                    call.reschedule(now_s)
            for request in self._answered.get(one, ()):
                _cut(request, "crash")

    # -- of a program -----------------------------------------------------------------------------------------------

    def judge(self, otherwise: Judge) -> Judge:
        """The plan of attempts, under which agents that are down find no connection.

        Args:
            otherwise: The plan of what else happens to attempts.
        """

        def judge(request: Request) -> tuple[str, Verdict] | None:
            agent = request.agent
            if self._is_down(agent):
                return "crash", _no_connection("refused")
            met = self._occurrence(request)
            if self._window_is_on(met, None):
                return "down", _no_connection("refused")
            is_first = (
                request.attempt == 1
            )  # a call that is tried again has crashed its agent already
            crash = self.chooser.choose(
                met, lambda fault: is_first and not fault.interruption().is_window
            )
            if crash is not None and not crash.interruption().after_s:
                self._crash(agent, crash)
                return "crash", _no_connection("reset")
            self._plan_cuts(met, request, crash)
            return otherwise(request)

        return judge

    def _plan_cuts(self, met: Occurrence, request: Request, crash: AgentFault | None) -> None:
        """Let an attempt end when its agent comes down: by a crash in it, at the beginning of a window, or by the crash of another."""
        assert self._at is not None, "a program has a clock"
        others = [one for one in self._answered.get(met.agent, ()) if one.cut is not None]
        self._answered[met.agent] = [*others, request]
        if crash is not None:
            at_s = self._log.clock() + crash.interruption().after_s
            self._at(at_s, partial(self._crash, met.agent, crash))
        later = self.chooser.next_after(
            met, self._log.clock(), lambda fault: fault.interruption().is_window
        )
        if later is not None:
            at_s, number = later
            self._at(at_s, partial(self._begin_window, number, request, request.attempt))

    def _begin_window(self, number: int, request: Request, attempt: int) -> None:
        if request.attempt == attempt and request.cut is not None:
            self.chooser.note(number, request.span)
            _cut(request, "down")

    def _occurrence(self, request: Request) -> Occurrence:
        return Occurrence(
            request.agent,
            request.call_span.task,
            request.customer,
            request.call_in_run,
            request.key,
            request.address,
        )

    def _is_down(self, agent: str) -> bool:
        return self._log.clock() < self._until_s.get(agent, -math.inf)

    def _window_is_on(self, met: Occurrence, span: Span | None) -> bool:
        return (
            self.chooser.choose(met, lambda fault: fault.interruption().is_window, span) is not None
        )


def _cut(request: Request, fault: str) -> None:
    if request.cut is not None:
        request.span.fault = fault
        request.cut()


def _no_connection(damage: Damage) -> Break:
    return Break(damage, Fail(Refusal("connection_error")))
