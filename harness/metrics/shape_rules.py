"""Findings about sequences of calls: loops, growing conversations, delays behind blocking work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from harness.metrics.history import ASKED_AGAIN, BLOCKED, BLOCKED_LOOP, GOES_ON, CallRecord, History
from harness.metrics.rules import Finding, Sighting, one_an_agent
from harness.units import render

LOOP_CALLS_MIN = 25
"""Where LangGraph stops a graph by default (langgraph, `recursion_limit`)."""

CONTEXT_TOKENS = 200_000
"""What the models read at most (docs.claude.com, "Context windows") [tokens]."""

_GROWING_CALLS_MIN = 5

_BLOCKED_SHOWN = 5
"""As many delays as fit a sentence; events tell each."""


def unbounded_loop(history: History) -> list[Finding]:
    """An agent is called repeatedly for one task, each time because of the reply before."""
    goes_on = {event.span_id for name in (ASKED_AGAIN, GOES_ON) for event in history.named(name)}

    def goes_round(before: CallRecord, call: CallRecord) -> bool:
        return call.begin_s >= before.end_s and (
            call.span_id in goes_on
            or history.brings_result(before, call)
            or before.span_id in history.told_to(call, before)
        )

    def seen() -> Iterator[Sighting]:
        for (task, agent), calls in history.by_agent().items():
            for round_ in _rows(calls, goes_round):
                if len(round_) >= LOOP_CALLS_MIN:
                    at = round_[LOOP_CALLS_MIN - 1]
                    text = f"{len(round_)} calls one after the other in task {task}, each because of the last"
                    yield Sighting(agent, at.begin_s, at.span_id, text)

    advice = "Bound the loop, by turns or by cost, and say what happens when the bound is met."
    return one_an_agent("unbounded_loop", "warning", seen(), advice)


def blocked_arrivals(history: History) -> list[Finding]:
    """Tasks could not start at their arrival, because blocking work for another task stopped the program."""
    late = history.named(BLOCKED)
    if not late:
        return []
    longest = max(late, key=lambda event: (float(event.detail), -event.task))
    shown = [f"task {it.task} by {render('s', float(it.detail))}" for it in late[:_BLOCKED_SHOWN]]
    blocks = history.named(BLOCKED_LOOP)
    where = Counter(event.detail.split(" ", 2)[2] for event in blocks).most_common(1)
    at = f" (at {where[0][0]})" if where else ""
    message = (
        f"{len(late)} of {len(history.tasks)} tasks began late, because blocking work for others{at} kept the program from them: "
        f"{', '.join(shown)}"
    )
    if len(late) > len(shown):
        message += f" and {len(late) - len(shown)} more, at most by {render('s', float(longest.detail))} (task {longest.task})"
    advice = (
        "A blocking call in async code stops its event loop, so tasks are done one after the other, and rates, limits and "
        "queues are seldom met. Use async clients and `await asyncio.sleep`, or `asyncio.to_thread` for what has to block."
    )
    agent = next((event.agent for event in blocks if event.agent), "")
    first = late[0]
    return [
        Finding("blocked_arrivals", "serious", agent, first.at_s, first.span_id, message, advice)
    ]


def context_growth(history: History) -> list[Finding]:
    """Each call of an agent has a longer prompt than the last, which exceeds half of the context size, or will.

    Will be: at this pace, within twice the calls.
    """

    def seen() -> Iterator[Sighting]:
        for (_, agent), calls in history.by_agent().items():
            for row in _growing(calls):
                if len(row) < _GROWING_CALLS_MIN:
                    continue
                first, last = row[0][1], row[-1][1]
                projected = last + (last - first) * len(row) // (len(row) - 1)
                if projected > CONTEXT_TOKENS // 2:
                    at = row[-1][0]
                    text = f"from {first:,} to {last:,} input tokens in {len(row)} calls; {projected:,} after as many more"
                    yield Sighting(agent, at.begin_s, at.span_id, text)

    advice = "Shorten the conversation as it grows: drop or sum up old turns and tool results."
    return one_an_agent("context_growth", "warning", seen(), advice)


def _rows(
    calls: list[CallRecord], goes_round: Callable[[CallRecord, CallRecord], bool]
) -> Iterator[list[CallRecord]]:
    """Calls in rows, in each of which each goes on from the one before."""
    row: list[CallRecord] = []
    for call in calls:
        if row and not goes_round(row[-1], call):
            yield row
            row = []
        row.append(call)
    if row:
        yield row


def _growing(calls: list[CallRecord]) -> Iterator[list[tuple[CallRecord, int]]]:
    """The calls of an agent in rows, in each of which one follows the other and reads more."""
    row: list[tuple[CallRecord, int]] = []
    for call in calls:
        if call.served is None:
            continue
        tokens = call.served.prompt_tokens
        if row and (call.begin_s < row[-1][0].end_s or tokens <= row[-1][1]):
            yield row
            row = []
        row.append((call, tokens))
    if row:
        yield row
