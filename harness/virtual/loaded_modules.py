"""Whether modules were loaded, replaced or removed since one asked last."""

from __future__ import annotations

import sys
from operator import is_
from types import ModuleType


class LoadedModules:
    """Remembers `sys.modules`, so that what is done for each module is not asked for thousands of them in every run."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._modules: list[ModuleType] = []

    def if_changed(self) -> dict[str, ModuleType] | None:
        """A copy of `sys.modules`; None if it is what it was when this was called last."""
        names, modules = list(sys.modules), list(sys.modules.values())
        # Modules are compared by identity alone: to compare one that loads itself late would load it.
        if (names == self._names and len(modules) == len(names)) and all(
            map(is_, modules, self._modules)
        ):
            return None
        loaded = sys.modules.copy()
        self._names, self._modules = list(loaded), list(loaded.values())
        return loaded

    def forget(self) -> None:
        """Take all modules for new."""
        self._names, self._modules = [], []
