"""What an agent decided, read from the text of its reply: a list, fields, or one of several options.

Models answer in prose, Markdown or JSON, whatever they were asked for. These functions accept the usual forms of each and
never guess: what cannot be read gives an empty result, and the caller decides what that means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

DECISION_FIELDS = ("decision", "vote", "verdict")
"""Fields that state a decision, by precedence."""

_FENCE = re.compile(r"^\s*```.*$", re.MULTILINE)
_BOLD = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_DASH = re.compile(r"^(?P<indent>[ \t]*)[-*+•]\s+", re.MULTILINE)
_NUMBER = re.compile(r"(?<!\S)(?P<number>\d+)[.)]\s+")
_LINE_NUMBER = re.compile(r"^(?P<indent>[ \t]*)(?:#+\s*)?(?P<number>\d+)[.)]\s+", re.MULTILINE)
_FIELD = re.compile(
    r"^\s*(?:[-*+•]\s+|#+\s+)?(?P<key>[^\W\d_][\w -]{0,39}?)\s*:(?:\s+(?P<value>.*))?$"
)

ACCEPTED = ("accepted", "accept", "approved", "approve", "yes")
"""What a critic begins with who has nothing against a reply."""


def items(text: str) -> tuple[str, ...]:
    """The items of a list.

    A JSON array of texts or objects, a numbered list (over several lines or inside one), or a list with dashes; a text
    that holds none of these is a list of its lines. Nested lists stay part of their item.

    Args:
        text: What the agent said.

    Returns:
        The items without their markers, in order; objects of an array as JSON.
    """
    for value in _json_values(text, "["):
        if value and all(isinstance(item, str | dict) for item in value):
            return tuple(item if isinstance(item, str) else json.dumps(item) for item in value)
    plain = _plain(text)
    starts = _starts(plain)
    if not starts:
        return tuple(stripped for line in plain.splitlines() if (stripped := line.strip()))
    ends = [begin for begin, _ in starts[1:]]
    # What follows the last item after an empty line is a remark about the list.
    last = plain.find("\n\n", starts[-1][1])
    ends.append(len(plain) if last < 0 else last)
    found = (plain[content:end].strip() for (_, content), end in zip(starts, ends, strict=True))
    return tuple(item for item in found if item)


def fields(text: str) -> dict[str, Any]:
    """The fields of a reply: its first JSON object, or else its lines of the form `key: value`.

    Args:
        text: What the agent said.

    Returns:
        The values by key, keys in lower case with `_` for spaces and hyphens; of equal keys the last one's value. Values
        of lines are texts. Empty if there are no fields.
    """
    for value in _json_values(text, "{"):
        return {_key(key): item for key, item in value.items()}
    lines = (_FIELD.match(line) for line in _plain(text).splitlines())
    return {_key(line["key"]): (line["value"] or "").strip() for line in lines if line}


def choice(text: str, options: Iterable[str], named: Sequence[str] = DECISION_FIELDS) -> str | None:
    """The option that a reply chooses.

    A field named in `named` states it; without one, the reply begins with it. Upper and lower case are the same, and an
    option counts only as a whole word: `disagree` is no `agree`, and `agree/disagree` is no choice.

    Args:
        text: What the agent said.
        options: What it can choose.
        named: The fields that may state the choice, by precedence.

    Returns:
        The option as `options` spells it; None if the reply chooses none.
    """
    known = sorted(options, key=len, reverse=True)  # `agree in part` before `agree`
    stated = fields(text)
    for field in named:
        if field in stated:
            value = stated[field]
            return _first(value, known) if isinstance(value, str) else None
    return None if next(_json_values(text, "{"), None) is not None else _first(_plain(text), known)


def confidence(text: str) -> float | None:
    """How sure a reply says that it is, in its field `confidence`: a number from 0 to 1, or a percentage.

    Args:
        text: What the agent said.

    Returns:
        The confidence, 0 to 1; None if the reply states none that can be read.
    """
    if "onfidence" not in text:  # nearly every reply, and this is on the way of every call
        return None
    stated = str(fields(text).get("confidence", "")).strip().rstrip(".")
    try:
        value = float(stated.removesuffix("%")) / (100 if stated.endswith("%") else 1)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def _first(text: str, options: Sequence[str]) -> str | None:
    """The option that a text begins with."""
    for option in options:
        chosen = (
            rf"[\W_]*(?:I\s+)?{re.escape(option)}"
            r"(?![-_]?[^\W_]|\.\d)"  # the end of a word
            r"(?!\s*[/|?])(?!\s*[:=]\s*(?:no|false|0)\s*(?:[.,;!]|$))"  # neither the question nor a denial
        )
        if re.match(chosen, text, re.IGNORECASE | re.MULTILINE):
            return option
    return None


def _starts(text: str) -> list[tuple[int, int]]:
    """Where each item of the first list of a text begins, with its marker and without; empty if there is no list."""
    dash, number = _DASH.search(text), _LINE_NUMBER.search(text)
    if number is not None and (dash is None or number.start() < dash.start()):
        return _numbered(text, number)
    if dash is None:
        return []
    depth = len(dash["indent"])
    return [mark.span() for mark in _DASH.finditer(text) if len(mark["indent"]) <= depth]


def _numbered(text: str, first: re.Match[str]) -> list[tuple[int, int]]:
    """Items that begin with a number: at the start of a line any, inside a line the next one in sequence."""
    depth = len(first["indent"])
    at_lines = {
        mark.start("number"): mark.start()
        for mark in _LINE_NUMBER.finditer(text)
        if len(mark["indent"]) <= depth
    }
    found: list[tuple[int, int]] = []
    expected = -1
    for mark in _NUMBER.finditer(text, first.start()):
        line = text[text.rfind("\n", 0, mark.start()) + 1 : mark.start()]
        # As in `(after 2)`, where the bracket belongs to one that was opened before.
        closes = text[mark.end("number")] == ")" and line.count("(") > line.count(")")
        inside = line.strip(" \t#") != "" and not closes
        if mark.start() in at_lines or (inside and int(mark["number"]) == expected):
            found.append((at_lines.get(mark.start(), mark.start()), mark.end()))
            expected = int(mark["number"]) + 1
    return found


def _json_values(text: str, opening: str) -> Iterator[Any]:
    """The JSON values in a text that begin with a certain character, outermost first."""
    decoder = json.JSONDecoder()
    at = text.find(opening)
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield value
        at = text.find(opening, end)


def _plain(text: str) -> str:
    """A text without the marks of Markdown that mean nothing here: fences and bold type."""
    return _BOLD.sub(r"\2", _FENCE.sub("", text.replace("\r\n", "\n")))


def _key(text: str) -> str:
    return re.sub(r"[\s-]+", "_", text.strip().lower())
