"""How calls follow one another: in loops, in growing conversations, one by one where they need not, read anew each time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from harness.metrics.history import (
    BLOCKED,
    HEARD,
    REPEATED_PREFIX,
    Attempt,
    Call,
    Happening,
    History,
    in_a_row,
)
from harness.metrics.rules import Finding, Sighting, one_an_agent
from harness.units import render

LOOP_CALLS_MIN = 25
"""Where LangGraph stops a graph by default (langgraph, `recursion_limit`)."""

CONTEXT_TOKENS = 200_000
"""What the models read at most (docs.claude.com, "Context windows") [tokens]."""

_GROWING_CALLS_MIN = 5

_BLOCKED_SHOWN = 5
"""As many delays as fit a sentence; events tell each."""

_NOTICED_S = 1.0
"""Less is not worth a change: what breaks a user's train of thought (Nielsen, "Usability Engineering", 1993, 5.5) [s]."""

CACHED_TOKENS_MIN = 2048
"""What the caches of all but a few models keep (docs.claude.com, "Prompt caching") [tokens]."""

_SPARED_SHARE = 0.9
"""A token from a cache costs a tenth (docs.claude.com, "Prompt caching", 5 minutes)."""

_WRITTEN_SHARE = 0.25
"""And a quarter more when it is written to it (same page)."""

_OUTPUT_PRICE_RATIO = 5
"""A token generated costs five times one read, with all models of Anthropic (docs.claude.com, "Pricing")."""


def unbounded_loop(history: History) -> list[Finding]:
    """An agent is called again and again for one task, each time after the last."""

    def seen() -> Iterator[Sighting]:
        for (task, agent), calls in history.by_agent().items():
            row = in_a_row(calls)
            if len(row) >= LOOP_CALLS_MIN:
                at = row[LOOP_CALLS_MIN - 1]
                text = f"{len(row)} calls one after the other in task {task}"
                yield Sighting(agent, at.begin_s, at.span_id, text)

    advice = "Bound the loop, by turns or by cost, and say what happens when the bound is met."
    return one_an_agent("unbounded_loop", "warning", seen(), advice)


def blocked_arrivals(history: History) -> list[Finding]:
    """Tasks could not begin when they arrived, because the program stood still in blocking work for another."""
    late = history.named(BLOCKED)
    if not late:
        return []
    longest = max(late, key=lambda event: (float(event.detail), -event.task))
    shown = [f"task {it.task} by {render('s', float(it.detail))}" for it in late[:_BLOCKED_SHOWN]]
    message = (
        f"{len(late)} of {len(history.tasks)} tasks began late, because blocking work for others kept the program from them: "
        f"{', '.join(shown)}"
    )
    if len(late) > len(shown):
        message += f" and {len(late) - len(shown)} more, at most by {render('s', float(longest.detail))} (task {longest.task})"
    advice = (
        "Threads are not simulated, so tasks that block are done one after the other: rates, limits and queues are not those "
        "of a program that does them side by side. Make the function async, with async clients and `await asyncio.sleep`."
    )
    first = late[0]
    return [Finding("blocked_arrivals", "serious", "", first.at_s, first.span_id, message, advice)]


def context_growth(history: History) -> list[Finding]:
    """Each call of an agent reads more than the last, and half of what a model can read is met, or will be.

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


def could_run_side_by_side(history: History) -> list[Finding]:
    """Calls that follow one another without any need of the other's reply.

    What cannot be seen is what the program itself read in a reply. So a call of another agent follows freely only on a
    reply that some prompt got later on, and nothing does on a call that failed or met a fault.
    """
    heard: dict[int, set[int]] = {}
    for event in history.named(HEARD):
        heard.setdefault(event.span_id, set()).add(int(event.detail))
    passed_on = set().union(*heard.values())

    def seen() -> Iterator[Sighting]:
        for task, calls in history.of_task().items():
            for group in _free_groups(calls, heard, passed_on, history):
                took_s = [call.end_s - call.begin_s for call in group]
                saved_s = sum(took_s) - max(took_s)
                if saved_s >= _NOTICED_S:
                    agents = ", ".join(dict.fromkeys(call.agent for call in group))
                    text = (
                        f"{len(group)} calls of {agents} ran one after the other in task {task}, and none was told what "
                        f"another said; side by side they would save {render('s', saved_s)}"
                    )
                    yield Sighting(group[0].agent, group[0].begin_s, group[0].span_id, text)

    advice = "Start them together (`asyncio.gather`, a task group), unless their order matters otherwise."
    return one_an_agent("could_run_side_by_side", "info", seen(), advice)


def cache_misses(history: History) -> list[Finding]:
    """An agent's calls read the same large beginning again, at full price.

    How much is repeated is known from events; without any, calls in a row with input of the same size are told.
    """
    by_id = {call.span_id: call for call in history.calls}
    repeated = history.named(REPEATED_PREFIX)
    missed: dict[str, list[tuple[Attempt, int]]] = {}
    for call, tokens in _repetitions(by_id, repeated) if repeated else _same_sizes(history):
        served = call.served
        if served is not None and _is_uncached(served) and tokens >= CACHED_TOKENS_MIN:
            missed.setdefault(call.agent, []).append((served, tokens))
    found = []
    for agent, times in missed.items():
        first = times[0][0]
        message = f"{sum(tokens for _, tokens in times):,} input tokens in {len(times)} call{'s' if len(times) > 1 else ''} had been read before"
        lost_usd = _lost_usd(times) if repeated else 0.0
        if lost_usd > 0:
            message += f", for about {render('usd', lost_usd)} more than from a cache"
        advice = "Put what stays the same first, and mark its end for the prompt cache (`cache_control`)."
        found.append(
            Finding("cache_misses", "info", agent, first.asked_s, first.span_id, message, advice)
        )
    return found


def _growing(calls: list[Call]) -> Iterator[list[tuple[Call, int]]]:
    """The calls of an agent in rows, in each of which one follows the other and reads more."""
    row: list[tuple[Call, int]] = []
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


def _free_groups(
    calls: list[Call], heard: dict[int, set[int]], passed_on: set[int], history: History
) -> Iterator[list[Call]]:
    group: list[Call] = []
    for call in calls:
        joins = (
            call.served is not None
            and bool(group)
            and call.begin_s >= group[-1].end_s
            and _told_by_way_of(call, heard).isdisjoint(before.span_id for before in group)
            and all(before.span_id in passed_on or before.agent == call.agent for before in group)
            and not any(_goes_on(before, call, history) for before in group)
        )
        if not joins:
            if len(group) > 1:
                yield group
            group = []
        if call.served is not None and not call.served.fault:
            group.append(call)
    if len(group) > 1:
        yield group


def _told_by_way_of(call: Call, heard: dict[int, set[int]]) -> set[int]:
    """The calls whose replies a call was told, itself or through others."""
    told: set[int] = set()
    open_ = [call.span_id]
    while open_:
        new = heard.get(open_.pop(), set()) - told
        told |= new
        open_.extend(sorted(new))
    return told


def _goes_on(before: Call, call: Call, history: History) -> bool:
    """Whether a call goes on with a conversation: it brings a tool's result, or is long enough to hold what was said."""
    if before.agent != call.agent:
        return False
    tools_ended_s = history.tools.get((call.task, call.agent), ())
    if any(before.end_s <= end_s <= call.begin_s for end_s in tools_ended_s):
        return True
    was, now = before.served, call.served
    assert was is not None, "only calls with replies are grouped"
    assert now is not None, "only calls with replies are grouped"
    return now.prompt_tokens > was.prompt_tokens and (
        now.prompt_tokens >= was.prompt_tokens + max(was.output_tokens, 0)
    )


def _repetitions(by_id: dict[int, Call], events: list[Happening]) -> Iterator[tuple[Call, int]]:
    for event in events:
        if event.span_id in by_id:
            yield by_id[event.span_id], int(event.detail)


def _same_sizes(history: History) -> Iterator[tuple[Call, int]]:
    for calls in history.by_agent().values():
        for before, call in pairwise(calls):
            if before.served is None or call.served is None or not _is_uncached(before.served):
                continue
            if before.served.input_tokens == call.served.input_tokens:
                yield call, call.served.input_tokens


def _is_uncached(served: Attempt) -> bool:
    return served.input_tokens >= CACHED_TOKENS_MIN and served.cache_read_tokens <= 0


def _lost_usd(times: list[tuple[Attempt, int]]) -> float:
    """What a cache would have spared, less what writing to it costs once [USD]; NaN when a price is not known."""
    spared_usd = [_SPARED_SHARE * tokens * _input_usd(served) for served, tokens in times]
    served, tokens = max(times, key=lambda time: time[1])
    return sum(spared_usd) - _WRITTEN_SHARE * tokens * _input_usd(served)


def _input_usd(served: Attempt) -> float:
    """The price of a token read [USD], from what the attempt cost."""
    return served.cost_usd / (
        served.input_tokens + _OUTPUT_PRICE_RATIO * max(served.output_tokens, 0)
    )
