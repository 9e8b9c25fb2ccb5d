"""Supports of the good outcome: under a first fault it rests on the calls that are made then, and only these can still break it."""

from __future__ import annotations

from harness.explore.deviation import Fault
from harness.explore.search import Search


def is_made_under(search: Search, call_of: Fault, first: Fault) -> bool:
    """Whether a call is made when another call meets a fault; true if nobody knows.

    If it is not, a fault of it changes nothing: the run with both is the run with the first.
    """
    trial = search.trials.get(frozenset((first,)))
    if trial is None or trial.failure is not None:
        return True
    return call_of.call in trial.addresses
