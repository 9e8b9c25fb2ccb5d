"""The result of one run of a program: its output, calls and metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from harness.errors import HarnessError, StubError
from harness.faults import InjectedFault
from harness.sim import settings
from harness.sim.advice import calls_in_words, most_at_once, one_after_another, unheard
from harness.sim.cached import CacheTokens
from harness.sim.call_view import CallView, excerpt
from harness.sim.explain import explain
from harness.sim.failure import FailedCheck
from harness.sim.fault_words import in_words, unscripted
from harness.sim.lost import lost_replies
from harness.sim.observed_run import ObservedRun
from harness.sim.survival import problems_under_fault, told, without_allowed
from harness.sim.timeline import Timeline, lines
from harness.units import render

_LINES_MAX = 20
"""How much of a timeline the message of an assertion has."""

_LOST_MAX = 6
"""How many lost replies a message shows."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ProgramRun(ObservedRun):
    """One run of a program."""

    rerun: Callable[[InjectedFault], ProgramRun] | None = None
    """Runs the same program under one fault more, and does not raise; None if it can run only once."""

    def timeline(self, last: int | None = None) -> str:
        """What happened, one line per entry in order of start, with virtual times [s].

        A call has the beginnings of its prompt and its reply, and its attempts below it if it took several.

        Args:
            last: Number of last lines to return.
        """
        return "\n".join(lines(Timeline(self).entries(), last))

    def explain(self) -> str:
        """Where the time and the money went, what went wrong, and what to do about it."""
        return explain(self)

    # -- what can be asserted; each says on failure what happened instead, and how to run it again --------------------

    def assert_called(
        self, agent: str, times: int | None = None, *, at_least: int = 1, at_most: int | None = None
    ) -> None:
        """Assert that an agent made calls.

        Args:
            agent: The agent.
            times: How many exactly; None leaves that open.
            at_least: How many at least.
            at_most: How many at most.
        """
        __tracebackhide__ = True
        made = len(self.calls(agent))
        if times is not None and made != times:
            _fail(self, f"agent {agent!r} made {calls_in_words(made)}, not {times}")
        if times is None and made < at_least:
            _fail(self, f"agent {agent!r} made {calls_in_words(made)}, not {at_least} at least")
        if at_most is not None and made > at_most:
            _fail(self, f"agent {agent!r} made {calls_in_words(made)}, not {at_most} at most")

    def assert_called_with_output_of(self, agent: str, source: str) -> None:
        """Assert that text of a reply to one agent reached a prompt of another."""
        __tracebackhide__ = True
        replied = [call for call in self.calls(source) if call.reply is not None]
        heard = {
            self._by_number(number).agent for call in self.calls(agent) for number in call.heard
        }
        if source not in heard:
            what, advice = unheard(
                agent, source, sorted(heard), len(self.calls(agent)), len(replied)
            )
            _fail(self, what, [advice])

    def assert_parallel(self, *agents: str, at_least: int | None = None) -> None:
        """Assert that calls ran at the same time.

        Args:
            agents: Agents whose calls count; none means all agents.
            at_least: How many at once; None means all of those calls.
        """
        __tracebackhide__ = True
        chosen = [call for agent in agents for call in self.calls(agent)]
        calls = chosen if agents else self.calls()
        wanted = max(2, len(calls)) if at_least is None else at_least
        most = most_at_once(calls)
        if most < wanted:
            whose = ", ".join(agents) or "all agents"
            what = f"at most {most} of {len(calls)} calls of {whose} ran at once, not {wanted}"
            if len(calls) < wanted:
                what = f"there {'was' if len(calls) == 1 else 'were'} only {calls_in_words(len(calls))} of {whose}, so {wanted} could not run at once"
            _fail(self, what, one_after_another(calls, wanted))

    def assert_latency_below(self, limit_s: float) -> None:
        """Assert that the run took less virtual time than this [s]."""
        __tracebackhide__ = True
        if not self.latency_s < limit_s:
            _fail(
                self,
                f"the run took {render('latency_s', self.latency_s)}, which is not below {render('latency_s', limit_s)}",
            )

    def assert_cost_below(self, limit_usd: float) -> None:
        """Assert that all calls together cost less than this [USD]; fails if a price is unknown."""
        __tracebackhide__ = True
        if math.isnan(self.cost_usd):
            _fail(self, "the cost is unknown, because the price of a model is unknown")
        if not self.cost_usd < limit_usd:
            _fail(
                self,
                f"the run cost {render('cost_usd', self.cost_usd)}, which is not below {render('cost_usd', limit_usd)}",
            )

    def assert_cache_read_share(self, *, above: float, agent: str | None = None) -> None:
        """Assert that more than this share of all prompt tokens came from a prompt cache.

        Args:
            above: The share, 0 to 1; the calls that fill the cache count as well.
            agent: Only calls of this agent.

        Raises:
            HarnessError: There is no such agent, or the share is not between 0 and 1.
        """
        __tracebackhide__ = True
        settings.share("above", above)
        of = "" if agent is None else f" of agent {agent!r}"
        tokens = CacheTokens.of(self.calls(agent))
        if not tokens.prompt:
            _fail(self, f"no call{of} got a reply, so nothing was read")
        if not tokens.read > above * tokens.prompt:
            _fail(
                self,
                f"{tokens.share:.1%} of the prompt tokens{of} came from a prompt cache, which is not above {above:.1%}: "
                f"{tokens.read:,} of {tokens.prompt:,} were read from it, {tokens.written:,} were written to it",
            )

    def assert_no_lost_results(self, *, branches_on: Sequence[str] = ()) -> None:
        """Assert that every reply was used: its text is in a later prompt, or in the output.

        Args:
            branches_on: Agents whose replies decide what the program does next, such as a reviewer's "OK"; they are
                used also where their text is not passed on.

        Raises:
            HarnessError: There is no such agent.
        """
        __tracebackhide__ = True
        steering = [branches_on] if isinstance(branches_on, str) else list(branches_on)
        for agent in steering:
            self.calls(agent)
        lost = [call for call in lost_replies(self) if call.agent not in steering]
        if lost:
            agents = list(dict.fromkeys([*steering, *(call.agent for call in lost)]))
            names = ", ".join(f'"{agent}"' for agent in agents)
            told = [f"{call}: {excerpt(call.text)}" for call in lost[:_LOST_MAX]]
            if len(lost) > _LOST_MAX:
                told.append(f"... and {len(lost) - _LOST_MAX} more")
            told.append(
                "How to fix: put them into a later prompt or into the output, also when another call fails."
            )
            told.append(
                f"Only if the program merely decides by them what to do next: assert_no_lost_results(branches_on=[{names}])"
            )
            replies = "1 reply" if len(lost) == 1 else f"{len(lost)} replies"
            what = (
                f"the program lost {replies}: the text is in no later prompt and not in the output"
            )
            _fail(self, what, told)

    def assert_survives(
        self,
        fault: str | InjectedFault,
        *,
        allow: Collection[str] = (),
        **fields: object,
    ) -> ProgramRun:
        """Assert that the program survives a fault: run it again with the same seed and the fault, and compare.

        Under the fault it raises nothing, has no new serious finding, loses no further reply, cuts
        no output short, and repeats no use of a tool.

        Args:
            fault: A fault, or its name in a scenario file.
            allow: Allowed problems: `error`, `lost_reply`, `partial_output`, `repeated_tool`, or the kind of
                a finding such as `swallowed_error`; `lost_reply:reviewer` allows it for one agent or tool.
            fields: Which attempts it applies to and its parameters.

        Returns:
            The run under the fault.

        Raises:
            HarnessError: There is no such fault or agent, `allow` has an unknown name, or the program can run only once.
        """
        __tracebackhide__ = True
        if self.rerun is None:
            raise HarnessError(
                "a coroutine runs once, so there is nothing to run under a fault\n"
                "  How to fix: give sim.run the function and its arguments: sim.run(main, 'question')"
            )
        added = settings.fault(fault, fields)
        if added.agent is not None:
            self.calls(added.agent)
        again = self.rerun(added)
        if isinstance(again.error, StubError):
            _fail(again, *unscripted(added, again.error))
        problems = without_allowed(problems_under_fault(self, again), allow, self, again)
        if problems:
            first, *others = told(problems)
            what = first.removeprefix("error: ")
            _fail(again, f"the program does not survive {in_words(added)}: {what}", others)
        if 1 not in again.faults_met:  # the added one is the first
            what = added.meets_what.partition(" ")[2]
            _fail(again, f"no {what} met {in_words(added)}, so nothing was tested")
        return again

    def _by_number(self, number: int) -> CallView:
        return self.all_calls[number - 1]


def _fail(run: ProgramRun, what: str, details: Sequence[str] = ()) -> NoReturn:
    __tracebackhide__ = True
    text = [what, *(f"  {line}" for line in details)]
    text += ["What happened:", *(f"  {line}" for line in run.timeline(_LINES_MAX).splitlines())]
    if run.command:
        text.append(f"To replay: {run.command}")
    error: Any = AssertionError("\n".join(text))
    error.failed_check = FailedCheck(run, what, tuple(details))
    raise error
