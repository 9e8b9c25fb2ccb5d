"""Numbers of a call from Python: seeds and counts."""

from __future__ import annotations

from harness.errors import HarnessError
from harness.units import SEED_MAX


def seed(value: int) -> int:
    """A seed.

    Raises:
        HarnessError: It is none.
    """
    if type(value) is not int or not 0 <= value <= SEED_MAX:
        raise HarnessError(
            f"the seed: a seed is a whole number from 0 to {SEED_MAX:,} (got {value!r})"
        )
    return value


def count(what: str, value: int) -> int:
    """A number of things, one at least.

    Raises:
        HarnessError: It is none.
    """
    if type(value) is not int or value < 1:
        raise HarnessError(f"{what}: a whole number from 1 is needed (got {value!r})")
    return value
