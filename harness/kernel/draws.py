"""Keyed draws: every random value of a run is a function of the seed and of what the value is for.

There is no generator that is shared and so no order of drawing: one call more by one agent changes no value that
another agent gets. That makes two versions of a program comparable run by run (common random numbers; Law and Kelton,
"Simulation Modeling and Analysis", section 11.2).
"""

from __future__ import annotations

from hashlib import blake2b

# 53 bits fill the mantissa of a float; half a step up keeps 0 and 1 out, so that every inverse is finite.
_BITS_DROPPED = 11
_STEP = 2.0**-53
_HALF_STEP = 2.0**-54

_SEPARATOR = "\x1f"


class Draws:
    """All random values of one run.

    Args:
        seed: The one integer that all values follow from.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._root = blake2b(str(seed).encode(), digest_size=8)

    def uniform(self, *key: object) -> float:
        """Draw a value, evenly spread over the open interval (0, 1).

        Args:
            key: What the value is for, such as `(task, agent, call, "ttft")`. Equal texts are equal keys.

        Returns:
            The same value whenever seed and key are the same, on every machine and every version of Python.
        """
        digest = self._root.copy()
        digest.update(_SEPARATOR.join(["", *map(str, key)]).encode())
        return (int.from_bytes(digest.digest(), "big") >> _BITS_DROPPED) * _STEP + _HALF_STEP
