"""Spans as slices of Chrome's trace format.

A slice is written by a template, one for all spans with the same texts and the same numbers present: there are few.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Any, Final

from harness.metrics.lanes import by_beginning
from harness.spans import ATTEMPT, CANCELLED, ERROR, TASK, Table
from harness.trace.ids import microseconds
from harness.trace.timed import Timed

_COLOURS: Final = {ERROR: ',"cname":"terrible"', CANCELLED: ',"cname":"grey"'}
"""How spans are coloured that did not end well; chrome://tracing knows these names, Perfetto chooses for itself."""

_TEXTS = ("kind", "name", "status", "error", "fault")
_NUMBERS = ("span_id", "task", "ordinal", "arrival_s", "end_s")
_OF_ATTEMPTS = (
    "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd", "http_status", "start_s",
    "first_token_s",
)  # fmt: skip


def slices(spans: Table, pid: int, thread_of: Sequence[int], times: Timed) -> Iterator[str]:
    """The spans, the outer before the inner, and the times inside the attempts.

    Args:
        spans: The spans of a run.
        pid: The process that the run is.
        thread_of: By row, the thread of each span that has an end.
        times: What the times of the run amount to.
    """
    texts, parents, order = spans.texts, set(spans["parent_id"]), by_beginning(spans)
    slacks_s, of_attempts = times.slacks_s, [spans[name] for name in _OF_ATTEMPTS]
    templates: dict[_Key, str] = {}
    for row, codes, (span_id, task, ordinal, arrival_s, end_s) in zip(
        order, _ordered(spans, order, _TEXTS), _ordered(spans, order, _NUMBERS), strict=True
    ):
        kind, slack_s = texts[codes[0]], slacks_s[row]
        own: tuple[int | float | None, ...] = ()
        phases: Iterable[tuple[str, int, int]] = ()
        begin_us, end_us = microseconds(arrival_s), microseconds(end_s)
        if kind == ATTEMPT:
            *cells, start_s, first_token_s = [column[row] for column in of_attempts]
            own = _own_numbers(*cells)
            # What has parts of its own is drawn with them; the times of an attempt might cross them.
            if begin_us < end_us and span_id not in parents:
                phases = _phases(begin_us, start_s, first_token_s, end_us, texts[codes[2]])
        numbers = (ordinal if ordinal >= 0 else None, *own, slack_s if slack_s == slack_s else None)
        present = tuple([number is not None for number in numbers])
        key = (codes, present, span_id in times.on_path)
        if key not in templates:
            templates[key] = _template(pid, texts, *key)
        tid = thread_of[row]
        title = (task,) if kind == TASK else ()
        yield templates[key] % (
            tid, begin_us, end_us - begin_us, *title, span_id, task, *compress(numbers, present),
        )  # fmt: skip
        for phase, from_us, to_us in phases:
            yield (
                f'{{"ph":"X","pid":{pid},"tid":{tid},"ts":{from_us},"dur":{to_us - from_us},"cat":"phase",'
                f'"name":"{phase}"}}'
            )


_Key = tuple[tuple[int, ...], tuple[bool, ...], bool]
"""The codes of a span's texts, which of its numbers are present, and whether a critical path spends time in it."""


def _ordered(spans: Table, order: Sequence[int], names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of some columns in an order, texts as codes."""
    return zip(*(map(spans[name].__getitem__, order) for name in names), strict=True)


_OWN: Final = (
    '"input_tokens":%s', '"output_tokens":%s', '"cache_read_tokens":%s', '"cache_write_tokens":%s', '"cost_usd":%s',
    '"http_status":%s',
)  # fmt: skip
"""The numbers that only an attempt has."""


def _own_numbers(
    input_tokens: int, output_tokens: int, cache_read_tokens: int, cache_write_tokens: int, cost_usd: float, http_status: int
) -> tuple[int | float | None, ...]:  # fmt: skip
    """They themselves; None for those that are absent."""
    return (
        input_tokens if input_tokens >= 0 else None,
        output_tokens if input_tokens >= 0 else None,
        cache_read_tokens if cache_read_tokens >= 0 else None,
        cache_write_tokens if cache_write_tokens >= 0 else None,
        cost_usd if cost_usd == cost_usd else None,
        http_status if http_status >= 0 else None,
    )


def _template(
    pid: int, texts: Sequence[str], codes: tuple[int, ...], present: tuple[bool, ...], critical: bool  # noqa: FBT001 - of a key
) -> str:  # fmt: skip
    """The text of spans, with places for thread, beginning, duration, of tasks the task, span, task, and numbers."""
    kind, name, status, error, fault = (texts[code] for code in codes)
    title = _literal(name)
    if kind == TASK:
        title = f'"task %s {title[1:]}'
    arguments = ['"span_id":%s', '"task":%s', f'"status":{_literal(status)}']
    arguments += [f'"{what}":{_literal(text)}' for what, text in (("error", error), ("fault", fault)) if text]  # fmt: skip
    own = _OWN if kind == ATTEMPT else ()
    arguments += compress(('"ordinal":%s', *own, '"slack_s":%.6f'), present)
    if critical:
        arguments.append('"critical":true')
    return (
        f'{{"ph":"X","pid":{pid},"tid":%s,"ts":%s,"dur":%s,"cat":{_literal(kind)},"name":{title}{_COLOURS.get(status, "")},'
        f'"args":{{{",".join(arguments)}}}}}'
    )


def _literal(text: str) -> str:
    """A text as JSON, as it stands in a template."""
    return json.dumps(text).replace("%", "%%")


def _phases(
    begin_us: int, start_s: float, first_token_s: float, end_us: int, status: str
) -> Iterator[tuple[str, int, int]]:
    """The times inside an attempt that took any: name, from when, to when [µs]."""
    served_us = end_us if start_s != start_s else min(max(microseconds(start_s), begin_us), end_us)
    token_us = end_us
    if first_token_s == first_token_s:
        token_us = min(max(microseconds(first_token_s), served_us), end_us)
    elif status != ERROR and start_s != start_s:
        token_us = served_us
    for phase, from_us, to_us in (
        ("queue", begin_us, served_us),
        ("prefill", served_us, token_us),
        ("generation", token_us, end_us),
    ):
        if from_us < to_us:
            yield phase, from_us, to_us
