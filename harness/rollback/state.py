"""State of the program's own modules around a run, and undoing the run's changes.

Three states matter: before the run, after it, and when it is taken back. What changed between the first two is the run's
and is taken back; what has changed since belongs to other code, such as a test, and stays.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Set
from types import ModuleType
from typing import Any, NamedTuple

from harness.rollback.iterators import copied, position
from harness.rollback.merging import merged, same
from harness.rollback.opaque import difference, visible_state
from harness.rollback.reach import Place, Reach
from harness.rollback.substitution import replacing, substituted
from harness.virtual.own_modules import own_modules

_UNREADABLE = object()


class Leftover(NamedTuple):
    """A change that could not be undone."""

    path: str
    thing: object
    before: object
    now: object

    def told(self, seeds: str = "") -> str:
        """The change in words.

        Args:
            seeds: Between which runs it happened.
        """
        return difference(self.path, self.before, self.now, seeds=seeds)


class State:
    """The state of some modules before a run.

    Args:
        modules: The modules, by name.
        outside: Names of modules whose functions and instances are left alone, such as tests.
        roots: Other things whose state it is, by name.
        loaded: The program's modules that are loaded; None asks for them.
    """

    def __init__(
        self,
        modules: Mapping[str, ModuleType],
        outside: Set[str] = frozenset(),
        roots: Mapping[str, object] | None = None,
        loaded: dict[str, ModuleType] | None = None,
    ) -> None:
        self._from = modules, outside, roots
        self.reach = Reach(modules, outside, roots)
        self._begin(loaded)

    def _begin(self, loaded: dict[str, ModuleType] | None) -> None:
        modules = self._from[0]
        self._loaded = (own_modules() if loaded is None else loaded) if modules else {}
        self._changed: dict[int, tuple[Place, Any]] = {}
        self._moved: dict[int, object] = {}
        self._imported: dict[str, ModuleType] = {}

    def is_of_now(
        self,
        modules: Mapping[str, ModuleType],
        outside: Set[str],
        loaded: dict[str, ModuleType],
    ) -> bool:
        """Whether the state of some modules is this one; if so it serves another run."""
        if self._from[:2] != (modules, outside) or not self.reach.is_as_it_was():
            return False
        self._begin(loaded)
        return True

    def note_end_of_run(self) -> None:
        """Find the changes of the run."""
        for place in self.reach.places:
            if place.kind.write is not None:
                now = _read(place)
                if now is not _UNREADABLE and not same(place.contents, now):
                    self._changed[id(place)] = (place, now)
        self._moved = {id(mark): position(mark.thing) for mark in self.reach.iterators}
        if self._loaded:
            self._imported = {
                name: module for name, module in own_modules().items() if name not in self._loaded
            }

    def take_back(self) -> list[Leftover]:
        """Undo the changes of the run, and keep those made since.

        Returns:
            What could not be taken back.
        """
        self._forget_imports()
        anew = {
            id(mark.thing): copied(mark.copy)
            for mark in self.reach.iterators
            if mark.at != self._moved[id(mark)] == position(mark.thing)
        }
        leftovers = []
        for place in self.reach.places:
            if place.kind.write is None:
                continue  # what holds it is written anew
            _, after = self._changed.get(id(place), (None, place.contents))
            before = substituted(place.contents, replacing(anew)) if anew else place.contents
            if before is not after and not _take_back(place, before, after):
                leftovers.append(
                    Leftover(place.path, place.thing, *_sizes(place.contents, _read(place)))
                )
        for mark in self.reach.opaque:
            now = visible_state(mark.thing)
            if now != mark.at:
                leftovers.append(Leftover(mark.path, mark.thing, mark.at, now))
        return leftovers

    def put_back(self) -> None:
        """Restore everything, regardless of what changed it."""
        sys.modules.update(self._loaded)
        for place in self.reach.places:
            if place.kind.write is not None:
                _take_back(place, place.contents, _read(place))

    def anew(self) -> State:
        """The state of the same things now."""
        return State(*self._from)

    def _forget_imports(self) -> None:
        """Let go of modules that the run imported: the next one imports them anew, as the first did."""
        for name, module in self._imported.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def _take_back(place: Place, before: object, after: object) -> bool:
    now = _read(place)
    if now is _UNREADABLE:
        return False
    wanted = merged(before, after, now)
    if same(wanted, now):
        return True
    assert place.kind.write is not None
    try:
        place.kind.write(place.thing, wanted)
    except Exception:  # noqa: BLE001 - a thing may refuse: an array that is in use, a class of a library
        return False
    return True


def _read(place: Place) -> Any:  # noqa: ANN401 - contents of any kind
    try:
        return place.kind.read(place.thing)
    except Exception:  # noqa: BLE001 - the run may have left it half made
        return _UNREADABLE


def _sizes(before: Any, now: Any) -> tuple[object, object]:  # noqa: ANN401 - contents of any kind
    try:
        return len(before), len(now)
    except TypeError:
        return None, None
