"""Who names whom in a scenario file, and whether they do so in a circle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter


def cycle_of(named: Mapping[str, Iterable[str]]) -> list[str]:
    """A circle among those who name others, from one of them back to itself; empty if there is none."""
    try:
        TopologicalSorter(named).prepare()
    except CycleError as error:
        found: list[str] = error.args[1][::-1]
        return found
    return []
