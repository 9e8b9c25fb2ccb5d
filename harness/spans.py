"""Spans and events of a run, in columnar tables.

A span is an interval with a parent. One task looks like this::

    task 7
      agent lead                     one turn of an agent: from the message it received to the message it sent
        call 1                       what the agent awaited, with all its attempts
          attempt 1                  one request at the provider
          wait backoff               time without a request
          attempt 2
        tool search

The times of an attempt::

    arrival_s            start_s             first_token_s                          end_s
       |--- queue_wait_s ---|---- prefill_s -----|-- itl_s --|-- itl_s --| ... -------|

All times are virtual seconds since the run began. An absent value is NaN (float), -1 (int) or "" (text) in memory and
NULL in a store; it is never zero. The simulation writes these tables and the results read them; this module imports neither.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from itertools import count
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar, overload

from harness.tables import ColumnType as ColumnType  # noqa: PLC0414 - read together with the columns here
from harness.tables import Table as Table  # noqa: PLC0414 - see above
from harness.tables import is_absent

T = TypeVar("T")

TASK: Final = "task"
AGENT: Final = "agent"
CALL: Final = "call"
ATTEMPT: Final = "attempt"
TOOL: Final = "tool"
WAIT: Final = "wait"

OK: Final = "ok"
ERROR: Final = "error"
CANCELLED: Final = "cancelled"
"""The end of a span that was cancelled: by a timeout, a failed sibling, the horizon."""

STATE_READ: Final = "state_read"
STATE_WRITE: Final = "state_write"
STATE_CONFLICT: Final = "state_conflict"
"""Names of the events of shared state; their detail is a JSON object with the key, the version and what came of it."""

EFFECT: Final = "effect"
"""Name of the event that a tool did something to the world; its detail is the tool and the arguments. Noted where that may differ
from how often the tool was used: under faults of tools, and of tools with an idempotency key."""
HEDGED: Final = "hedged"
ESCALATED: Final = "escalated"
CACHE_HIT: Final = "cache_hit"
CACHE_MISS: Final = "cache_miss"
BUDGET_REFUSED: Final = "budget_refused"
CIRCUIT_OPENED: Final = "circuit_opened"
CIRCUIT_HALF_OPENED: Final = "circuit_half_opened"
"""Names of the events of policies that metrics count; the detail of those of a circuit is the name of its breaker."""
RECORDED: Final = "recorded"
"""Event of a call or an attempt whose reply is of a cassette; its detail says where its latency is from."""
NO_PROGRESS: Final = "no_progress"
"""Event of a turn that is not taken, because it would be the same as many before; its detail names the repeating messages."""

DEADLOCK: Final = "deadlock"
"""Event of a task in which nothing can run again; its detail names the agents that wait for one another, or what waits first."""

CASCADE: Final = "cascade"
"""Event at the end of a run: one agent failed, and others did not do their part because of it; its detail tells that as one."""

STARVATION: Final = "starvation"
"""Event at the end of a run: calls of an agent waited for long while later ones were served; its detail tells of it."""

CLAIMS: Final = "claims"
"""Event of a task that has ended: how many claims its output holds, and how many of them are false, as a JSON object."""

FALSE_CLAIM: Final = "false_claim"
"""Event of a task that has ended: a false claim, its origin and its way, as a JSON object. Its agent is the origin."""

INJECTED_CALL: Final = "injected_call"
"""Event of a call whose reply uses a tool because of an injected instruction; its detail is the use, as a JSON object."""

ABSENT: Final = math.nan

SPAN_COLUMNS: Final[dict[str, ColumnType]] = {
    "span_id": "int",
    "parent_id": "int",
    "task": "int",
    "kind": "text",
    "name": "text",
    "agent": "text",
    "model": "text",
    "ordinal": "int",
    "arrival_s": "float",
    "start_s": "float",
    "first_token_s": "float",
    "end_s": "float",
    "input_tokens": "int",
    "output_tokens": "int",
    "cache_read_tokens": "int",
    "cache_write_tokens": "int",
    "cost_usd": "float",
    "status": "text",
    "error": "text",
    "http_status": "int",
    "retry_after_s": "float",
    "fault": "text",
    "correct": "int",
    "repeats": "int",
    "customer": "text",
    "priority": "int",
    "limited_by": "text",
}
"""Name and type of each column of a span, in order; `store/schema.sql` says what each means."""

USUAL_COLUMNS: Final = (
    "span_id", "parent_id", "task", "kind", "name", "agent", "model", "ordinal", "arrival_s", "start_s", "first_token_s", "end_s",
    "input_tokens", "output_tokens", "cost_usd", "status",
)  # fmt: skip
"""The columns in which many spans have a value; the others are rare."""

EVENT_COLUMNS: Final[dict[str, ColumnType]] = {
    "at_s": "float",
    "span_id": "int",
    "task": "int",
    "agent": "text",
    "name": "text",
    "detail": "text",
    "recipient": "text",
    "tokens": "int",
    "hop": "int",
    "message": "int",
    "answers": "int",
}
"""Name and type of each column of an event; the last five are of messages alone."""

# Rows are gathered and turned into columns this many at a time: large enough that the turning is free, small enough
# that the rows do not count against the memory of a long run.
_CHUNK_ROWS = 1024

MESSAGE: Final = "message"
"""Name of the event that a member of a team, or the user, has got a message."""


class _Rare(Generic[T]):
    """A column in which few spans have a value; it costs nothing in the others.

    Args:
        absent: What it is in those.
    """

    def __init__(self, absent: T) -> None:
        self._absent = absent

    def __set_name__(self, owner: type[Span], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, span: None, owner: type[Span]) -> Self: ...
    @overload
    def __get__(self, span: Span, owner: type[Span]) -> T: ...
    def __get__(self, span: Span | None, owner: type[Span]) -> Self | T:
        if span is None:
            return self
        value: T = self._absent if span.rare is None else span.rare.get(self._name, self._absent)
        return value

    def __set__(self, span: Span, value: T) -> None:
        if span.rare is None:
            span.rare = {}
        span.rare[self._name] = value


class Span:
    """An interval: opened by `SpanLog.open`, filled in while it is open, closed once and not changed afterwards."""

    __slots__ = (*USUAL_COLUMNS, "rare")

    def __init__(
        self,
        span_id: int,
        parent_id: int,
        task: int,
        kind: str,
        name: str,
        agent: str,
        model: str,
        ordinal: int,
        arrival_s: float,
    ) -> None:
        self.span_id = span_id
        self.parent_id = parent_id
        self.task = task
        self.kind = kind
        self.name = name
        self.agent = agent
        self.model = model
        self.ordinal = ordinal
        self.arrival_s = arrival_s
        self.start_s = arrival_s
        """When service began [s]; equal to the arrival for everything that does not queue, absent if it never began."""
        self.first_token_s: float = ABSENT
        """When the first token was there [s]; only of attempts."""
        self.end_s: float = ABSENT
        """When it ended [s]; absent while it is open."""
        self.input_tokens = -1
        """Tokens read at full price, without cached ones."""
        self.output_tokens = -1
        """Tokens generated."""
        self.cost_usd: float = ABSENT
        """What it cost [USD]; absent when the price is not known."""
        self.status = ""
        """How it ended: `ok`, `error` or `cancelled`."""
        self.rare: dict[str, Any] | None = None
        """Its values in rare columns, by name."""

    cache_read_tokens = _Rare(-1)
    """Tokens read from a prompt cache; absent where no cache was asked for."""
    cache_write_tokens = _Rare(-1)
    """Tokens read and written to a prompt cache; absent where no cache was asked for."""
    error = _Rare("")
    """The kind of failure: the provider's error type, or the name of an exception."""
    http_status = _Rare(-1)
    """Of an answer that was no reply; absent when there was one, or no answer at all."""
    retry_after_s = _Rare(ABSENT)
    """How long the provider asked to wait [s]."""
    fault = _Rare("")
    """The injected fault that this span met."""
    correct = _Rare(-1)
    """1 when what was said is right, 0 when it is wrong; absent when the scenario says nothing of accuracy."""
    repeats = _Rare(-1)
    """span_id of the failed call that the program repeats with this one; of a call, and of its first attempt."""
    customer = _Rare("")
    """Whom a task is for; only of tasks."""
    priority = _Rare(-1)
    """How much a task matters, 0 the least; only of tasks."""
    limited_by = _Rare("")
    """The rate limit that refused an attempt, such as `output_tokens_per_min`; empty where none did."""


class Event(NamedTuple):
    """A point in time."""

    at_s: float
    span_id: int
    task: int
    agent: str
    name: str
    """What happened, such as `retry`."""
    detail: str
    """More about it; of a message its type."""
    recipient: str = ""
    """Who got a message."""
    tokens: int = -1
    """Size of a message [tokens]."""
    hop: int = -1
    """How many messages led to a message, one answering the other; 0 for the task."""
    message: int = -1
    """Number of a message in its task."""
    answers: int = -1
    """Number of the message that a message answers."""


class SpanLog:
    """The spans and events of one run, as they happen.

    Args:
        clock: Tells the virtual time [s].
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._spans = Table(SPAN_COLUMNS)
        self._events = Table(EVENT_COLUMNS)
        self._closed: list[tuple[Any, ...]] = []
        self._rare: list[tuple[int, dict[str, Any]]] = []
        self._noted: list[tuple[Any, ...]] = []
        self._ids = count(1)
        self._customers: dict[int, str] = {}

    def customer_of(self, task: int) -> str:
        """Whom a task is for; empty if that is not stated."""
        return self._customers.get(task, "")

    @property
    def spans(self) -> Table:
        """The spans that have been closed, in the order of their ends."""
        self._gather_spans()
        return self._spans

    @property
    def events(self) -> Table:
        """The events, in the order of their times."""
        self._gather_events()
        return self._events

    def open_task(
        self, kind: str, number: int, customer: str | None = None, priority: int | None = None
    ) -> Span:
        """Begin the span of a task now; it is the root of the task's other spans."""
        span = Span(next(self._ids), -1, number, TASK, kind, "", "", -1, self.clock())
        if customer:
            span.customer = self._customers[number] = customer
        if priority is not None:
            span.priority = priority
        return span

    def open(
        self, kind: str, name: str, parent: Span, agent: str, model: str = "", ordinal: int = -1
    ) -> Span:
        """Begin a span now, as a part of another."""
        return Span(
            next(self._ids),
            parent.span_id,
            parent.task,
            kind,
            name,
            agent,
            model,
            ordinal,
            self.clock(),
        )

    def close(self, span: Span, status: str = OK, end_s: float | None = None) -> None:
        """End a span now, or at a given earlier time [s]."""
        end_s = span.end_s = self.clock() if end_s is None else end_s
        span.status = status
        if span.rare is not None:
            self._rare.append((len(self._closed), span.rare))
        code = self._spans.codes
        self._closed.append(
            (
                span.span_id, span.parent_id, span.task, code[span.kind], code[span.name], code[span.agent], code[span.model],
                span.ordinal, span.arrival_s, span.start_s, span.first_token_s, end_s, span.input_tokens, span.output_tokens,
                span.cost_usd, code[status],
            )
        )  # fmt: skip
        if len(self._closed) >= _CHUNK_ROWS:
            self._gather_spans()
            self._gather_events()

    def event(self, name: str, span: Span, detail: str = "", agent: str = "") -> None:
        """Record an event of a span, such as `fallback`; its agent is that of the span by default."""
        self.note(self.clock(), span.span_id, span.task, agent or span.agent, name, detail)

    def note(
        self,
        at_s: float,
        span_id: int,
        task: int,
        agent: str,
        name: str,
        detail: str,
        recipient: str = "",
        tokens: int = -1,
        hop: int = -1,
        message: int = -1,
        answers: int = -1,
    ) -> None:
        """Record an event by its values, which are those of an `Event`."""
        code = self._events.codes
        self._noted.append(
            (
                at_s, span_id, task, code[agent], code[name], code[detail], code[recipient], tokens, hop, message, answers,
            )
        )  # fmt: skip

    def _gather_spans(self) -> None:
        if self._closed:
            self._spans.extend_coded(USUAL_COLUMNS, self._closed, self._rare)
            self._closed.clear()
            self._rare.clear()

    def _gather_events(self) -> None:
        if self._noted:
            self._events.extend_coded(tuple(EVENT_COLUMNS), self._noted)
            self._noted.clear()


def as_json_lines(table: Table) -> str:
    """Write a table as JSON lines in the order of span ids; absent values are left out.

    Two runs are the same run if and only if this text is the same.
    """
    names = tuple(table.columns)
    key = names.index("span_id")
    lines = [
        json.dumps(
            {name: value for name, value in zip(names, row, strict=True) if not is_absent(value)}
        )
        for row in sorted(table.rows(), key=lambda row: row[key])
    ]
    return "".join(f"{line}\n" for line in lines)
