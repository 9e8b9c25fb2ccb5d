"""The recording that is nearest to a request that has none, and what differs."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from harness.cassettes.cassette import Interaction, RecordedRequest
from harness.cassettes.credentials import scrubbed_body
from harness.cassettes.matching import place_of

_LINES_MAX = 24
_COMPARED_MAX = 40
_TEXT_MAX = 2000
_WIDTH = 160


def nearest(request: RecordedRequest, among: Sequence[Interaction]) -> Interaction | None:
    """The interaction whose request is most like another; None if there are none."""
    same_place = [one for one in among if _place(one.request) == _place(request)]
    candidates = same_place or list(among)
    if not candidates:
        return None
    wanted = _tokens(request)
    rough = sorted(
        candidates, key=lambda one: (-_overlap(wanted, _tokens(one.request)), one.number)
    )[:_COMPARED_MAX]
    return max(rough, key=lambda one: (_likeness(request, one.request), -one.number))


def difference(recorded: RecordedRequest, asked: RecordedRequest) -> str:
    """What differs, line by line: `-` is the recording, `+` the request."""
    lines = [
        f"{sign} {one.method} {''.join(_place(one)[1:])}"
        for sign, one in (("-", recorded), ("+", asked))
        if _place(recorded) != _place(asked)
    ]
    lines += list(_changed_lines(_lines(recorded), _lines(asked)))
    if not lines:
        return "nothing differs but how often it was asked: the recording is used up"
    if len(lines) > _LINES_MAX:
        lines = [*lines[:_LINES_MAX], f"... and {len(lines) - _LINES_MAX} more lines"]
    return "\n".join(line if len(line) <= _WIDTH else f"{line[:_WIDTH]}..." for line in lines)


def no_recording(
    path: str, request: RecordedRequest, among: Sequence[Interaction], *, left: bool
) -> str:
    """The message about a request that has no recording.

    Args:
        path: The cassette.
        request: The request.
        among: What is recorded.
        left: Whether the same request is recorded, and all its recordings have been given.
    """
    head = f"{path}: there is no recording of {request.method} {''.join(_place(request)[1:])}"
    fix = '  How to fix: record it with mode="new", or with mode="drift", which also drops what is asked no more'
    if left:
        head = f"{path}: {request.method} {''.join(_place(request)[1:])} is asked more often than it was recorded"
        return f"{head}\n{fix}"
    near = nearest(request, among)
    if near is None:
        return f"{head}: the cassette is empty\n{fix}"
    shown = difference(near.request, request)
    body = "\n".join(f"    {line}" for line in shown.splitlines())
    return f"{head}\n  The nearest is interaction {near.number}{_who(near)}; it differs in:\n{body}\n{fix}"


def _who(one: Interaction) -> str:
    return f" (agent {one.agent!r}, call {one.call})" if one.agent else ""


def _place(request: RecordedRequest) -> tuple[str, str, str]:
    return (request.method, *place_of(request.host, request.path))


def _lines(request: RecordedRequest) -> list[str]:
    data = request.json
    if data is None:
        return scrubbed_body(request.body).decode("utf-8", "replace").splitlines()
    return [*_flat(data, "")]


def _flat(data: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - JSON is anything
    """One line for each value, with its path; a long text is several lines."""
    if isinstance(data, dict) and data:
        for key in sorted(data):
            yield from _flat(data[key], f"{path}.{key}" if path else str(key))
    elif isinstance(data, list) and data:
        for index, value in enumerate(data):
            yield from _flat(value, f"{path}[{index}]")
    elif isinstance(data, str) and "\n" in data:
        for number, line in enumerate(data[:_TEXT_MAX].splitlines(), 1):
            yield f"{path} (line {number}): {_plain(line)}"
    else:
        shown = json.dumps(data, ensure_ascii=False)
        yield f"{path}: {_plain(shown)}"


def _plain(text: str) -> str:
    return scrubbed_body(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _changed_lines(before: list[str], after: list[str]) -> Iterator[str]:
    changed = difflib.unified_diff(before, after, lineterm="", n=0)
    return (
        f"{line[0]} {line[1:]}"
        for line in changed
        if line[:1] in "+-" and not line.startswith(("---", "+++"))
    )


def _tokens(request: RecordedRequest) -> frozenset[str]:
    return frozenset(request.body[: 4 * _TEXT_MAX].decode("utf-8", "replace").split())


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


def _likeness(one: RecordedRequest, other: RecordedRequest) -> float:
    a, b = (each.body[:_TEXT_MAX].decode("utf-8", "replace") for each in (one, other))
    return difflib.SequenceMatcher(None, a, b, autojunk=False).quick_ratio()
