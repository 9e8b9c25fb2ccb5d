"""Stand-ins in places of the program's modules that are not globals: defaults, closures, attributes, containers.

`dataclass(default_factory=time.time)` keeps the function where no change of `time` is seen. The walk through what the
modules hold finds it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from harness.rollback.pydantic_models import rebuilt
from harness.rollback.reach import Place, Reach
from harness.rollback.substitution import Replacement, replacing, substituted
from harness.virtual.clocks import stand_in_for_kept_now
from harness.virtual.patching import StandIn


@contextmanager
def in_own_places(reach: Reach, stand_ins: Sequence[StandIn]) -> Iterator[None]:
    """Context manager: every place that holds an original holds its replacement.

    Args:
        reach: The places.
        stand_ins: What is replaced.
    """
    replacements = {id(original): replacement for original, replacement in stand_ins}
    originals: dict[int, Any] = {}
    gates: list[Any] = []  # held, so that their ids are not given again

    def gate(value: object) -> Any:  # noqa: ANN401 - anything
        new = replacements.get(id(value))
        if new is None:
            new = stand_in_for_kept_now(value)
        if new is None:
            return value
        originals[id(new)] = value
        gates.append(new)
        return new

    wanted = frozenset(replacements)
    if wanted not in reach.holders:
        reach.holders[wanted] = [
            place
            for place in reach.places
            if place.holds_things and substituted(place.contents, gate) is not place.contents
        ]
    holders = reach.holders[wanted]
    with placed(holders, gate, lambda: replacing(originals)), rebuilt(reach.places, holders):
        yield


@contextmanager
def placed(
    places: Iterable[Place], new: Replacement, back: Callable[[], Replacement]
) -> Iterator[None]:
    """Context manager: things in places are replaced.

    Args:
        places: The places.
        new: What takes the place of a thing.
        back: Asked in the end for what puts the things back.
    """
    changed = [place for place in places if _replace(place, new)]
    try:
        yield
    finally:
        for place in changed:
            _replace(place, back())


def _replace(place: Place, new: Replacement) -> bool:
    """Put things in the place of others; a thing that refuses to be changed stays as it is."""
    if place.kind.write is None or not place.holds_things:
        return False
    with suppress(
        Exception
    ):  # a class that allows no changes, or a thing that the run left half made
        contents = place.kind.read(place.thing)
        wanted = substituted(contents, new)
        if wanted is not contents:
            place.kind.write(place.thing, wanted)
            return True
    return False
