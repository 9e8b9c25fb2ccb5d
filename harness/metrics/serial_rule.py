"""The finding about calls made one by one that could run concurrently."""

from __future__ import annotations

import math
from collections.abc import Iterator

from harness.metrics.history import ASKED_AGAIN, CallRecord, History
from harness.metrics.rules import Finding, Sighting, one_an_agent
from harness.units import render

_NOTICED_S = 1.0
"""Less is not worth a change: what breaks a user's train of thought (Nielsen, "Usability Engineering", 1993, 5.5) [s]."""


def could_run_side_by_side(history: History) -> list[Finding]:
    """Calls run one after another although none needs another's reply.

    Calls of one agent alone are a plain loop over inputs, which is as often meant as it is: to stay below a limit, to keep an
    order, to stop early. What cannot be seen is what the program itself read in a reply. So a call of another agent follows freely only on a
    reply that some prompt got later on, and nothing does on a call that failed or met a fault. A prompt that was sent
    before is sent again because of the reply. And calls beside which others are under way run side by side already.
    """

    def seen() -> Iterator[Sighting]:
        for task, calls in history.of_task().items():
            for group in _FreeGroups(history, calls):
                took_s = [call.end_s - call.begin_s for call in group]
                saved_s = sum(took_s) - max(took_s)
                agents = list(dict.fromkeys(call.agent for call in group))
                if len(agents) > 1 and saved_s >= _NOTICED_S:
                    text = (
                        f"{len(group)} calls of {', '.join(agents)} ran one after the other in task {task}, and none was told what "
                        f"another said; side by side they would save {render('s', saved_s)}"
                    )
                    yield Sighting(group[0].agent, group[0].begin_s, group[0].span_id, text)

    advice = "Start them together (`asyncio.gather`, a task group), unless their order matters otherwise."
    return one_an_agent("could_run_side_by_side", "info", seen(), advice)


class _FreeGroups:
    """The groups of calls of a task that follow one another freely.

    Args:
        history: All calls.
        calls: Those of the task, in the order of their beginnings.
    """

    def __init__(self, history: History, calls: list[CallRecord]) -> None:
        self._history = history
        self._calls = calls
        self._alone = _alone(calls)
        self._asked_again = {event.span_id for event in history.named(ASKED_AGAIN)}

    def __iter__(self) -> Iterator[list[CallRecord]]:
        group: list[CallRecord] = []
        for call in self._calls:
            if not (group and self._joins(call, group)):
                if len(group) > 1:
                    yield group
                group = []
            if self._may_be_first(call):
                group.append(call)
        if len(group) > 1:
            yield group

    def _may_be_first(self, call: CallRecord) -> bool:
        served = call.served
        return (
            served is not None
            and not served.fault
            and len(call.attempts) == 1
            and call.span_id in self._alone
        )

    def _joins(self, call: CallRecord, group: list[CallRecord]) -> bool:
        history = self._history
        agents = {before.agent for before in group}
        return (
            self._may_be_first(call)
            and call.span_id not in self._asked_again
            and history.told_to(call, group[0]).isdisjoint(before.span_id for before in group)
            # Of equal replies the first is the source: who was told one of an agent's may have been told any.
            and history.agents_heard(call).isdisjoint(agents)
            and all(
                before.agent == call.agent or before.span_id in history.passed_on
                for before in group
            )
            and not any(self._goes_on(before, call) for before in group)
        )

    def _goes_on(self, before: CallRecord, call: CallRecord) -> bool:
        """Whether a call goes on with a conversation: it brings a tool's result, or is long enough to hold what was said."""
        if before.agent != call.agent:
            return False
        if self._history.brings_result(before, call):
            return True
        was, now = before.served, call.served
        assert was is not None, "only calls with replies are grouped"
        assert now is not None, "only calls with replies are grouped"
        return now.prompt_tokens > was.prompt_tokens and (
            now.prompt_tokens >= was.prompt_tokens + max(was.output_tokens, 0)
        )


def _alone(calls: list[CallRecord]) -> set[int]:
    """The calls, of those of a task in the order of their beginnings, during which no other is under way."""
    found = set()
    busy_s = -math.inf
    for number, call in enumerate(calls):
        is_last = number + 1 == len(calls)
        if busy_s <= call.begin_s and (is_last or calls[number + 1].begin_s >= call.end_s):
            found.add(call.span_id)
        busy_s = max(busy_s, call.end_s)
    return found
