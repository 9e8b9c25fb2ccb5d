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
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from struct import pack
from typing import Any, Final, Literal, NamedTuple

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

ColumnType = Literal["float", "int", "text"]

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

MESSAGE: Final = "message"
"""Name of the event that a member of a team, or the user, has got a message."""

_TYPE_CODES: Final[dict[ColumnType, str]] = {"float": "d", "int": "q", "text": "i"}
"""How `array` and `struct` call the types."""

# Rows are gathered and turned into columns this many at a time: large enough that the turning is free, small enough
# that the rows do not count against the memory of a long run.
_CHUNK_ROWS = 1024


class _Codes(dict[str, int]):
    """The code of each text: its index in order of first use."""

    def __missing__(self, text: str) -> int:
        code = self[text] = len(self)
        return code


class Table:
    """Rows kept by column: numbers in arrays, texts as codes into `texts`.

    It is created empty, grows by `extend`, and may be pickled to another process at any time.

    Args:
        columns: Name and type of each column.
    """

    def __init__(self, columns: dict[str, ColumnType]) -> None:
        self.columns = columns
        self._codes = _Codes()
        self._arrays: dict[str, array[Any]] = {
            name: array(_TYPE_CODES[kind]) for name, kind in columns.items()
        }

    @property
    def texts(self) -> list[str]:
        """Every text that occurs, in the order of its first use; a text column holds indices into it."""
        return list(self._codes)

    def extend(self, *columns: list[Any]) -> None:
        """Add rows, as one list per column, in the order of the columns."""
        for (name, kind), values in zip(self.columns.items(), columns, strict=True):
            self._arrays[name].frombytes(self._packed(kind, values))

    def _packed(self, kind: ColumnType, values: list[Any]) -> bytes:
        """Values as an array keeps them: `array.fromlist` parses each like an argument of a call, at three times the price."""
        code, many = _TYPE_CODES[kind], len(values)
        if many > 1 and _absent(values[0]) and values.count(values[0]) == many:
            return self._packed(kind, values[:1]) * many  # most columns of most spans
        coded = map(self._codes.__getitem__, values) if kind == "text" else values
        return pack(f"{many}{code}", *coded)

    def __getitem__(self, name: str) -> array[Any]:
        """The array of one column."""
        return self._arrays[name]

    def __len__(self) -> int:
        return len(next(iter(self._arrays.values())))

    def values(self, name: str) -> Sequence[Any]:
        """The values of one column, texts as texts."""
        column = self._arrays[name]
        if self.columns[name] == "text":
            texts = self.texts
            return [texts[code] for code in column]
        return column

    def rows(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """The rows, as tuples of the named columns, or of all."""
        return zip(*(self.values(name) for name in names or self.columns), strict=True)


class Span:
    """An interval: opened by `SpanLog.open`, filled in while it is open, closed once and not changed afterwards."""

    __slots__ = tuple(SPAN_COLUMNS)

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
        self.cache_read_tokens = -1
        """Tokens read from a prompt cache; absent where no cache was asked for."""
        self.cache_write_tokens = -1
        """Tokens read and written to a prompt cache; absent where no cache was asked for."""
        self.cost_usd: float = ABSENT
        """What it cost [USD]; absent when the price is not known."""
        self.status = ""
        """How it ended: `ok`, `error` or `cancelled`."""
        self.error = ""
        """The kind of failure: the provider's error type, or the name of an exception."""
        self.http_status = -1
        """Of an answer that was no reply; absent when there was one, or no answer at all."""
        self.retry_after_s: float = ABSENT
        """How long the provider asked to wait [s]."""
        self.fault = ""
        """The injected fault that this span met."""
        self.correct = -1
        """1 when what was said is right, 0 when it is wrong; absent when the scenario says nothing of accuracy."""
        self.repeats = -1
        """span_id of the failed call that the program repeats with this one; of a call, and of its first attempt."""
        self.customer = ""
        """Whom a task is for; only of tasks."""
        self.priority = -1
        """How much a task matters, 0 the least; only of tasks."""
        self.limited_by = ""
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
        self._closed: list[Span] = []
        self._noted: list[tuple[Any, ...]] = []
        self.note: Callable[[tuple[Any, ...]], None] = self._noted.append
        """Notes a point in time, as the values of an `Event`."""
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
        span.customer = customer or ""
        if customer:
            self._customers[number] = customer
        span.priority = -1 if priority is None else priority
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
        span.end_s = self.clock() if end_s is None else end_s
        span.status = status
        self._closed.append(span)
        if len(self._closed) >= _CHUNK_ROWS:
            self._gather_spans()
            self._gather_events()

    def event(self, name: str, span: Span, detail: str = "", agent: str = "") -> None:
        """Record an event of a span, such as `fallback`; its agent is that of the span by default."""
        # A plain tuple: an `Event` takes three times as long to make.
        self._noted.append(
            (
                self.clock(), span.span_id, span.task, agent or span.agent, name, detail,
                "", -1, -1, -1, -1,
            )
        )  # fmt: skip

    def _gather_events(self) -> None:
        if self._noted:
            self._events.extend(*map(list, zip(*self._noted, strict=True)))
            self._noted.clear()

    def _gather_spans(self) -> None:
        """Turn closed spans into columns; written out, because this runs for every span and a loop takes twice as long."""
        spans = self._closed
        self._spans.extend(
            [span.span_id for span in spans],
            [span.parent_id for span in spans],
            [span.task for span in spans],
            [span.kind for span in spans],
            [span.name for span in spans],
            [span.agent for span in spans],
            [span.model for span in spans],
            [span.ordinal for span in spans],
            [span.arrival_s for span in spans],
            [span.start_s for span in spans],
            [span.first_token_s for span in spans],
            [span.end_s for span in spans],
            [span.input_tokens for span in spans],
            [span.output_tokens for span in spans],
            [span.cache_read_tokens for span in spans],
            [span.cache_write_tokens for span in spans],
            [span.cost_usd for span in spans],
            [span.status for span in spans],
            [span.error for span in spans],
            [span.http_status for span in spans],
            [span.retry_after_s for span in spans],
            [span.fault for span in spans],
            [span.correct for span in spans],
            [span.repeats for span in spans],
            [span.customer for span in spans],
            [span.priority for span in spans],
            [span.limited_by for span in spans],
        )
        spans.clear()


def as_json_lines(table: Table) -> str:
    """Write a table as JSON lines in the order of span ids; absent values are left out.

    Two runs are the same run if and only if this text is the same.
    """
    names = tuple(table.columns)
    key = names.index("span_id")
    lines = [
        json.dumps(
            {name: value for name, value in zip(names, row, strict=True) if not _absent(value)}
        )
        for row in sorted(table.rows(), key=lambda row: row[key])
    ]
    return "".join(f"{line}\n" for line in lines)


def _absent(value: float | str) -> bool:
    if isinstance(value, str):
        return not value
    return value == -1 or value != value
