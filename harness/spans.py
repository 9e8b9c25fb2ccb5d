"""What happened in a run: spans, events, and the tables that hold them by column.

A span is an interval with a parent. One task looks like this::

    task 7
      agent lead                     one turn of an agent: from the message it got to the message it gave
        call 1                       what the agent awaited, however many tries it took
          attempt 1                  one request at the provider
          wait backoff               time in which nothing was asked of anybody
          attempt 2
        tool search

The times of an attempt::

    arrival_s            start_s             first_token_s                          end_s
       |--- queue_wait_s ---|---- prefill_s -----|-- itl_s --|-- itl_s --| ... -------|

All times are virtual seconds since the run began. An absent value is NaN (float), -1 (int) or "" (text) in memory and
NULL in a store; it is never zero. Both wings of the house stand on this module, and it knows neither.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, Final, Literal

TASK: Final = "task"
AGENT: Final = "agent"
CALL: Final = "call"
ATTEMPT: Final = "attempt"
TOOL: Final = "tool"
WAIT: Final = "wait"

OK: Final = "ok"
ERROR: Final = "error"
CANCELLED: Final = "cancelled"
"""The end that a span has when somebody else gave up on it: a timeout, a failed sibling, the horizon."""

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
    "cost_usd": "float",
    "status": "text",
    "error": "text",
    "http_status": "int",
    "retry_after_s": "float",
    "fault": "text",
    "correct": "int",
}
"""Name and type of each column of a span, in order; `store/schema.sql` says what each means."""

EVENT_COLUMNS: Final[dict[str, ColumnType]] = {
    "at_s": "float",
    "span_id": "int",
    "task": "int",
    "agent": "text",
    "name": "text",
    "detail": "text",
}

# Rows are gathered and turned into columns this many at a time: large enough that the turning is free, small enough
# that the rows do not count against the memory of a long run.
_CHUNK_ROWS = 4096


class Table:
    """Rows kept by column: numbers in arrays, texts as codes into `texts`.

    It is created empty, grows by `append`, and may be pickled to another process at any time.
    """

    def __init__(self, columns: dict[str, ColumnType]) -> None:
        self.columns = columns
        self.texts: list[str] = []
        """Every text that occurs, in the order of its first use; a text column holds indices into it."""
        self._codes: dict[str, int] = {}
        self._arrays: dict[str, array[Any]] = {
            name: array({"float": "d", "int": "q", "text": "i"}[kind])
            for name, kind in columns.items()
        }
        self._rows: list[tuple[Any, ...]] = []

    def append(self, row: tuple[Any, ...]) -> None:
        """Add one row, its values in the order of the columns."""
        self._rows.append(row)
        if len(self._rows) >= _CHUNK_ROWS:
            self._flush()

    def __getitem__(self, name: str) -> array[Any]:
        """The array of one column."""
        self._flush()
        return self._arrays[name]

    def __len__(self) -> int:
        return len(self._arrays["task"]) + len(self._rows)

    def values(self, name: str) -> Sequence[Any]:
        """The values of one column, texts as texts."""
        column = self[name]
        if self.columns[name] == "text":
            texts = self.texts
            return [texts[code] for code in column]
        return column

    def rows(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """The rows, as tuples of the named columns, or of all."""
        return zip(*(self.values(name) for name in names or self.columns), strict=True)

    def _flush(self) -> None:
        if not self._rows:
            return
        for (name, kind), values in zip(
            self.columns.items(), zip(*self._rows, strict=True), strict=True
        ):
            if kind == "text":
                self._arrays[name].extend(map(self._code, values))
            else:
                self._arrays[name].extend(values)
        self._rows.clear()

    def _code(self, text: str) -> int:
        code = self._codes.get(text)
        if code is None:
            code = self._codes[text] = len(self.texts)
            self.texts.append(text)
        return code

    def __getstate__(self) -> dict[str, Any]:
        self._flush()
        return self.__dict__


class Span:
    """An interval that is still open: created by `SpanLog.open`, filled in by whoever knows more, closed once.

    The class attributes are the absent values, so that a span pays only for what it knows.
    """

    first_token_s: float = ABSENT
    """When the first token was there [s]; only of attempts."""
    input_tokens: int = -1
    """Tokens read at full price, without cached ones."""
    output_tokens: int = -1
    cost_usd: float = ABSENT
    """What it cost [USD]; absent when the price is not known."""
    error: str = ""
    """The kind of failure: the provider's error type, or the name of an exception."""
    http_status: int = -1
    retry_after_s: float = ABSENT
    """How long the provider asked to wait [s]."""
    fault: str = ""
    """The injected fault that this span met."""
    correct: int = -1
    """1 when what was said is right, 0 when it is wrong; absent when the scenario says nothing of accuracy."""

    def __init__(  # noqa: PLR0913 - a record, made in one place
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


class SpanLog:
    """The spans and events of one run, as they happen.

    Args:
        clock: Tells the virtual time [s].
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.spans = Table(SPAN_COLUMNS)
        self.events = Table(EVENT_COLUMNS)
        self._ids = count(1)

    def open(
        self,
        kind: str,
        name: str,
        parent: Span | None,
        *,
        agent: str = "",
        model: str = "",
        ordinal: int = -1,
        task: int = -1,
    ) -> Span:
        """Begin a span now; it belongs to its parent's task unless it is a task itself."""
        if parent is None:
            return Span(next(self._ids), -1, task, kind, name, agent, model, ordinal, self.clock())
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

    def close(self, span: Span, status: str = OK) -> None:
        """End a span now."""
        self.spans.append(
            (
                span.span_id,
                span.parent_id,
                span.task,
                span.kind,
                span.name,
                span.agent,
                span.model,
                span.ordinal,
                span.arrival_s,
                span.start_s,
                span.first_token_s,
                self.clock(),
                span.input_tokens,
                span.output_tokens,
                span.cost_usd,
                status,
                span.error,
                span.http_status,
                span.retry_after_s,
                span.fault,
                span.correct,
            )
        )

    def event(self, name: str, span: Span, detail: str = "") -> None:
        """Note a point in time that belongs to a span, such as `fallback`."""
        self.events.append((self.clock(), span.span_id, span.task, span.agent, name, detail))


def as_json_lines(table: Table) -> str:
    """Write a table as JSON, one object a row in the order of span ids; absent values are left out.

    Two runs are the same run if and only if this text is the same.
    """
    names = tuple(table.columns)
    key = names.index("span_id")
    lines = [
        json.dumps({name: value for name, value in zip(names, row, strict=True) if not _absent(value)})
        for row in sorted(table.rows(), key=lambda row: row[key])
    ]
    return "".join(f"{line}\n" for line in lines)


def _absent(value: float | str) -> bool:
    if isinstance(value, str):
        return not value
    return value == -1 or value != value  # noqa: PLR0124 - NaN is the one value unlike itself
