"""The program's own modules, imported anew for each run, so that no run sees another's changes.

    modules = OwnModules(folder)
    with modules.entered():
        function = importlib.import_module("program").main    # a new module
        ...                                                   # changes it
    # sys.modules, sys.path, the environment and the working directory are as before

A module that is imported inside a world finds the stand-ins of that world wherever it keeps a function: in defaults, in
closures, in fields of classes. Libraries are not imported anew: they are loaded once, before the first run, outside of
any world (`imported_outside`).
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from harness.environment import provided_environment
from harness.errors import NotSimulated
from harness.virtual.garbage import frozen_heap
from harness.virtual.own_modules import own_modules

_one_at_a_time = threading.RLock()
"""Modules belong to the process, so runs in several threads that need their own take turns."""


class OwnModules:
    """The program's own modules of one run.

    Args:
        folder: Where they are looked for first; then in the present folder, and along `sys.path`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._set = _Set()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Context manager: own modules are those of this run; the first to ask for one imports it.

        It may be entered again: the same modules are there then.
        """
        with _one_at_a_time, _process_put_back():
            others = _take_out()
            self._set.put_in()
            _look_first_in(self._folder, _present_folder())
            try:
                yield
            finally:
                self._set = _take_out()
                others.put_in()

    @contextmanager
    def entered_once(self) -> Iterator[None]:
        """As `entered`; afterwards the modules are forgotten, and what they leave in circles is collected."""
        with _one_at_a_time, frozen_heap():
            with self.entered():
                yield
            self._set = _Set()
            own_modules()  # which forgets them too
            gc.collect()


@contextmanager
def imported_outside(folder: Path) -> Iterator[None]:
    """Context manager: own modules may be imported outside of any world, to be looked at and to load libraries.

    Args:
        folder: Where they are looked for first.

    Raises:
        NotSimulated: An own module starts a thread when it is imported: it would outlive the import, and is refused in a run.
    """
    with provided_environment(), OwnModules(folder).entered_once(), _no_own_threads():
        yield


def _present_folder() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # it was deleted
        return None


def _look_first_in(*folders: Path | None) -> None:
    wanted = [str(folder) for folder in folders if folder is not None]
    sys.path[:0] = [*dict.fromkeys(wanted)]
    importlib.invalidate_caches()  # a file may be newer than what is known of its folder


def _replaceable_modules() -> dict[str, ModuleType]:
    """Own modules, but for namespace packages that installed packages share: those must stay with their parts."""
    found = own_modules()
    shared = {name for name, module in found.items() if getattr(module, "__file__", None) is None}
    if shared:
        for name in list(sys.modules):
            package = name.rpartition(".")[0]
            while package in shared and name not in found:
                shared.discard(package)
                del found[package]
                package = package.rpartition(".")[0]
    return found


@dataclass(frozen=True, slots=True)
class _Set:
    """Some modules that are in `sys.modules` together or not at all."""

    modules: Mapping[str, ModuleType] = field(default_factory=dict)
    bound: tuple[tuple[ModuleType, str, ModuleType], ...] = ()
    """Where packages that stay keep one of them as an attribute, which `from package import module` finds."""

    def put_in(self) -> None:
        sys.modules.update(self.modules)
        for package, name, module in self.bound:
            setattr(package, name, module)


def _take_out() -> _Set:
    """Take all own modules out of `sys.modules`."""
    modules = _replaceable_modules()
    bound = []
    for name, module in modules.items():
        package_name, _, child = name.rpartition(".")
        package = sys.modules.get(package_name)
        if (
            package is not None
            and package_name not in modules
            and getattr(package, "__dict__", {}).get(child) is module
        ):
            bound.append((package, child, module))
            delattr(package, child)
    for name in modules:
        sys.modules.pop(name, None)
    return _Set(modules, tuple(bound))


@contextmanager
def _process_put_back() -> Iterator[None]:
    """Put back what a program changes of the process while it is imported or runs."""
    path, places = sys.path, sys.path[:]
    environment, folder = dict(os.environ), _present_folder()
    try:
        yield
    finally:
        sys.path = path
        path[:] = places
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        if folder is not None and _present_folder() != folder:
            with suppress(OSError):  # it was deleted
                os.chdir(folder)


@contextmanager
def _no_own_threads() -> Iterator[None]:
    """Context manager: this thread's own modules start no threads; libraries may."""
    start, me = threading.Thread.start, threading.get_ident()

    def start_unless_own(thread: threading.Thread) -> None:
        caller = sys._getframe(1).f_globals.get("__name__")  # noqa: SLF001 - no public way to ask
        if threading.get_ident() == me and caller in own_modules():
            raise NotSimulated(
                f"a thread that is started while a module is imported ({thread.name})",
                "start it in the function that works on a task; every run imports the module anew.",
            )
        start(thread)

    threading.Thread.start = start_unless_own  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        threading.Thread.start = start  # type: ignore[method-assign]
