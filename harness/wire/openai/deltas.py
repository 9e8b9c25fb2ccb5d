"""Split a reply into the parts of a stream, padded to hide their lengths.

The real API sends about one token at a time, which is a word with the blank before it, or a few signs: 5 characters at
the median. The padding of each part makes lengths multiples of 16.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.json_types import JsonObject
from harness.wire.api import Ids
from harness.wire.http import Part
from harness.wire.openai.encoding import BASE62, compact

_PIECE = re.compile(r"\s?\w{1,12}|\s?[^\w\s]{1,3}|\s")
_BLOCK = 16
"""Padding fills up to a multiple of so many characters."""


def cut(texts: Sequence[str], tokens: int) -> list[list[str]]:
    """Cut all the texts of a reply into pieces, of which there are hardly more than tokens.

    Args:
        texts: The texts.
        tokens: Size of the reply [tokens].
    """
    length = sum(map(len, texts))
    return [pieces(text, -(-tokens * len(text) // max(1, length))) for text in texts]


def pieces(text: str, most: int) -> list[str]:
    """Cut a text into pieces as a stream brings them.

    Args:
        text: The text.
        most: How many there may be: one for each token.
    """
    small = _PIECE.findall(text)
    count = min(len(small), max(1, most))
    if count == len(small):
        return small
    bounds = [len(small) * number // count for number in range(count + 1)]
    return ["".join(small[bounds[n] : bounds[n + 1]]) for n in range(count)]


def padding(ids: Ids, length: int) -> str:
    """Letters that fill a length up to a whole number of blocks."""
    return ids.next("obfuscation", -length % _BLOCK, BASE62)


def padded(body: JsonObject, ids: Ids) -> str:
    """A chunk of Chat Completions with its padding: the whole has one character more than a multiple of 16 [recorded]."""
    text = compact(body | {"obfuscation": ""})
    return f'{text[:-2]}{padding(ids, len(text) - 1)}"}}'


def spread(events: Sequence[tuple[bytes, float]], last: Sequence[bytes]) -> list[Part]:
    """Give each event of a stream its place in time.

    Args:
        events: Each with the number of tokens that have been generated when it is sent; a delta counts itself.
        last: What comes when all has been generated.
    """
    steps = max(1, max((number for _, number in events), default=0) - 1)
    parts = [Part(data, max(0, number - 1) / steps) for data, number in events]
    return [*parts, *(Part(data, 1.0) for data in last)]
