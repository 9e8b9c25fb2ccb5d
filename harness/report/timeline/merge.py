"""Merge pieces of one lane and kind that share a pixel.

A picture is `PIXELS` wide, and may be drawn wider without becoming truer. In a pixel the kinds are laid one after another, each as
wide as its time, so that what a reader sees of a pixel is what its time was spent on.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

from harness.report.timeline.pieces import Piece

PIXELS: Final = 1000
"""Across the time of a picture: about as many as it has on a screen."""

MARKS: Final = 5000
"""In one picture at most: one pixel after another is made twice as wide until there are so few. Keeps files small."""


def merged(pieces: Sequence[Piece], from_s: float, until_s: float) -> list[Piece]:
    """The pieces with narrow ones merged, as few as `MARKS` at most.

    Args:
        pieces: In the order of time.
        from_s: When the picture begins [s].
        until_s: When it ends [s].
    """
    pixels = PIXELS
    while pixels > 1 and _too_many(pieces, from_s, _pixel_s(from_s, until_s, pixels)):
        pixels //= 2
    return _merged(pieces, from_s, _pixel_s(from_s, until_s, pixels))


def _pixel_s(from_s: float, until_s: float, pixels: int = PIXELS) -> float:
    """The time of a pixel [s]; where no time passed, any time will do."""
    return (until_s - from_s) / pixels or 1.0


def _too_many(pieces: Sequence[Piece], from_s: float, pixel_s: float) -> bool:
    """Whether more than `MARKS` would be left; found out before merging, because this is far quicker."""
    left = MARKS
    pixels: set[tuple[int, int, str]] = set()
    for piece_from_s, piece_until_s, lane, _, kind, _, _ in pieces:
        if piece_until_s - piece_from_s < pixel_s:
            pixel = (lane, int(((piece_from_s + piece_until_s) / 2 - from_s) / pixel_s), kind)
            if pixel in pixels:
                continue
            pixels.add(pixel)
        left -= 1
        if left < 0:
            return True
    return False


def _merged(pieces: Sequence[Piece], from_s: float, pixel_s: float) -> list[Piece]:
    found: list[Piece] = []
    narrow: dict[tuple[int, int, str], list[Piece]] = {}
    for piece in pieces:
        piece_from_s, piece_until_s, lane, _, kind, _, _ = piece
        if piece_until_s - piece_from_s >= pixel_s:
            found.append(piece)
        else:
            pixel = int(((piece_from_s + piece_until_s) / 2 - from_s) / pixel_s)
            narrow.setdefault((lane, pixel, kind), []).append(piece)
    laid_until_s: dict[tuple[int, int], float] = {}
    for (lane, pixel, _), group in narrow.items():
        one = _as_one(group, laid_until_s.get((lane, pixel), from_s))
        laid_until_s[lane, pixel] = one.until_s
        found.append(one)
    found.sort()
    return found


def _as_one(group: Sequence[Piece], earliest_s: float) -> Piece:
    """One piece for those of a pixel and a kind, behind what has been laid in that pixel before."""
    first = group[0]
    begin_s = max(earliest_s, first.from_s)
    if len(group) == 1 and begin_s == first.from_s:
        return first
    busy_s = math.fsum(piece.until_s - piece.from_s for piece in group)
    number = sum(piece.number for piece in group)
    return Piece(begin_s, begin_s + busy_s, first.lane, first.span_id, first.kind, first.row, number)  # fmt: skip


def crowd(pieces: Sequence[Piece], from_s: float, until_s: float) -> list[Piece]:
    """Many at once in one lane: at each pixel, what most of them were doing.

    Args:
        pieces: Of several lanes that are drawn as one, in the order of time.
        from_s: When the picture begins [s].
        until_s: When it ends [s].
    """
    pixel_s = _pixel_s(from_s, until_s)
    kinds = list(dict.fromkeys(piece.kind for piece in pieces))
    begun, ended = _begun_and_ended(pieces, from_s, pixel_s)
    at_once = dict.fromkeys(kinds, 0)
    found: list[Piece] = []
    first = pieces[0]
    for pixel in range(PIXELS):
        for kind in kinds:
            at_once[kind] += begun[kind, pixel] - ended[kind, pixel]
        most = max(kinds, key=at_once.__getitem__)
        if not at_once[most]:
            continue
        begin_s = from_s + pixel * pixel_s
        end_s = from_s + (pixel + 1) * pixel_s
        last = found[-1] if found else None
        if last is not None and last.kind == most and last.until_s == begin_s:
            found[-1] = last._replace(until_s=end_s, number=last.number + begun[most, pixel])
        else:
            found.append(first._replace(from_s=begin_s, until_s=end_s, kind=most, number=at_once[most]))  # fmt: skip
    return found


def _begun_and_ended(
    pieces: Sequence[Piece], from_s: float, pixel_s: float
) -> tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]]:
    """How many pieces of a kind begin in a pixel, and how many are over in it; each takes one pixel at least."""
    begun: Counter[tuple[str, int]] = Counter()
    ended: Counter[tuple[str, int]] = Counter()
    for piece in pieces:
        begin = min(max(int((piece.from_s - from_s) / pixel_s), 0), PIXELS - 1)
        begun[piece.kind, begin] += 1
        ended[piece.kind, max(round((piece.until_s - from_s) / pixel_s), begin + 1)] += 1
    return begun, ended
