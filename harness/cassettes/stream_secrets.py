"""Take secrets out of streams, where a text comes in pieces: a key that is cut into several events is found in the whole text."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

from harness.scrub import REMOVED

_TEXTS = frozenset(
    {
        "text",
        "thinking",
        "partial_json",
        "content",
        "arguments",
        "delta",
        "refusal",
        "reasoning_content",
    }
)
"""Fields of events that hold the next piece of a text."""

_LINE = re.compile(rb"^data:[ ]?(\{.*\})[ ]*\r?$", re.MULTILINE)


def scrubbed_stream(body: bytes, scrub: Callable[[str], str]) -> bytes:
    """A stream of events without secrets that are cut into several events; one that has none stays as it is.

    Args:
        body: The stream.
        scrub: Takes secrets out of a text.
    """
    lines = list(_LINE.finditer(body))
    events: list[Any] = []
    for line in lines:
        try:
            events.append(json.loads(line[1]))
        except ValueError:
            events.append(None)
    pieces: dict[tuple[object, ...], list[tuple[int, dict[str, Any], str]]] = {}
    for place, event in enumerate(events):
        for path, holder, name in _pieces(event, ()):
            pieces.setdefault(path, []).append((place, holder, name))
    changed = {place for found in pieces.values() for place in _scrub(found, scrub)}
    if not changed:
        return body
    parts, end = [], 0
    for place, line in enumerate(lines):
        if place in changed:
            text = json.dumps(events[place], ensure_ascii=False, separators=(",", ":"))
            parts += [body[end : line.start(1)], text.encode("utf-8", "surrogatepass")]
            end = line.end(1)
    return b"".join([*parts, body[end:]])


def _pieces(
    data: object, path: tuple[object, ...]
) -> Iterator[tuple[tuple[object, ...], dict[str, Any], str]]:
    """The pieces of texts in an event: which text each belongs to, and where it stands."""
    if isinstance(data, dict):
        index = data.get("index", data.get("output_index", ""))
        for name, value in data.items():
            if isinstance(value, str) and name in _TEXTS:
                yield (*path, index, name), data, name
            elif isinstance(value, dict | list):
                yield from _pieces(value, (*path, index, name))
    elif isinstance(data, list):
        for each in data:
            yield from _pieces(each, path)


def _scrub(found: list[tuple[int, dict[str, Any], str]], scrub: Callable[[str], str]) -> set[int]:
    """Take secrets out of one text; returns the places of the events that changed."""
    texts = [holder[name] for _, holder, name in found]
    whole = "".join(texts)
    without = scrub(whole)
    if without == whole or len(found) == 1:
        return set()
    ends, place = [], 0
    for text in texts:
        place += len(text)
        ends.append(place)
    new = _cut(whole, without, ends)
    changed = set()
    for (at, holder, name), text in zip(found, new, strict=True):
        if holder[name] != text:
            holder[name] = text
            changed.add(at)
    return changed


def _cut(whole: str, without: str, ends: list[int]) -> list[str]:
    """A text without secrets, cut where the text was; what stands for a secret is in the piece where it began."""
    new = [""] * len(ends)
    for begin, end, instead in _segments(whole, without):
        piece = min(bisect_right(ends, begin), len(ends) - 1)
        if instead is not None:
            new[piece] += instead
            continue
        while begin < end:
            upto = end if piece == len(ends) - 1 else min(end, ends[piece])
            new[piece] += whole[begin:upto]
            begin, piece = upto, piece + 1  # noqa: PLW2901 - the rest of the segment
    return new


def _segments(whole: str, without: str) -> list[tuple[int, int, str | None]]:
    """Begin and end of what stays of a text, and of what something else stands for."""
    found: list[tuple[int, int, str | None]] = []
    place = 0
    kept = without.split(REMOVED)
    for number, part in enumerate(kept):
        begin = place if number == 0 else whole.find(part, place)
        if number == len(kept) - 1 and number:
            begin = len(whole) - len(part)
        if begin < place or not whole.startswith(part, begin):
            return _one_segment(whole, without)
        if number:
            found.append((place, begin, REMOVED))
        place = begin + len(part)
        found.append((begin, place, None))
    return found if place == len(whole) else _one_segment(whole, without)


def _one_segment(whole: str, without: str) -> list[tuple[int, int, str | None]]:
    """The same, where a scrubber writes something else: all between the first and the last change."""
    begin = _alike(whole, without)
    same = _alike(whole[begin:][::-1], without[begin:][::-1])
    end = len(whole) - same
    return [
        (0, begin, None),
        (begin, end, without[begin : len(without) - same]),
        (end, len(whole), None),
    ]


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
