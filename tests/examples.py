"""How many examples a property test tries, in the quick profile of Hypothesis and in the thorough one.

The top-level conftest has the profiles; `make test-all` runs the thorough one.
"""

from __future__ import annotations

from hypothesis import settings

_THOROUGH = 100
"""What Hypothesis tries by default, and the thorough profile too."""

_MIN = 5


def examples(thorough: int) -> int:
    """How many examples to try.

    Args:
        thorough: How many in the thorough profile; the quick one tries a tenth.
    """
    return min(thorough, max(_MIN, thorough * settings().max_examples // _THOROUGH))
