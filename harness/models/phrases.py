"""Phrases of a text: what is looked for to find one text in another.

A phrase is

  - eight words in a row, anywhere in a text: longer than what independent texts share by chance;
  - a whole *unit* of fewer words, because programs cut texts up: the text itself, a line without its list marker, a
    sentence, what stands between tags, after a colon or between commas, a string in JSON.

Phrases are kept as hashes. They are made of blake2b and not of `hash()`, so that they are the same in every process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

WORDS_MAX = 8
"""Length of the longest phrase [words]."""

LETTERS_MIN = 3
"""How many letters the telling words of a phrase have at least, all together."""

_DIGITS_MIN = 5
"""A number tells something from this length on; shorter ones are everywhere [digits]."""

UNIT_LENGTH_MAX = 200
"""No unit is longer [characters]."""

_LIST_PART_WORDS_MAX = 4
"""A line is a list with commas if none of its parts is longer [words]."""

# Common words of English (the head of any frequency list) and of answers that programs branch on.
_EMPTY = (
    "a about after all also an and any are as at be been before but by can could did do does each few first for "
    "from get give good had has have he her here him his how i if in into is it its just know last let like made "
    "make many may me more most much must my need new next no none not now of off on one only or other our out "
    "over own per please put same say see she should so some such than that the their them then there these they "
    "this those three to too two under up us use used very was way we well were what when where which while who "
    "why will with would yes you your accept accepted agree answer approve approved complete completed continue "
    "correct done end error fail failed false final finish finished good high invalid low medium nil null okay "
    "pass passed reject rejected reply report response result results retry stop success summary task true "
    "unknown valid wrong"
)
_EMPTY_WORDS = frozenset(_EMPTY.split())

# A character of Chinese or Japanese, which are written without spaces, counts as a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_ESCAPED_BREAK = re.compile(r"(?<!\\)\\+[nrt]")
_ESCAPED_LETTER = re.compile(r"(?<!\\)\\+u([0-9a-fA-F]{4})")
_UNIT_END = re.compile(r"[\n\r]+|(?<=[.!?])\s+|<[^<>\n]{0,100}>")
_LIST_MARKER = re.compile(r"\s*(?:(?:[-*+•>#]+|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+)*")
_LIST_COMMA = re.compile(r"[,;|]")
# An open quote ends with the text, so that no part of it is read twice; an apostrophe opens none.
_QUOTED = re.compile(
    r"(?:\"((?:[^\"\\]|\\.?)*+)(?:\"|\Z)|(?<!\w)'((?:[^'\\]|\\.?)*+)(?:'|\Z))(\s*:)?", re.DOTALL
)

_BASE = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


class Word(NamedTuple):
    """One word of a text."""

    hash: int
    letters: int
    """How much it tells; 0 of a word that is everywhere."""


@lru_cache(maxsize=1 << 16)
def word_of(word: str) -> Word:
    """A word, in lower case, with its hash."""
    digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    tells = word not in _EMPTY_WORDS and (not word.isdecimal() or len(word) >= _DIGITS_MIN)
    return Word(int.from_bytes(digest, "big"), len(word) if tells else 0)


def words_in(text: str) -> list[str]:
    """The words of a text, in lower case."""
    return _WORD.findall(text.casefold())


def hashes_at(words: Sequence[Word]) -> Iterator[list[int]]:
    """At each word, the hashes of the phrases that end with it, by length from one word up."""
    hashes: list[int] = []
    for word in words:
        own = word.hash
        hashes = [own, *[(before * _BASE + own) & _MASK for before in hashes[: WORDS_MAX - 1]]]
        yield hashes


def hashes_up_to(words: Sequence[Word], longest: int) -> Iterator[list[int]]:
    """The hashes of all phrases, for each length from one word up, in the order of the text."""
    single = [word.hash for word in words]
    hashes = single
    yield hashes
    for length in range(2, longest + 1):
        ends = single[length - 1 :]  # the last phrase that is shorter has no word after it
        hashes = [(it * _BASE + end) & _MASK for it, end in zip(hashes, ends, strict=False)]
        yield hashes


def hashes_ending(words: Sequence[Word], last: int) -> list[int]:
    """The hashes of the phrases that end with the word at a place, by length from one word up."""
    value, factor, hashes = 0, 1, []
    for word in reversed(words[max(0, last + 1 - WORDS_MAX) : last + 1]):
        value = (value + word.hash * factor) & _MASK
        factor = factor * _BASE & _MASK
        hashes.append(value)
    return hashes


def hash_of(words: Sequence[Word]) -> int:
    """The hash of a phrase."""
    value = 0
    for word in words:
        value = (value * _BASE + word.hash) & _MASK
    return value


def unescaped(text: str) -> str:
    """A text as it is before it is written as JSON, as far as words are concerned."""
    if "\\" not in text:
        return text
    text = _ESCAPED_LETTER.sub(lambda letter: chr(int(letter[1], 16)), text)
    return _ESCAPED_BREAK.sub("\n", text)


def units(text: str) -> Iterator[str]:
    """What a program may cut out of a reply: the whole, and its parts."""
    yield text
    yield from _parts(text)
    if "{" in text or "[" in text:
        for quoted in _QUOTED.finditer(text):
            if quoted[3] is None:  # else it is a key
                value = quoted[1] or quoted[2] or ""
                yield value
                yield from _parts(value)


def _parts(text: str) -> Iterator[str]:
    for part in _UNIT_END.split(text):
        line = part[_LIST_MARKER.match(part).end() :]  # type: ignore[union-attr]  # it may match nothing, but it matches
        yield line
        _, colon, after = line.partition(":")
        if colon:
            yield after
        if _LIST_COMMA.search(line):
            listed = _LIST_COMMA.split(line)
            if all(len(_WORD.findall(it)) <= _LIST_PART_WORDS_MAX for it in listed):
                yield from listed
