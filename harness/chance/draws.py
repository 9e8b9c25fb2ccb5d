"""Keyed draws: every random value of a run is a function of the seed and of what the value is for.

There is no generator that is shared and so no order of drawing: one call more by one agent changes no value that
another agent gets. That makes two versions of a program comparable run by run (common random numbers; Law and Kelton,
"Simulation Modeling and Analysis", section 11.2).
"""

from __future__ import annotations

from hashlib import blake2b
from struct import Struct

from harness.chance.choices import Choices

# 52 bits and a half step up fill the 53 of a float's mantissa exactly. The half step keeps 0 and 1 out, so that every
# inverse is finite; of 53 bits the largest would be rounded up to 1.
_BITS_DROPPED = 12
_STEP = 2.0**-52
_HALF_STEP = 2.0**-53

_unpack = Struct(">Q").unpack
"""Reads a digest as a number, at half the price of `int.from_bytes`."""

_BLOCK = 64
"""The longest digest of blake2b [bytes]."""

_SEPARATOR = "\x1f"
"""Between the parts of a key."""


class Draws:
    """All random values of one run; made once per run and passed to the code that draws.

    Args:
        seed: The one integer that all values follow from.
    """

    choices: Choices | None = None
    """The object that overrides and records them; None means none."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._root = blake2b(f"{seed}{_SEPARATOR}".encode(), digest_size=8)

    @classmethod
    def of(cls, seed: int | Draws) -> Draws:
        """Return the draws of a seed; draws that were already made for a run are returned as they are."""
        return seed if isinstance(seed, Draws) else cls(seed)

    def uniform(self, *key: object) -> float:
        """Draw a value, evenly spread over the open interval (0, 1).

        Args:
            key: What the value is for, such as `(task, agent, call, "ttft")`. Equal texts are equal keys.

        Returns:
            The same value whenever seed and key are the same, on every machine and every version of Python.
        """
        try:
            text = _SEPARATOR.join(key)  # type: ignore[arg-type]  # nearly all keys are texts, and this is hot
        except TypeError:
            text = _SEPARATOR.join(map(str, key))
        digest = self._root.copy()
        digest.update(text.encode())
        (bits,) = _unpack(digest.digest())
        return (bits >> _BITS_DROPPED) * _STEP + _HALF_STEP  # type: ignore[no-any-return]  # an int of 64 bits

    def octets(self, count: int, *key: object) -> bytes:
        """Draw bytes, each evenly spread.

        Args:
            count: How many.
            key: What they are for, as in `uniform`.

        Returns:
            The same bytes whenever seed and key are the same; more of them begin with the same.
        """
        text = _SEPARATOR.join(map(str, key))
        blocks = []
        for number in range(-(-count // _BLOCK)):
            source = f"{self.seed}{_SEPARATOR}{text}{_SEPARATOR}{number}"
            blocks.append(blake2b(source.encode(), digest_size=_BLOCK).digest())
        return b"".join(blocks)[:count]

    def root(self, *key: object) -> str:
        """Return the text that a family of identifiers is derived from.

        Args:
            key: What the identifiers are for, as in `uniform`.

        Returns:
            The same text whenever seed and key are the same, and another for every other key.
        """
        return _SEPARATOR.join(map(str, (self.seed, *key)))
