"""Which replies of a task a later text holds, and who said them last.

Claims travel with the text, which stays as the stub says it: a program compares replies, counts votes and parses JSON, so a
marker in the text would change what it does. `harness.wire.provenance` finds who said a text first; this finds who says it
now: a reply that repeats a text takes its place, because it may have been corrected or garbled on the way.

A text is found by its phrases (`harness.models.phrases`), and a whole reply, however short, also where it is a whole unit of
a text, such as a line, a string of JSON or a vote.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from harness.models.phrases import (
    LETTERS_MIN,
    UNIT_LENGTH_MAX,
    WORDS_MAX,
    Word,
    hash_of,
    hashes_at,
    unescaped,
    units,
    word_of,
    words_in,
)


class Spoken:
    """What was said in one task; each statement has a number."""

    def __init__(self) -> None:
        self._said_in: dict[int, list[int]] = {}
        """Statements by the phrases that they hold, the latest last."""
        self._by_whole: dict[str, list[int]] = {}
        """Statements by their whole text."""
        self._whole: dict[int, str] = {}
        self._own: set[int] = set()
        """Phrases that were in a prompt before any statement had them: the program's own."""

    def said(self, number: int, text: str, heard: Collection[int]) -> None:
        """Note a statement; it takes the place of those that it repeats.

        Args:
            number: Its number.
            text: What is said.
            heard: Numbers of the statements that its speaker has read.
        """
        whole = _normal(text)
        if not whole or self._whole.get(number) == whole:
            return
        self._whole[number] = whole
        self._by_whole[whole] = _with(self._by_whole.get(whole, []), number, heard)
        for phrase in _phrases(unescaped(text)):
            others = self._said_in.get(phrase, [])
            if others or phrase not in self._own:
                self._said_in[phrase] = _with(others, number, heard)

    def found_in(self, texts: Iterable[str]) -> list[int]:
        """Numbers of the statements that some texts hold, ascending."""
        found: dict[int, None] = {}
        shared: list[list[int]] = []
        for text in texts:
            for said_in in self._holding(text):
                if len(said_in) == 1:
                    found[said_in[0]] = None
                else:
                    shared.append(said_in)
        for said_in in shared:
            # A statement that is known to be here explains what others have said as well.
            if not any(number in found for number in said_in):
                last = self._whole[said_in[-1]]
                found.update((it, None) for it in said_in if self._whole[it] == last)
        return sorted(found)

    def read(self, texts: Iterable[str]) -> list[int]:
        """The same of a prompt; what no statement holds is the program's own from now on."""
        texts = tuple(texts)
        found = self.found_in(texts)
        for text in texts:
            for hashes in hashes_at(_words(unescaped(text))):
                self._own.update(phrase for phrase in hashes if phrase not in self._said_in)
        return found

    def _holding(self, text: str) -> Iterator[list[int]]:
        """For each phrase of a text that was said: the statements that hold it."""
        text = unescaped(text)
        for unit in dict.fromkeys(map(_normal, units(text))):
            if unit in self._by_whole:
                yield self._by_whole[unit]
        for hashes in hashes_at(_words(text)):
            for phrase in hashes:
                if phrase in self._said_in:
                    yield self._said_in[phrase]


def _with(others: Collection[int], number: int, heard: Collection[int]) -> list[int]:
    return [*(it for it in others if it not in heard and it != number), number]


def _normal(text: str) -> str:
    return " ".join(words_in(text)) or text.strip()


def _words(text: str) -> list[Word]:
    return list(map(word_of, words_in(text)))


def _phrases(text: str) -> Iterator[int]:
    """The phrases of a text that say something."""
    words = _words(text)
    for place, hashes in enumerate(hashes_at(words)):
        if len(hashes) == WORDS_MAX:
            window = words[place + 1 - WORDS_MAX : place + 1]
            if sum(word.letters for word in window) >= LETTERS_MIN:
                yield hashes[-1]
    for unit in dict.fromkeys(it for it in units(text) if len(it) <= UNIT_LENGTH_MAX):
        inside = _words(unit)
        if len(inside) < WORDS_MAX and sum(word.letters for word in inside) >= LETTERS_MIN:
            yield hash_of(inside)
