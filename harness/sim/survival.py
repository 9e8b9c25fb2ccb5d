"""Whether a program survives a fault: compare its run under the fault with its run without it.

Each check compares both runs and gives what only the run under the fault has. A check is allowed by its name, or by its
name for one agent or tool: `lost_reply`, `lost_reply:reviewer`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple

from harness.errors import HarnessError, did_you_mean
from harness.metrics.findings import RULES
from harness.sim.call_view import CallView, excerpt
from harness.sim.lost import lost_replies
from harness.sim.observed_run import ObservedRun
from harness.spans import CANCELLED, OK
from harness.wire.effects import Effect

CHECKS = ("error", "lost_reply", "partial_output", "repeated_tool")
"""What is checked besides the serious findings, each of which is a check of its own name."""

_SHOWN_MAX = 8
"""How many problems a message shows."""


class Problem(NamedTuple):
    """One problem that the run under the fault has and the run without it does not."""

    check: str
    who: str
    """The agent or the tool; empty for the program as a whole."""
    text: str


def problems_under_fault(before: ObservedRun, after: ObservedRun) -> list[Problem]:
    """The problems of a run under a fault that the run without it does not have.

    Args:
        before: The run without the fault.
        after: The run with it.
    """
    return [
        *_errors(after),
        *_new_findings(before, after),
        *_lost(before, after),
        *_cancelled(before, after),
        *_partial_output(before, after),
        *_repeated_tools(before, after),
    ]


def without_allowed(
    problems: list[Problem], allow: Collection[str], before: ObservedRun, after: ObservedRun
) -> list[Problem]:
    """The problems that are not allowed.

    Raises:
        HarnessError: `allow` has a name that is not a check, an agent or a tool.
    """
    if isinstance(allow, str):
        allow = [allow]
    known = {*before.described, *before.agents, *after.agents}
    known |= {effect.tool for run in (before, after) for effect in run.effects}
    for name in allow:
        check, colon, who = name.partition(":")
        _check_known("check", check, [*CHECKS, *(rule.__name__ for rule in RULES)])
        if colon:
            _check_known("agent or tool", who, sorted(known))
    return [
        problem
        for problem in problems
        if problem.check not in allow and f"{problem.check}:{problem.who}" not in allow
    ]


def told(problems: list[Problem]) -> list[str]:
    """The problems, a line each, and the argument that allows them."""
    shown = [f"{problem.check}: {problem.text}" for problem in problems[:_SHOWN_MAX]]
    if len(problems) > _SHOWN_MAX:
        shown.append(f"... and {len(problems) - _SHOWN_MAX} more")
    names = ", ".join(f'"{name}"' for name in dict.fromkeys(each.check for each in problems))
    return [*shown, f"If that is meant: assert_survives(..., allow=[{names}])"]


def _check_known(what: str, name: str, known: list[str]) -> None:
    if name not in known:
        raise HarnessError(
            f"allow: there is no {what} {name!r}{did_you_mean(name, known)}\n  Known: {', '.join(known) or 'none'}"
        )


# -- the checks -------------------------------------------------------------------------------------------------------


def _errors(after: ObservedRun) -> Iterator[Problem]:
    error = after.error
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is not None:
        yield Problem("error", "", f"{type(error).__name__}: {error}")


def _new_findings(before: ObservedRun, after: ObservedRun) -> Iterator[Problem]:
    """Serious findings that were not there, or are there more often."""
    known = Counter[tuple[str, str]]()
    for finding in before.findings:
        if finding.severity == "serious":
            known[finding.kind, finding.agent] += finding.times
    for finding in after.findings:
        if (
            finding.severity == "serious"
            and finding.times > known[finding.kind, finding.agent]
            and not (finding.kind == "gave_up" and after.error is not None)  # the error tells it
        ):
            yield Problem(finding.kind, finding.agent, f"{finding.agent}: {finding.message}")


def _lost(before: ObservedRun, after: ObservedRun) -> Iterator[Problem]:
    lost_before = lost_replies(before)
    for call in lost_replies(after):
        same = next((each for each in lost_before if _is_same(each, call)), None)
        if same is not None:
            lost_before.remove(same)
        elif not _is_replaced(call, after):
            text = f"call {call.ordinal} of {call.agent} replied {excerpt(call.text)}, in no later prompt and not in the output"
            yield Problem("lost_reply", call.agent, text)


def _is_same(one: CallView, other: CallView) -> bool:
    """Whether two calls of two runs are the same one, as far as can be told."""
    return one.agent == other.agent and (one.text == other.text or one.prompt == other.prompt)


def _is_replaced(call: CallView, run: ObservedRun) -> bool:
    """Whether the fault met a call, and its agent was asked again: a damaged reply should be thrown away."""
    return any(attempt.fault for attempt in call.attempts) and any(
        later.agent == call.agent and later.start_s >= call.end_s and later.reply is not None
        for later in run.all_calls[call.number :]
    )


def _cancelled(before: ObservedRun, after: ObservedRun) -> Iterator[Problem]:
    """Calls that were cancelled while they ran, without a fault of their own, and whose replies were used in the run without the fault."""
    useless = {call.number for call in lost_replies(before)}
    useful = [call for call in before.all_calls if call.text and call.number not in useless]
    for call in after.all_calls:  # who was asked the same again has lost nothing
        same = _with_same_prompt(call, useful) if call.reply is not None else None
        if same is not None:
            useful.remove(same)
    for call in after.all_calls:
        met = any(attempt.fault for attempt in call.attempts)
        if call.status != CANCELLED or call.reply is not None or met:
            continue
        same = _with_same_prompt(call, useful)
        if same is not None:
            useful.remove(same)
            text = f"call {call.ordinal} of {call.agent} was cancelled after {call.latency_s:.3f} s"
            yield Problem(
                "lost_reply",
                call.agent,
                f"{text}; without the fault it replied {excerpt(same.text)}",
            )


def _with_same_prompt(call: CallView, calls: list[CallView]) -> CallView | None:
    return next(
        (each for each in calls if each.agent == call.agent and each.prompt == call.prompt), None
    )


def _partial_output(before: ObservedRun, after: ObservedRun) -> Iterator[Problem]:
    """The output is shorter, and holds a reply that was cut short."""
    if before.output is None or after.output is None:
        return
    whole, part = len(str(before.output)), len(str(after.output))
    if part >= whole:
        return
    for call in after.all_calls:
        if _is_cut(call) and (
            call.number in (after.kept or ()) or call.text[:_WORDS_TOLD] in str(after.output)
        ):
            text = f"{part:,} of {whole:,} characters, with a reply of call {call.ordinal} of {call.agent} that was cut short"
            yield Problem("partial_output", call.agent, text)
            return


_WORDS_TOLD = 20
"""How many characters of a cut reply show that it is in the output."""


def _is_cut(call: CallView) -> bool:
    last = call.attempts[-1] if call.attempts else None
    if last is None or call.reply is None or last.status != OK or not last.fault:
        return False
    return last.fault == "cut_stream" or call.reply.truncated


def _repeated_tools(before: ObservedRun, after: ObservedRun) -> Iterator[Problem]:
    """Tools used more often with the same arguments. Other arguments, or a first use, are no repetition."""
    simulated = {
        each.tool for run in (before, after) for each in run.effects if each.seen == "program"
    }
    often_before = Counter(_seen_once(before.effects, simulated))
    often_after = Counter(_seen_once(after.effects, simulated))
    in_all_before, in_all_after = (
        Counter(effect.tool for effect in often.elements()) for often in (often_before, often_after)
    )
    for effect, times in often_after.items():
        tool, times_before = effect.tool, often_before[effect]
        grew = times > times_before and in_all_after[tool] > in_all_before[tool]
        if grew and (in_all_before[tool] > 0 or times > 1):
            yield Problem(
                "repeated_tool",
                tool,
                f"{effect} was done {_times(times)}, and {_times(times_before)} without the fault",
            )


def _seen_once(effects: tuple[Effect, ...], simulated: Collection[str]) -> list[Effect]:
    """The effects, without those that were seen at both ends of a simulated tool."""
    return [each for each in effects if each.seen == "program" or each.tool not in simulated]


def _times(number: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(number, f"{number} times")
