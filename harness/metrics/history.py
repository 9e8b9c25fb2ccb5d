"""The calls of a program in a run: the spans and events that the finding rules read."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from harness.spans import ATTEMPT, CALL, OK, TASK, TOOL, WAIT, Table

HEARD = "heard"
"""Event of a call whose prompt holds the reply of another; its detail is the span_id of the other call."""

REJECTED_AGAIN = "rejected_again"
"""Event of a request that an API rejected, and that was the same as one it had rejected before; its detail is the status and the path."""

REPEATED_PREFIX = "repeated_prefix"
"""Event of a call whose prompt begins as one before it did; its detail is how much of it does [tokens]."""

GOES_ON = "goes_on"
"""Event of a call whose prompt is a whole prompt of the same task and more, and brings no tool's result: a conversation goes on."""

ASKED_AGAIN = "asked_again"
"""Event of a call whose whole prompt was sent before in the same task, and answered."""

BLOCKED_LOOP = "blocked_loop"
"""Event of a blocking call or wait in a thread in which a loop runs; its detail is how long it took [s], `held_up` if
something in the loop was ready meanwhile or `alone`, and the place."""

ABANDONED_CALL = "abandoned_call"
"""Event of a call that still ran when the program ended."""

DEAD_TASK = "dead_task"
"""Event of a task of the program that died; its detail is its name and its error."""

DONE_AGAIN = "done_again"
"""Event of a use of a tool that is equal to one before; its detail is the span_id of that one, and the use."""

SAME_STEP = "same_step"
"""Event of a call that wants the same tools with equal arguments for the third time in a row, after equal results; its detail
is the tools."""

LEFT_ASKING = "left_asking"
"""Event of a call that wanted a tool whose result no prompt brought, although results of that tool were brought before in its
conversation; its detail is the number of rounds before, `again` if it wanted the same before or `new`, and the tool."""

BATCHED = "batched"
"""Event of a call that is a request of a batch: the program asks for it later, and no client waits."""

IN_BACKGROUND = "in_background"
"""Event of a call that is made in the background: the program asks for its reply later, and no client waits."""

BLOCKED = "blocked"
"""Event of a task that began after it had arrived, because the program stood still; its detail is how much later [s]."""


class Attempt(NamedTuple):
    """One request at the provider."""

    span_id: int
    call_id: int
    agent: str
    ordinal: int
    asked_s: float
    """When the client asked, silence before service included [s]."""
    first_token_s: float
    end_s: float
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float
    status: str
    error: str
    http_status: int
    retry_after_s: float
    fault: str

    @property
    def prompt_tokens(self) -> int:
        """Prompt size, cached or not [tokens]."""
        return (
            max(self.input_tokens, 0)
            + max(self.cache_read_tokens, 0)
            + max(self.cache_write_tokens, 0)
        )


@dataclass(slots=True)
class CallRecord:
    """A call as an agent awaited it, with all its attempts."""

    span_id: int
    task: int
    agent: str
    begin_s: float
    end_s: float
    status: str
    attempts: list[Attempt] = field(default_factory=list)
    """In the order in which they were made."""
    repeats: CallRecord | None = None
    """The failed call that the program repeats with this one."""
    is_repeated: bool = False
    """Whether the program repeats this one with another."""

    @property
    def chain(self) -> list[CallRecord]:
        """The calls that this call repeats, then this call, in order."""
        found = [self]
        while found[-1].repeats is not None:
            found.append(found[-1].repeats)
        return found[::-1]

    @property
    def served(self) -> Attempt | None:
        """The attempt that brought the reply; None where none did."""
        for attempt in reversed(self.attempts):  # asked for every call by every rule: no generator
            if attempt.status == OK:
                return attempt
        return None


class Use(NamedTuple):
    """One use of a tool."""

    span_id: int
    task: int
    agent: str
    tool: str
    begin_s: float
    end_s: float
    status: str


class Happening(NamedTuple):
    """A point in time."""

    at_s: float
    span_id: int
    task: int
    agent: str
    name: str
    detail: str


@dataclass
class History:
    """All calls of a run.

    Args:
        spans: The spans of the run.
        events: Its events.
    """

    spans: Table
    events: Table
    calls: list[CallRecord] = field(init=False)
    """In the order in which they began."""
    tasks: dict[int, tuple[str, float]] = field(default_factory=dict)
    """How and when each task ended [s]; one that did not end is absent."""
    uses: dict[int, Use] = field(default_factory=dict)
    """Uses of tools, by span_id."""
    tools: dict[tuple[int, str], list[float]] = field(default_factory=dict)
    """By task and agent, when tools ended their work [s]: what the agent's next call brings to its model."""
    _named: dict[str, list[Happening]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_id: dict[int, CallRecord] = {}
        repeats: dict[int, int] = {}
        for span_id, kind, task, agent, arrival_s, end_s, status, repeated, name in self.spans.rows(
            "span_id", "kind", "task", "agent", "arrival_s", "end_s", "status", "repeats", "name"
        ):
            if kind == CALL:
                by_id[span_id] = CallRecord(span_id, task, agent, arrival_s, end_s, status)
                if repeated >= 0:
                    repeats[span_id] = repeated
            elif kind == TASK:
                self.tasks[task] = (status, end_s)
            elif kind == TOOL:
                self.tools.setdefault((task, agent), []).append(end_s)
                self.uses[span_id] = Use(span_id, task, agent, name, arrival_s, end_s, status)
        for attempt in _attempts(self.spans):
            if attempt.call_id in by_id:
                by_id[attempt.call_id].attempts.append(attempt)
        for span_id, repeated in repeats.items():
            if (
                0 <= repeated < span_id and repeated in by_id
            ):  # else the table is only a part of a run's
                by_id[span_id].repeats = by_id[repeated]
                by_id[repeated].is_repeated = True
        for ended_s in self.tools.values():
            ended_s.sort()
        self.calls = sorted(by_id.values(), key=lambda call: (call.begin_s, call.span_id))
        for row in self.events.rows(*Happening._fields):
            event = Happening(*row)
            self._named.setdefault(event.name, []).append(event)

    def attempts(self) -> Iterator[Attempt]:
        """Every attempt, by call."""
        for call in self.calls:
            yield from call.attempts

    def retries(self) -> Iterator[tuple[Attempt, Attempt]]:
        """Every retry with the attempt before it: of the same call, or of a call that its call repeats."""
        for call in self.calls:
            if call.repeats is not None and call.repeats.attempts and call.attempts:
                yield call.repeats.attempts[-1], call.attempts[0]
            yield from zip(call.attempts, call.attempts[1:], strict=False)

    def by_agent(self) -> dict[tuple[int, str], list[CallRecord]]:
        """The calls of each agent in each task, in the order in which they began."""
        grouped: defaultdict[tuple[int, str], list[CallRecord]] = defaultdict(list)
        for call in self.calls:
            grouped[call.task, call.agent].append(call)
        return dict(grouped)

    def of_task(self) -> dict[int, list[CallRecord]]:
        """The calls of each task, in the order in which they began."""
        grouped: defaultdict[int, list[CallRecord]] = defaultdict(list)
        for call in self.calls:
            grouped[call.task].append(call)
        return dict(grouped)

    @cached_property
    def heard(self) -> dict[int, set[int]]:
        """By span_id of a call, the span_ids of the calls whose replies its prompt holds."""
        found: defaultdict[int, set[int]] = defaultdict(set)
        for event in self.named(HEARD):
            found[event.span_id].add(int(event.detail))
        return dict(found)

    def told_to(self, call: CallRecord, since: CallRecord) -> set[int]:
        """The span_ids of the calls from `since` on whose replies a call was told, itself or through others."""
        told: set[int] = set()
        open_ = [call.span_id]
        while open_:
            sources = self.heard.get(open_.pop(), set())
            new = {source for source in sources if source >= since.span_id} - told
            told |= new
            open_.extend(sorted(new))
        return told

    @cached_property
    def passed_on(self) -> set[int]:
        """The span_ids of the calls whose replies some prompt holds."""
        return set().union(*self.heard.values())

    @cached_property
    def _agent_of(self) -> dict[int, str]:
        return {call.span_id: call.agent for call in self.calls}

    def agents_heard(self, call: CallRecord) -> set[str]:
        """The agents whose replies a call's prompt holds."""
        heard = self.heard.get(call.span_id, set())
        return {self._agent_of[source] for source in heard if source in self._agent_of}

    def brings_result(self, before: CallRecord, call: CallRecord) -> bool:
        """Whether a tool of the agent ended its work between two of its calls."""
        ended_s = self.tools.get((call.task, call.agent), [])
        place = bisect_left(ended_s, before.end_s)
        return place < len(ended_s) and ended_s[place] <= call.begin_s

    def named(self, name: str) -> list[Happening]:
        """The events of one name."""
        return self._named.get(name, [])

    def ended_well(self, task: int) -> bool:
        """Whether a task succeeded."""
        return self.tasks.get(task, ("", 0.0))[0] == OK


_COLUMNS = (
    "span_id", "parent_id", "agent", "ordinal", "arrival_s", "first_token_s", "end_s", "input_tokens", "output_tokens",
    "cache_read_tokens", "cache_write_tokens", "cost_usd", "status", "error", "http_status", "retry_after_s", "fault",
)  # fmt: skip


def _attempts(spans: Table) -> list[Attempt]:
    # An attempt that meets silence arrives after it, but the client asked before.
    silent_from_s = {
        (call_id, end_s): arrival_s
        for kind, name, call_id, arrival_s, end_s in spans.rows(
            "kind", "name", "parent_id", "arrival_s", "end_s"
        )
        if kind == WAIT and name == "silence"
    }
    found = []
    for kind, row in zip(spans.values("kind"), spans.rows(*_COLUMNS), strict=True):
        if kind == ATTEMPT:
            attempt = Attempt(*row)
            asked_s = silent_from_s.get((attempt.call_id, attempt.asked_s))
            found.append(attempt if asked_s is None else attempt._replace(asked_s=asked_s))
    return sorted(found, key=lambda attempt: (attempt.ordinal, attempt.span_id))
