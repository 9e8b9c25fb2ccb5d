"""Which earlier reply's text is part of a prompt, found by comparing texts.

The server cannot see what a program does with a reply. So it compares texts: every reply is kept as phrases, and
a prompt is searched for them. A phrase is

  - eight words in a row, anywhere in a reply: longer than what independent texts share by chance;
  - a whole *unit* of fewer words, because programs cut replies up: the reply itself, a line without its list marker, a
    sentence, what stands between tags, after a colon or between commas, a string in JSON.

A phrase counts only if it says something (`_LETTERS_MIN`) and is not the program's own: what a prompt held before any
reply did came from the program, and a reply that says it again only echoes it. A reply that repeats what its own prompt
had from another reply is an echo too, and the other reply remains the source.

The work and the memory are linear in the text that is new: a text that was in an earlier prompt, as all of a conversation
but its end, is not read again. What is kept are hashes of phrases, and no text. The hashes are made of blake2b and not of
`hash()`, so that they are the same in every process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

WORDS_MAX = 8
"""Length of the longest phrase [words]."""

_OWN_WORDS = 3
"""A longer phrase is the program's own if all its parts of this length are [words]."""

_LETTERS_MIN = 3
"""How many letters the telling words of a phrase have at least, all together."""

_DIGITS_MIN = 5
"""A number tells something from this length on; shorter ones are everywhere [digits]."""

_UNIT_LENGTH_MAX = 200
"""No unit is longer [characters]."""

_LIST_PART_WORDS_MAX = 4
"""A line is a list with commas if none of its parts is longer [words]."""

_TEXTS_PER_PHRASE_MAX = 8
"""Of how many different replies a phrase is remembered; what more of them share tells nothing."""

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


class _Word(NamedTuple):
    hash: int
    letters: int
    """How much it tells; 0 of a word that is everywhere."""


@dataclass(slots=True, eq=False)
class _Text:
    """One reply of any agent."""

    calls: list[int] = field(default_factory=list)
    """Who said just this, since it last reached a prompt."""
    reached: bool = False
    """Whether it reached a prompt since it was last said."""
    indexed: bool = False
    """Whether a phrase of it is kept."""

    def said_by(self, call: int) -> None:
        """Note one more that said it; those whose words have been passed on make room for it."""
        if self.reached:
            self.calls, self.reached = [], False
        self.calls.append(call)


@dataclass(slots=True, eq=False)
class _Read:
    """A text of a prompt that was read, and the replies in it."""

    phrases: list[tuple[int, int]]
    """Length and hash of those that a reply holds, or that a later reply can bring in, in their order."""
    alone: dict[_Text, None] = field(default_factory=dict)
    """The replies that are present by a phrase of no other reply."""
    shared: list[tuple[int, list[_Text]]] = field(default_factory=list)
    """Length of each other phrase, and who said it."""
    stale: bool = True
    """Whether a reply has come to hold one of its phrases since it was read."""


class Provenance:
    """An index of everything that was replied in a run.

    The prompts are shown to it in the order of their calls: the first to `sources` is that of call 1.
    """

    def __init__(self) -> None:
        self._texts: dict[int, _Text] = {}
        self._said_in: dict[int, list[_Text]] = {}
        self._own: set[int] = set()
        self._words: dict[str, _Word] = {}
        self._reached: list[frozenset[_Text]] = []
        self._read: dict[bytes, _Read] = {}
        self._read_with: dict[int, list[_Read]] = {}
        """By phrase: the texts to look at again when one more reply holds it."""

    def said(self, call: int, text: str) -> None:
        """Note what a call was answered."""
        text = _unescaped(text)
        words = self._words_of(text)
        mine = self._texts.setdefault(_hash_of(words), _Text())
        reached = self._reached[call - 1] if call <= len(self._reached) else frozenset()
        if mine in reached:
            return
        mine.said_by(call)
        if mine.indexed:
            return
        for phrase, is_own in self._phrases(text, words):
            others = self._said_in.get(phrase, [])
            if (not others and is_own) or not reached.isdisjoint(others):
                continue
            self._keep(phrase, mine, others)

    def sources(self, texts: Iterable[str]) -> list[int]:
        """The calls whose replies are in the texts of the next call's prompt, ascending."""
        found: dict[_Text, None] = {}
        shared: list[tuple[int, list[_Text]]] = []
        for text in texts:
            read = self._reading(text)
            found.update(read.alone)
            shared += read.shared
        for length, said_in in shared:
            # Whoever is known to be here explains what others have said as well.
            if not any(text in found for text in said_in):
                found.update(dict.fromkeys(said_in if length == WORDS_MAX else said_in[-1:]))
        for each in found:
            each.reached = True
        self._reached.append(frozenset(found))
        return sorted({call for text in found for call in text.calls})

    def _reading(self, text: str) -> _Read:
        """A text, read now or before, and the replies in it."""
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        read = self._read.get(digest)
        if read is None:
            read = self._read[digest] = _Read(self._find(text))
            for phrase in dict.fromkeys(phrase for _, phrase in read.phrases):
                self._read_with.setdefault(phrase, []).append(read)
        if read.stale:
            read.alone, read.shared, read.stale = {}, [], False
            for length, phrase in read.phrases:
                said_in = self._said_in.get(phrase)
                if said_in is not None and len(said_in) == 1:
                    read.alone[said_in[0]] = None
                elif said_in is not None:
                    read.shared.append((length, said_in))
        return read

    def _find(self, text: str) -> list[tuple[int, int]]:
        """The phrases of a text that a reply holds, or can come to hold; those of few words that none holds are its own.

        A reply does not come to hold what is the program's own (`_is_own`), so nothing else need be looked at again.
        """
        found = []
        own, said_in = self._own, self._said_in
        own_in_a_row = 0
        for hashes in _hashes(self._words_of(_unescaped(text))):
            for length, phrase in enumerate(hashes, 1):
                if phrase in said_in:
                    found.append((length, phrase))
                elif length <= _OWN_WORDS:
                    own.add(phrase)
                elif own_in_a_row <= length - _OWN_WORDS:
                    found.append((length, phrase))
                if length == _OWN_WORDS:
                    own_in_a_row = own_in_a_row + 1 if phrase in own else 0
        return found

    def _keep(self, phrase: int, text: _Text, others: list[_Text]) -> None:
        if others and others[-1] is text:
            return  # it says it twice
        text.indexed = True
        self._said_in[phrase] = [*others[1 - _TEXTS_PER_PHRASE_MAX :], text]
        for read in self._read_with.get(phrase, ()):
            read.stale = True

    def _phrases(self, text: str, words: Sequence[_Word]) -> Iterator[tuple[int, bool]]:
        """The phrases of a reply that say something, each with whether all of it was in prompts before."""
        letters = own_in_a_row = 0
        for place, hashes in enumerate(_hashes(words)):
            letters += words[place].letters
            if place >= WORDS_MAX:
                letters -= words[place - WORDS_MAX].letters
            part_is_own = len(hashes) >= _OWN_WORDS and hashes[_OWN_WORDS - 1] in self._own
            own_in_a_row = own_in_a_row + 1 if part_is_own else 0
            if len(hashes) == WORDS_MAX and letters >= _LETTERS_MIN:
                yield hashes[-1], own_in_a_row > WORDS_MAX - _OWN_WORDS
        for unit in dict.fromkeys(it for it in _units(text) if len(it) <= _UNIT_LENGTH_MAX):
            inside = self._words_of(unit)
            if len(inside) < WORDS_MAX and sum(word.letters for word in inside) >= _LETTERS_MIN:
                yield _hash_of(inside), self._is_own(inside)

    def _is_own(self, words: Sequence[_Word]) -> bool:
        size = min(len(words), _OWN_WORDS)
        parts = (words[at : at + size] for at in range(len(words) - size + 1))
        return all(_hash_of(part) in self._own for part in parts)

    def _words_of(self, text: str) -> list[_Word]:
        known = self._words
        return [known.get(word) or self._learn(word) for word in _WORD.findall(text.casefold())]

    def _learn(self, word: str) -> _Word:
        digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        tells = word not in _EMPTY_WORDS and (not word.isdecimal() or len(word) >= _DIGITS_MIN)
        learnt = self._words[word] = _Word(int.from_bytes(digest, "big"), len(word) if tells else 0)
        return learnt


def _hashes(words: Sequence[_Word]) -> Iterator[list[int]]:
    """At each word, the hashes of the phrases that end with it, by length from one word up."""
    hashes: list[int] = []
    for word in words:
        own = word.hash
        hashes = [own, *[(before * _BASE + own) & _MASK for before in hashes[: WORDS_MAX - 1]]]
        yield hashes


def _hash_of(words: Sequence[_Word]) -> int:
    value = 0
    for word in words:
        value = (value * _BASE + word.hash) & _MASK
    return value


def _unescaped(text: str) -> str:
    """A text as it is before it is written as JSON, as far as words are concerned."""
    if "\\" not in text:
        return text
    text = _ESCAPED_LETTER.sub(lambda letter: chr(int(letter[1], 16)), text)
    return _ESCAPED_BREAK.sub("\n", text)


def _units(text: str) -> Iterator[str]:
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
