"""The simplest text that matches a regular expression: first alternatives, fewest repetitions."""

from __future__ import annotations

import re
from re import _parser as parser  # type: ignore[attr-defined]  # private; what `sre_parse` was until Python 3.11
from typing import Any


def text_of(pattern: str, least: int, most: int) -> str:
    """A text in which the pattern is found.

    Look-arounds are ignored, so the caller must check that the text matches.

    Args:
        pattern: The regular expression.
        least: How long the text should be at least; a repetition in it is made longer for that.
        most: How long it may be; what a pattern wants beyond it is left out.
    """
    try:
        parsed = parser.parse(pattern)
    except (re.error, RecursionError, OverflowError):
        return ""
    text = ""
    for more in (0, max(0, least - len(_text(parsed, 0, most, [])))):
        text = _text(parsed, more, most, [])
    if len(text) < least and not pattern.endswith("$"):
        text = text.ljust(least, "t")
    return text[:most]


def _text(parsed: Any, more: int, most: int, groups: list[str]) -> str:  # noqa: ANN401 - the parser's own
    """The text of parts in a row.

    Args:
        parsed: The parts.
        more: How many repetitions beyond the least the first one that may have them gets.
        most: How long the text may be.
        groups: The texts of groups so far, for references back to them.
    """
    said = ""
    for name, value in parsed:
        kind = str(name)
        if kind in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, inner = value
            extra = min(more, int(high) - low)
            more -= extra
            one = _text(inner, 0, most, groups)
            said += one * min(low + extra, most // max(1, len(one)) + 1)
        else:
            said += _part(kind, value, more, most, groups)
        if len(said) > most:
            break
    return said


def _part(kind: str, value: Any, more: int, most: int, groups: list[str]) -> str:  # noqa: ANN401 - the parser's own
    match kind:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return "b" if value == ord("a") else "a"
        case "ANY":
            return "a"
        case "IN":
            return _one_of(value)
        case "BRANCH":
            return _text(value[1][0], more, most, groups)
        case "SUBPATTERN":
            groups.append(_text(value[3], more, most, groups))
            return groups[-1]
        case "ATOMIC_GROUP":
            return _text(value, more, most, groups)
        case "GROUPREF":
            return groups[value - 1] if value <= len(groups) else ""
    return ""


_OF_CATEGORY = {
    "CATEGORY_DIGIT": "0",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_SPACE": "a",
    "CATEGORY_WORD": "a",
    "CATEGORY_NOT_WORD": "-",
}


def _one_of(members: Any) -> str:  # noqa: ANN401 - the parser's own
    """The first sign of a set; of one that excludes signs, the first usual one that it does not."""
    kind, value = members[0]
    if str(kind) == "NEGATE":
        matches = [_signs(member) for member in members[1:]]
        return next((sign for sign in "abtx0 -_" if not any(sign in some for some in matches)), "~")
    if str(kind) == "RANGE":
        return chr(value[0])
    return chr(value) if str(kind) == "LITERAL" else _OF_CATEGORY.get(str(value), "a")


def _signs(member: Any) -> str:  # noqa: ANN401 - the parser's own
    """The usual signs that a member of a set covers."""
    kind, value = str(member[0]), member[1]
    usual = "abtx0 -_"
    if kind == "LITERAL":
        return chr(value)
    if kind == "RANGE":
        return "".join(sign for sign in usual if value[0] <= ord(sign) <= value[1])
    covers = {"CATEGORY_DIGIT": str.isdigit, "CATEGORY_SPACE": str.isspace}
    test = covers.get(str(value), lambda sign: sign.isalnum() or sign == "_")
    return "".join(sign for sign in usual if test(sign))
