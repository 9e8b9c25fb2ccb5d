"""Properties: what has to hold in every run. Each is a file beside its siblings; `errors.py` is the plainest.

A property sees the passing run, the run at hand and how it deviates, and returns how it failed, or None.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.explore.properties.api import Context, Failure, Property
from harness.explore.properties.checked import checked
from harness.explore.properties.effects import repeated_effect
from harness.explore.properties.ending import ENDLESS, ends
from harness.explore.properties.errors import error, unseen_error
from harness.explore.properties.leaks import leak
from harness.explore.properties.limits import within
from harness.explore.properties.recovery import recovers
from harness.scenario.explore import RunLimits

NO_LIMITS = RunLimits()

__all__ = ["ENDLESS", "NO_LIMITS", "Context", "Failure", "Property", "properties"]


def properties(
    check: Callable[..., object] | None, limits: RunLimits = NO_LIMITS
) -> tuple[Property, ...]:
    """The properties of a search, in the order in which they are asked; the first that fails is reported.

    Args:
        check: The user's, of the output; None if there is none.
        limits: What a run may take at most.
    """
    ending = ends if limits.recovery_s is None else recovers(limits.recovery_s)
    own = () if check is None else (checked(check),)
    return (ending, error, *own, unseen_error, repeated_effect, leak, within(limits))
