"""Modules of the program that are imported anew for a run, for state that cannot be put back."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from types import ModuleType
from typing import Any, NamedTuple

from harness.errors import HarnessError
from harness.kernel.holders import placed
from harness.kernel.reach import PLAIN, Reach
from harness.kernel.substitution import Replacement, replacing

_ABSENT = object()


def is_one_of(module: str, names: Sequence[str]) -> bool:
    """Whether a module is one of those named, or in a package of them."""
    return any(module == one or module.startswith(f"{one}.") for one in names)


def check_importable(name: str) -> None:
    """Complain about a module that is not there.

    Raises:
        HarnessError: There is none of that name.
    """
    try:
        found = name in sys.modules or find_spec(name) is not None
    except (ImportError, ValueError, TypeError, AttributeError):
        found = False
    if not found:
        raise HarnessError(
            f"there is no module {name!r} to import anew\n  How to fix: name it as an import does: sim.fresh('my_app.limits')"
        )


def check_not_bound(program: Any, names: Sequence[str]) -> None:  # noqa: ANN401 - a coroutine
    """Complain about a coroutine of a module that is imported anew: it would go on in the old one.

    Raises:
        HarnessError: It is.
    """
    home = program.cr_frame.f_globals.get("__name__", "") if program.cr_frame else ""
    if is_one_of(home, names):
        program.close()
        raise HarnessError(
            f"a coroutine of {home!r} exists already, and would go on in the old module\n"
            "  How to fix: give sim.run the function and its arguments: sim.run(main, 'question')"
        )


class Renewal(NamedTuple):
    """The things of modules that were imported anew."""

    new: Replacement
    """Gives the new thing for an old one."""
    old: Replacement
    """Gives the old thing for a new one."""


@contextmanager
def imported_anew(names: Sequence[str], reaches: Sequence[Reach]) -> Iterator[Renewal]:
    """While inside, modules are new, and what was known of the old ones is of the new ones.

    Args:
        names: The modules; all that is below one of them is imported anew too.
        reaches: Where something of the old modules may be held.
    """
    old = {name: module for name, module in sys.modules.copy().items() if is_one_of(name, names)}
    for name in old:
        del sys.modules[name]
    try:
        for name in sorted({*names, *old}):
            importlib.import_module(name)
        new = {name: sys.modules[name] for name in old}
        pairs = list(_pairs(old, new))
        renewal = Renewal(
            replacing({id(before): now for now, before in pairs}),
            replacing({id(now): before for now, before in pairs}),
        )
        with ExitStack() as ends:
            for reach in reaches:
                ends.enter_context(placed(reach, renewal.new, lambda: renewal.old))
            yield renewal
    finally:
        _put_back(old, names)


def _pairs(old: dict[str, ModuleType], new: dict[str, ModuleType]) -> Iterator[tuple[Any, Any]]:
    """Each thing of the new modules with the one that was in its place."""
    for name, module in old.items():
        yield new[name], module
        for key, value in vars(module).items():
            now = vars(new[name]).get(key, _ABSENT)
            if now is not _ABSENT and now is not value and type(value) not in PLAIN:
                yield now, value


def _put_back(old: dict[str, ModuleType], names: Sequence[str]) -> None:
    for name in sys.modules.copy():
        if is_one_of(name, names):
            del sys.modules[name]
    sys.modules.update(old)
    for name, module in old.items():
        parent, _, child = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], child, module)
