"""Untrusted texts for display: one line, bounded length, no bidirectional control characters."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from harness.printable import printable_markup

LETTERS: Final = 60
"""Of a name in details: as much as anybody reads, and so little that a thousand marks stay a small file."""

_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_RIGHT_TO_LEFT = {"R", "AL", "AN"}


@lru_cache(maxsize=1024)  # names are few, and marks are many
def shown(text: str, letters: int = LETTERS) -> str:
    """A text from outside on one line, cut with an ellipsis; it still has to be escaped.

    Args:
        text: An untrusted name.
        letters: How many it may have; those that are drawn twice as wide count twice.
    """
    cut = text[: 4 * letters]  # spaces may yet fall together
    line = " ".join(printable_markup(cut).split())
    line = _fitting(line, letters, longer=len(cut) < len(text))
    if any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in line):
        return f"{_FIRST_STRONG_ISOLATE}{line}{_POP_ISOLATE}"
    return line


def width(text: str) -> int:
    """How many letters of common width a text is as wide as."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _fitting(line: str, letters: int, *, longer: bool) -> str:
    if width(line) <= letters and not longer:
        return line
    taken = 0
    for place, letter in enumerate(line):
        taken += width(letter)
        if taken >= letters:
            return f"{line[:place]}…"
    return f"{line}…"
