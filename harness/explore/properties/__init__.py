"""Properties: what has to hold in every run. Each is a file beside its siblings; `errors.py` is the plainest.

A property sees the passing run, the run at hand and how it deviates, and returns how it failed, or None.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.explore.properties.api import Context, Failure, Property
from harness.explore.properties.checked import checked
from harness.explore.properties.effects import repeated_effect
from harness.explore.properties.ending import ends
from harness.explore.properties.errors import error, unseen_error
from harness.explore.properties.leaks import leak

__all__ = ["Context", "Failure", "Property", "properties"]


def properties(check: Callable[..., object] | None) -> tuple[Property, ...]:
    """The properties of a search, in the order in which they are asked; the first that fails is reported.

    Args:
        check: The user's, of the output; None if there is none.
    """
    own = () if check is None else (checked(check),)
    return (ends, error, *own, unseen_error, repeated_effect, leak)
