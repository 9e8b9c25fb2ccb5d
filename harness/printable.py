"""Texts from outside as they may be shown: nothing in them moves a cursor or turns the text around them."""

from __future__ import annotations

import re
import unicodedata

# What XML 1.0 forbids even as an entity, other controls, halves of surrogate pairs, and the marks that turn text around.
_NOT_IN_MARKUP = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def printable(text: str) -> str:
    """A text for a terminal, with a question mark for each character that is not printable; lines stay lines."""
    return "".join(
        char if char.isprintable() or char == "\n" or unicodedata.category(char) == "Zs" else "?"
        for char in text
    )


def printable_line(text: str) -> str:
    """A text for a terminal on one line: line ends and tabs are spaces."""
    return "".join(char if char.isprintable() else " " if char.isspace() else "?" for char in text)


def printable_markup(text: str) -> str:
    """A text for HTML or SVG, still to be escaped; its lines and its length stay, and what joins letters or emoji."""
    return _NOT_IN_MARKUP.sub("\ufffd", text)
