"""Loaded modules are looked through only when one was loaded, replaced or removed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from harness.virtual.loaded_modules import LoadedModules


class Late(ModuleType):
    """A module that must not be compared."""

    __hash__ = None  # type: ignore[assignment]  # what is not comparable is not hashable

    def __eq__(self, other: object) -> bool:
        raise ImportError("loaded too early")


def test_change_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    modules = LoadedModules()
    assert modules.if_changed() == sys.modules
    assert modules.if_changed() is None
    changes: tuple[Callable[[], object], ...] = (
        lambda: monkeypatch.setitem(sys.modules, "made_up", ModuleType("made_up")),
        lambda: monkeypatch.setitem(sys.modules, "made_up", Late("made_up")),
        lambda: monkeypatch.setitem(sys.modules, "made_up", Late("made_up")),
        lambda: monkeypatch.setitem(sys.modules, "another", sys.modules.pop("made_up")),
        lambda: monkeypatch.delitem(sys.modules, "another"),
    )
    for change in changes:
        change()
        assert modules.if_changed() is not None
        assert modules.if_changed() is None


def test_all_are_new_after_forgetting() -> None:
    modules = LoadedModules()
    modules.if_changed()
    modules.forget()
    assert modules.if_changed() is not None
