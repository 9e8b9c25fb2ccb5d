"""The details of a mark, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from harness.rate_limits import in_words
from harness.report.palette import WORDS
from harness.report.timeline.names import shown
from harness.report.timeline.pieces import Piece
from harness.spans import Table
from harness.units import render

LEGEND: Final = WORDS | {"work": "generating"}
"""What the kinds of marks are called: tools have a kind of their own here."""

_COLUMNS = (
    "kind", "name", "agent", "model", "task", "ordinal", "input_tokens", "output_tokens", "cache_read_tokens", "cost_usd",
    "status", "error", "http_status", "retry_after_s", "fault", "limited_by",
)  # fmt: skip


class Details:
    """Tells of marks what their spans hold.

    Args:
        spans: The spans.
        slack_s: By span_id, how much longer each could have taken [s], as far as it is known.
    """

    def __init__(self, spans: Table, slack_s: Mapping[int, float]) -> None:
        self._columns = {name: spans.values(name) for name in _COLUMNS}
        self._slack_s = slack_s

    def of_one(self, piece: Piece, zero_s: float) -> str:
        """Of one span: who, what, when, how much, and how it ended.

        Args:
            piece: What is drawn.
            zero_s: The moment that times count from [s].
        """
        span = {name: column[piece.row] for name, column in self._columns.items()}
        who = f"{shown(span['agent'])}, " if span["agent"] else ""
        return "; ".join(
            [
                f"{who}{LEGEND[piece.kind]}: {_time(piece, zero_s)}",
                *_what(span),
                *_amounts(span),
                *_end(span),
                *self._room(piece.span_id),
            ]
        )

    def of_several(self, piece: Piece, zero_s: float) -> str:
        """Of several spans that are drawn as one."""
        return f"{times(piece.number)} {LEGEND[piece.kind]}: {_time(piece, zero_s)}"

    def _room(self, span_id: int) -> Iterator[str]:
        if span_id in self._slack_s:
            slack_s = self._slack_s[span_id]
            yield f"slack {render('slack_s', slack_s)}" if slack_s > 0 else "no slack"


def times(number: int) -> str:
    """How often."""
    return "once" if number == 1 else f"{number:,} times"


def _time(piece: Piece, zero_s: float) -> str:
    duration = render("duration_s", piece.until_s - piece.from_s)
    return f"{duration} from {render('from_s', piece.from_s - zero_s)}"


def _what(span: Mapping[str, Any]) -> Iterator[str]:
    if span["name"]:
        yield f"{span['kind']} {shown(span['name'])}"
    if span["model"] and span["model"] != span["name"]:
        yield f"model {shown(span['model'])}"
    if span["task"] >= 0:
        yield f"task {span['task']}"
    if span["ordinal"] > 1:
        yield f"number {span['ordinal']}"


def _amounts(span: Mapping[str, Any]) -> Iterator[str]:
    if span["input_tokens"] >= 0:
        yield f"{span['input_tokens']:,} tokens read"
    if span["cache_read_tokens"] > 0:
        yield f"{span['cache_read_tokens']:,} from a cache"
    if span["output_tokens"] >= 0:
        yield f"{span['output_tokens']:,} written"
    if span["cost_usd"] == span["cost_usd"]:
        yield render("cost_usd", span["cost_usd"])


def _end(span: Mapping[str, Any]) -> Iterator[str]:
    if span["status"]:
        yield span["status"]
    if span["error"]:
        yield shown(span["error"])
    if span["http_status"] >= 0:
        yield f"HTTP {span['http_status']}"
    if span["limited_by"]:
        yield f"limit of {shown(in_words(span['limited_by']))}"
    if span["retry_after_s"] == span["retry_after_s"]:
        yield f"asked to wait {render('retry_after_s', span['retry_after_s'])}"
    if span["fault"]:
        yield f"fault {shown(span['fault'])}"
