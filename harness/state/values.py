"""Values with versions, and which updates each version is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.state.api import Fold, Reading
from harness.state.record import Record


@dataclass(slots=True)
class _Value:
    value: str = ""
    based_on: list[int] = field(default_factory=lambda: [0])
    """By version, the version that its writer was told; the last one is current."""


class Values:
    """The values of one shared state, each overwritten by the next.

    Args:
        record: Where reads and writes are recorded.
        fold: How a contribution changes a value.
    """

    def __init__(self, record: Record, fold: Fold) -> None:
        self.record = record
        self._fold = fold
        self._values: dict[str, _Value] = {}

    def read(self, key: str, reader: str) -> Reading:
        """The value of a key now."""
        found = self._values.get(key)
        version = 0 if found is None else len(found.based_on) - 1
        self.record.read(key, reader, version)
        return Reading(key, "" if found is None else found.value, version)

    def version(self, key: str) -> int:
        """The current version of a key."""
        found = self._values.get(key)
        return 0 if found is None else len(found.based_on) - 1

    def write(self, read: Reading, writer: str, contribution: str) -> Reading:
        """Overwrite a value by what follows from an earlier reading of it and a contribution."""
        found = self._values.setdefault(read.key, _Value())
        stale = len(found.based_on) - 1 != read.version
        lost = _lost(found.based_on, read.version)
        found.value = self._fold(read.value, contribution)
        found.based_on.append(read.version)
        version = len(found.based_on) - 1
        self.record.write(read.key, writer, version, based_on=read.version, stale=stale, lost=lost)
        return Reading(read.key, found.value, version)


def _lost(based_on: list[int], mine: int) -> int:
    """How many updates the current version is made of that an earlier version is not."""
    lost, theirs = 0, len(based_on) - 1
    while mine != theirs:
        if theirs > mine:
            theirs = based_on[theirs]
            lost += 1
        else:
            mine = based_on[mine]
    return lost
