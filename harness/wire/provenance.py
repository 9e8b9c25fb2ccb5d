"""Which earlier reply's text is part of a prompt, found by comparing texts.

The server cannot see what a program does with a reply. So it compares texts: every reply is kept as phrases
(`harness.models.phrases`), and a prompt is searched for them.

A phrase counts only if it says something (`LETTERS_MIN`) and is not the program's own: what a prompt held before any
reply did came from the program, and a reply that says it again only echoes it. A reply that repeats what its own prompt
had from another reply is an echo too, and the other reply remains the source.

The work and the memory are linear in the text that is new: a text that was in an earlier prompt, as all of a conversation
but its end, is not read again. What is kept are hashes of phrases, and no text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from harness.models.phrases import (
    LETTERS_MIN,
    UNIT_LENGTH_MAX,
    WORDS_MAX,
    Word,
    hash_of,
    hashes_at,
    hashes_ending,
    hashes_up_to,
    unescaped,
    units,
    word_of,
    words_in,
)

_OWN_WORDS = 3
"""A longer phrase is the program's own if all its parts of this length are [words]."""

_TEXTS_PER_PHRASE_MAX = 8
"""Of how many different replies a phrase is remembered; what more of them share tells nothing."""


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
        self._tails: set[int] = set()
        """The last words, `_OWN_WORDS` of them, of the longer phrases of all replies."""
        self._reached: list[frozenset[_Text]] = []
        self._read: dict[bytes, _Read] = {}
        self._read_with: dict[int, list[_Read]] = {}
        """By phrase: the texts to look at again when one more reply holds it."""

    def said(self, call: int, text: str) -> None:
        """Note what a call was answered."""
        text = unescaped(text)
        words = self._words_of(text)
        mine = self._texts.setdefault(hash_of(words), _Text())
        reached = self._reached[call - 1] if call <= len(self._reached) else frozenset()
        if mine in reached:
            return
        mine.said_by(call)
        if mine.indexed:
            return
        for phrase, tail, is_own in self._phrases(text, words):
            others = self._said_in.get(phrase, [])
            if (not others and is_own) or not reached.isdisjoint(others):
                continue
            self._keep(phrase, mine, others)
            if tail is not None:
                self._tails.add(tail)

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
        words = self._words_of(unescaped(text))
        own, said_in = self._own, self._said_in
        found: list[tuple[int, int, int]] = []
        phrases: list[int] = []
        for length, phrases in enumerate(hashes_up_to(words, _OWN_WORDS), 1):
            if said_in.keys().isdisjoint(phrases):  # nearly always
                own.update(phrases)
                continue
            own.update(it for it in phrases if it not in said_in)
            by_end = enumerate(phrases, length - 1)
            found += [(end, length, it) for end, it in by_end if it in said_in]
        strange = [end for end, length, it in found if length == _OWN_WORDS and it not in own]
        found += self._find_longer(words, phrases, strange)
        return [(length, phrase) for _, length, phrase in sorted(found)]

    def _find_longer(
        self, words: Sequence[Word], parts: Sequence[int], strange: Sequence[int]
    ) -> Iterator[tuple[int, int, int]]:
        """The same of the phrases of more than `_OWN_WORDS` words: the end, the length and the hash of each.

        Nothing but a phrase that ends like one of a reply is held; and only near a strange part is a phrase not the program's own.

        Args:
            words: The text.
            parts: Its phrases of `_OWN_WORDS` words.
            strange: The ends of those of them that are not the program's own.
        """
        own_in_a_row = {
            end + more: more
            for end in strange
            for more in range(min(WORDS_MAX - _OWN_WORDS + 1, len(words) - end))
        }
        ends = dict.fromkeys(own_in_a_row)
        if not self._tails.isdisjoint(parts):
            by_end = enumerate(parts, _OWN_WORDS - 1)
            ends.update((end, None) for end, part in by_end if part in self._tails)
        for end in ends:
            in_a_row = own_in_a_row.get(end, WORDS_MAX)
            longer = hashes_ending(words, end)[_OWN_WORDS:]
            for length, phrase in enumerate(longer, _OWN_WORDS + 1):
                if phrase in self._said_in or in_a_row <= length - _OWN_WORDS:
                    yield end, length, phrase

    def _keep(self, phrase: int, text: _Text, others: list[_Text]) -> None:
        if others and others[-1] is text:
            return  # it says it twice
        text.indexed = True
        self._said_in[phrase] = [*others[1 - _TEXTS_PER_PHRASE_MAX :], text]
        for read in self._read_with.get(phrase, ()):
            read.stale = True

    def _phrases(self, text: str, words: Sequence[Word]) -> Iterator[tuple[int, int | None, bool]]:
        """The phrases of a reply that say something, each with its tail if it is long, and with whether all of it was in prompts before."""
        letters = own_in_a_row = 0
        for place, hashes in enumerate(hashes_at(words)):
            letters += words[place].letters
            if place >= WORDS_MAX:
                letters -= words[place - WORDS_MAX].letters
            part_is_own = len(hashes) >= _OWN_WORDS and hashes[_OWN_WORDS - 1] in self._own
            own_in_a_row = own_in_a_row + 1 if part_is_own else 0
            if len(hashes) == WORDS_MAX and letters >= LETTERS_MIN:
                yield hashes[-1], hashes[_OWN_WORDS - 1], own_in_a_row > WORDS_MAX - _OWN_WORDS
        for unit in dict.fromkeys(it for it in units(text) if len(it) <= UNIT_LENGTH_MAX):
            inside = self._words_of(unit)
            if len(inside) < WORDS_MAX and sum(word.letters for word in inside) >= LETTERS_MIN:
                tail = hash_of(inside[-_OWN_WORDS:]) if len(inside) > _OWN_WORDS else None
                yield hash_of(inside), tail, self._is_own(inside)

    def _is_own(self, words: Sequence[Word]) -> bool:
        size = min(len(words), _OWN_WORDS)
        parts = (words[at : at + size] for at in range(len(words) - size + 1))
        return all(hash_of(part) in self._own for part in parts)

    def _words_of(self, text: str) -> list[Word]:
        return list(map(word_of, words_in(text)))
