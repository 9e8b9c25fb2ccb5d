"""Findings about what agents do with each other's words: failure modes of the MAST taxonomy that a run can decide.

MAST: Cemri et al. 2025, "Why Do Multi-Agent LLM Systems Fail?", arXiv 2503.13657 v3. docs/mast.md has all 14 modes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from harness.metrics.history import LEFT_ASKING, SAME_STEP, CallRecord, Happening, History
from harness.metrics.rules import Finding, Sighting, one_an_agent
from harness.spans import CANCELLED, ERROR

MAST: Final[dict[str, str]] = {
    "step_repetition": "FM-1.3",
    "unaware_of_termination": "FM-1.5",
    "information_withholding": "FM-2.4",
    "ignored_input": "FM-2.5",
    "premature_termination": "FM-3.1",
    "no_verification": "FM-3.2",
}
"""The mode of each kind of finding that is one of MAST's."""

_ABOUT = re.compile(r"^(?P<rounds>\d+) (?P<again>again|new) (?P<tool>.*)$")

_POLLS = frozenset({"check", "has", "is", "ping", "poll", "state", "status", "wait", "watch"})
"""Words in the names of tools that are used again and again until something else is done."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")

_VERIFIES = (
    "audit", "check", "critic", "inspect", "judge", "proofread", "referee", "review", "test", "valid", "verif",
)  # fmt: skip
"""How words in the names of agents begin that look at what others have done."""

_SIBLINGS_MIN = 3
_TELLING_TOKENS = 8
"""Shorter replies may be a verdict, whose words cannot be followed [tokens]."""


def step_repetition(history: History) -> list[Finding]:
    """An agent used the same tools with equal arguments three times in a row, and was told the same each time."""
    unaware = {(event.task, event.agent) for event in _left(history, "again")}

    def seen() -> Iterator[Sighting]:
        for event in history.named(SAME_STEP):
            if not _polls(event.detail) and (event.task, event.agent) not in unaware:
                text = f"the same use of {event.detail} three times in a row, with the same result"
                yield Sighting(event.agent, event.at_s, event.span_id, text)

    advice = (
        "Notice a repeated step in the loop: tell the agent that it has done this and what came of it, change what it is told, or "
        "end the loop."
    )
    return one_an_agent("step_repetition", "warning", seen(), advice)


def unaware_of_termination(history: History) -> list[Finding]:
    """The program had to end a loop of tools whose agent only repeated what it had done before."""

    def seen() -> Iterator[Sighting]:
        for event in _left(history, "again"):
            rounds, tool = _rounds(event)
            text = f"after {rounds} rounds it wanted to use {tool} as before, and the program ended the loop"
            yield Sighting(event.agent, event.at_s, event.span_id, text)

    advice = (
        "Tell the agent when it is done, and give it a way to say so; let a loop end when a step brings nothing new, and not only "
        "at its limit."
    )
    return one_an_agent("unaware_of_termination", "warning", seen(), advice)


def premature_termination(history: History) -> list[Finding]:
    """The program ended well although an agent still worked: it wanted to use a tool once more, for something new."""

    def seen() -> Iterator[Sighting]:
        for event in _left(history, "new"):
            rounds, tool = _rounds(event)
            text = f"the program ended while the agent still worked: after {rounds} round{'s' if rounds > 1 else ''} it wanted to use {tool}, and was told no result"
            yield Sighting(event.agent, event.at_s, event.span_id, text)

    advice = (
        "Go on until the agent asks for no tool, or let it answer with what it has: tell it that the limit is reached, and ask "
        "once more without tools."
    )
    return one_an_agent("premature_termination", "warning", seen(), advice)


def information_withholding(history: History) -> list[Finding]:
    """Of several replies made side by side, a later prompt holds most, and no prompt holds one that was there in time."""

    def seen() -> Iterator[Sighting]:
        by_id = {call.span_id: call for call in history.calls}
        by_agent = history.by_agent()
        for reader in history.calls:
            read = [
                by_id[it] for it in sorted(history.heard.get(reader.span_id, ())) if it in by_id
            ]
            for agent in dict.fromkeys(call.agent for call in read):
                told = [call for call in read if call.agent == agent]
                if len(told) < _SIBLINGS_MIN - 1:
                    continue
                for kept_back in _siblings(told, by_agent[told[0].task, agent], history):
                    if kept_back.end_s <= reader.begin_s and _tells(kept_back):
                        text = (
                            f"{reader.agent} was told {len(told)} replies of {agent}, and not the one that came at "
                            f"{kept_back.end_s:.1f} s; no prompt holds it"
                        )
                        yield Sighting(agent, kept_back.end_s, kept_back.span_id, text)

    advice = "Pass on all that was found, or say in the prompt what is left out."
    return one_an_agent("information_withholding", "info", seen(), advice)


def ignored_input(history: History) -> list[Finding]:
    """An agent worked on a text again, and was not told what another had said about that text meanwhile."""

    def seen() -> Iterator[Sighting]:
        of_task = history.of_task()
        begins_s = {task: [call.begin_s for call in calls] for task, calls in of_task.items()}
        for (task, agent), calls in history.by_agent().items():
            for before, again in pairwise(calls):
                if before.span_id not in history.heard.get(again.span_id, set()):
                    continue
                first = bisect_left(begins_s[task], before.end_s)
                last = bisect_left(begins_s[task], again.begin_s)
                for other in of_task[task][first:last]:
                    if (
                        other.agent != agent
                        and other.end_s <= again.begin_s
                        and history.heard.get(other.span_id) == {before.span_id}
                        and other.span_id not in history.passed_on
                        and _tells(other)
                    ):
                        text = f"{other.agent} read its reply and answered, and no prompt holds that answer when it goes on"
                        yield Sighting(agent, again.begin_s, again.span_id, text)

    advice = (
        "Put what the other said into the prompt of the next round; otherwise leave the call out."
    )
    return one_an_agent("ignored_input", "warning", seen(), advice)


def no_verification(history: History) -> list[Finding]:
    """A check was begun and given up, and the task ended well without one."""

    def seen() -> Iterator[Sighting]:
        for (task, agent), calls in history.by_agent().items():
            last = calls[-1]
            if (
                verifies(agent)
                and history.ended_well(task)
                and all(call.served is None for call in calls)
                and last.attempts
                and last.attempts[-1].status in (CANCELLED, ERROR)
            ):
                text = f"{len(calls)} call{'s' if len(calls) > 1 else ''} of {agent} brought no reply, and the task ended well without a check"
                yield Sighting(agent, last.end_s, last.span_id, text)

    advice = (
        "Say in the output that nothing was checked, let another check it, or let the task fail."
    )
    return one_an_agent("no_verification", "warning", seen(), advice)


def _left(history: History, which: str) -> Iterator[Happening]:
    """The calls that asked for tools and were told no result, in tasks that ended well."""
    for event in history.named(LEFT_ASKING):
        about = _ABOUT.match(event.detail)
        if about is None or about["again"] != which or not history.ended_well(event.task):
            continue
        if not _polls(about["tool"]):
            yield event


def _rounds(event: Happening) -> tuple[int, str]:
    about = _ABOUT.match(event.detail)
    assert about is not None
    return int(about["rounds"]), about["tool"]


def _polls(tool: str) -> bool:
    return not _POLLS.isdisjoint(re.findall(r"[a-z]+", tool.lower()))


def verifies(agent: str) -> bool:
    """Whether an agent is one that looks at what others have done, by its name."""
    return any(word.lower().startswith(_VERIFIES) for word in _WORD.findall(agent))


def _siblings(
    told: list[CallRecord], calls: list[CallRecord], history: History
) -> Iterator[CallRecord]:
    """Of the calls of an agent, those that ran beside all that somebody was told of, and whose replies no prompt holds."""
    latest_begin_s = max(call.begin_s for call in told)
    earliest_end_s = min(call.end_s for call in told)
    for call in calls:
        if (
            call.served is not None
            and call.begin_s <= latest_begin_s < earliest_end_s
            and call.end_s > latest_begin_s
            and call.span_id not in history.passed_on
        ):
            yield call


def _tells(call: CallRecord) -> bool:
    return call.served is not None and call.served.output_tokens >= _TELLING_TOKENS
