"""How calls follow one another: in loops, in growing conversations, one by one where they need not."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator

from harness.metrics.history import ASKED_AGAIN, BLOCKED, BLOCKED_LOOP, GOES_ON, Call, History
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


def unbounded_loop(history: History) -> list[Finding]:
    """An agent is called again and again for one task, each time because of what was said before."""
    goes_on = {event.span_id for name in (ASKED_AGAIN, GOES_ON) for event in history.named(name)}

    def goes_round(before: Call, call: Call) -> bool:
        return call.begin_s >= before.end_s and (
            call.span_id in goes_on
            or _brings_result(before, call, history)
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
    blocks = history.named(BLOCKED_LOOP)
    if blocks:
        place, _ = Counter(event.detail.split(" ", 2)[2] for event in blocks).most_common(1)[0]
        message += f"; most often at {place}"
    agent = next((event.agent for event in blocks if event.agent), "")
    first = late[0]
    return [
        Finding("blocked_arrivals", "serious", agent, first.at_s, first.span_id, message, advice)
    ]


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
    reply that some prompt got later on, and nothing does on a call that failed or met a fault. A prompt that was sent before
    is sent again because of the reply. And a program that has other calls under way does work side by side.
    """
    passed_on = set().union(*history.heard.values())
    agent_of = {call.span_id: call.agent for call in history.calls}
    asked_again = {event.span_id for event in history.named(ASKED_AGAIN)}

    def seen() -> Iterator[Sighting]:
        for task, calls in history.of_task().items():
            for group in _free_groups(calls, passed_on, asked_again, agent_of, history):
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


def _rows(calls: list[Call], goes_round: Callable[[Call, Call], bool]) -> Iterator[list[Call]]:
    """Calls in rows, in each of which each goes on from the one before."""
    row: list[Call] = []
    for call in calls:
        if row and not goes_round(row[-1], call):
            yield row
            row = []
        row.append(call)
    if row:
        yield row


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
    calls: list[Call],
    passed_on: set[int],
    asked_again: set[int],
    agent_of: dict[int, str],
    history: History,
) -> Iterator[list[Call]]:
    group: list[Call] = []
    busy_s = (
        -math.inf
    )  # until when calls before this one, but for those of the group, are under way
    for call in calls:
        joins = (
            call.served is not None
            and busy_s <= call.begin_s
            and len(call.attempts) == 1
            and bool(group)
            and call.begin_s >= group[-1].end_s
            and call.span_id not in asked_again
            and history.told_to(call, group[0]).isdisjoint(before.span_id for before in group)
            # Of equal replies the first is the source: who was told one of an agent's may have been told any.
            and not _agents_heard(call, agent_of, history) & {before.agent for before in group}
            and all(before.span_id in passed_on or before.agent == call.agent for before in group)
            and not any(_goes_on(before, call, history) for before in group)
        )
        if not joins:
            if len(group) > 1:
                yield group
            busy_s = max([busy_s, *(before.end_s for before in group)])
            group = []
        if call.served is not None and not call.served.fault and len(call.attempts) == 1:
            group.append(call)
        else:
            busy_s = max(busy_s, call.end_s)
    if len(group) > 1:
        yield group


def _agents_heard(call: Call, agent_of: dict[int, str], history: History) -> set[str]:
    heard = history.heard.get(call.span_id, set())
    return {agent_of[source] for source in heard if source in agent_of}


def _brings_result(before: Call, call: Call, history: History) -> bool:
    """Whether a tool of the agent ended its work between two calls."""
    ended_s = history.tools.get((call.task, call.agent), [])
    place = bisect_left(ended_s, before.end_s)
    return place < len(ended_s) and ended_s[place] <= call.begin_s


def _goes_on(before: Call, call: Call, history: History) -> bool:
    """Whether a call goes on with a conversation: it brings a tool's result, or is long enough to hold what was said."""
    if before.agent != call.agent:
        return False
    if _brings_result(before, call, history):
        return True
    was, now = before.served, call.served
    assert was is not None, "only calls with replies are grouped"
    assert now is not None, "only calls with replies are grouped"
    return now.prompt_tokens > was.prompt_tokens and (
        now.prompt_tokens >= was.prompt_tokens + max(was.output_tokens, 0)
    )
