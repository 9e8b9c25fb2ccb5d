"""The modules of the user's program, as opposed to installed packages.

A program may be installed itself, as a wheel: `count_as_own` tells of it.
"""

from __future__ import annotations

import importlib.util
import os
import sysconfig
import threading
from importlib.machinery import EXTENSION_SUFFIXES
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

_own_places: list[str] = []
"""Folders, and files of single modules, of programs that are installed."""

_asked_for: set[str] = set()
"""Top-level packages and modules that `count_as_own` has looked at."""

_one_at_a_time = threading.Lock()


def own_modules() -> dict[str, ModuleType]:
    """The loaded modules of the program itself, by name, in the order of their names.

    A module is the program's own if it has a file (a namespace package: a folder) that lies neither in the standard
    library nor among installed packages (but see `count_as_own`), and is neither harness nor the main module.
    """
    with _one_at_a_time:
        loaded = _loaded.if_changed()
        if loaded is not None:
            _look_at(loaded)
        return dict(sorted(_own.items()))


def count_as_own(module: str) -> None:
    """Count the installed package of a module as the program's own, if it is written in Python alone.

    Compiled modules are loaded once in a process, so a package that has one stays as it is.
    """
    top = module.partition(".")[0]
    if top in _asked_for or top in _NEVER_OWN:
        return
    _asked_for.add(top)
    place = _installed_place(top)
    if place is None:
        return
    with _one_at_a_time:
        _own_places.append(place)
        _looked_at.clear()
        _own.clear()
        _loaded.forget()


def _installed_place(top: str) -> str | None:
    """The folder of an installed package, or the file of an installed module; None if it is neither or is compiled."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.has_location:
        return None
    place = Path(os.path.realpath(spec.origin))
    if _INSTALLED_FOLDERS.isdisjoint(place.parts) or place.suffix != ".py":
        return None
    if spec.submodule_search_locations is None:
        return str(place)
    files = place.parent.rglob("*")
    if any(file.name.endswith(tuple(EXTENSION_SUFFIXES)) for file in files):
        return None
    return f"{place.parent}{os.sep}"


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
    """Whether a file is of the program: neither of the standard library nor of an installed package that is not the program."""
    place = os.path.realpath(file)
    if place.startswith(tuple(_own_places)):
        return True
    return not place.startswith(_INSTALLED) and _INSTALLED_FOLDERS.isdisjoint(Path(place).parts)
