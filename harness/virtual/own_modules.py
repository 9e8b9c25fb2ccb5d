"""The modules of the user's program, as opposed to installed packages."""

from __future__ import annotations

import os
import sysconfig
import threading
from pathlib import Path
from types import ModuleType

from harness.virtual.loaded_modules import LoadedModules

_INSTALLED = tuple(
    os.path.realpath(sysconfig.get_path(name)) + os.sep
    for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
_INSTALLED_FOLDERS = frozenset({"site-packages", "dist-packages"})

_NEVER_OWN = frozenset({"harness", "__main__", "__mp_main__"})
"""`__mp_main__` is the main module under another name, in a process that multiprocessing has started."""

_loaded = LoadedModules()
_looked_at: dict[str, object] = {}
"""The modules that were asked so far: to resolve a path takes a system call, and there are thousands of modules."""

_own: dict[str, ModuleType] = {}
"""Those of them that are the program's own."""

_one_at_a_time = threading.Lock()


def own_modules() -> dict[str, ModuleType]:
    """The loaded modules of the program itself, by name, in the order of their names.

    A module is the program's own if it has a file (a namespace package: a folder) that lies neither in the standard
    library nor among installed packages, and is neither harness nor the main module.
    """
    with _one_at_a_time:
        loaded = _loaded.if_changed()
        if loaded is not None:
            _look_at(loaded)
        return dict(sorted(_own.items()))


def _look_at(loaded: dict[str, ModuleType]) -> None:
    for name in [name for name, module in loaded.items() if _looked_at.get(name) is not module]:
        module = _looked_at[name] = loaded[name]
        _own.pop(name, None)
        if _is_own(name, module):
            _own[name] = module
    if len(_looked_at) > len(loaded):
        for name in [name for name in _looked_at if name not in loaded]:
            del _looked_at[name]
            _own.pop(name, None)


def _is_own(name: str, module: object) -> bool:
    # A module that loads itself late is asked nothing that would load it.
    if name.partition(".")[0] in _NEVER_OWN or not issubclass(type(module), ModuleType):
        return False
    namespace = object.__getattribute__(module, "__dict__")
    place = namespace.get("__file__")
    if place is None:  # a namespace package
        spec = namespace.get("__spec__")
        place = next(iter(getattr(spec, "submodule_search_locations", None) or ()), None)
    if not isinstance(place, str):
        return False
    return is_own_file(place)


def is_own_file(file: str) -> bool:
    """Whether a file lies neither in the standard library nor among installed packages."""
    place = os.path.realpath(file)
    return not place.startswith(_INSTALLED) and _INSTALLED_FOLDERS.isdisjoint(Path(place).parts)
