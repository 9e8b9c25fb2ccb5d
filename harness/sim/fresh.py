"""Modules of the program that are imported anew for a run, for state that cannot be restored."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from types import CoroutineType, ModuleType
from typing import Any, NamedTuple

from harness.errors import HarnessError
from harness.rollback.holders import placed
from harness.rollback.reach import PLAIN, Reach
from harness.rollback.substitution import Replacement, replacing
from harness.sim.program import bind
from harness.sim.undo import undo

_ABSENT = object()


class FreshModules:
    """The modules that a test wants to be new in each run."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._last: Renewal | None = None

    def add(self, names: Sequence[str]) -> None:
        """Note more of them.

        Raises:
            HarnessError: There is no such module.
        """
        for name in names:
            if not _is_importable(name):
                raise HarnessError(
                    f"there is no module {name!r} to import anew\n"
                    "  How to fix: name it as an import does: sim.fresh('my_app.limits')"
                )
        self.names += names

    def has(self, target: str | None) -> bool:
        """Whether what `module:name` names is in one of them."""
        return target is not None and _is_one_of(target.partition(":")[0], self.names)

    def under(
        self,
        program: object,
        args: tuple[object, ...],
        kwargs: dict[str, Any],
        watched: Callable[[Any], Any],
        when_there: Callable[[], object],
    ) -> Any:  # noqa: ANN401 - a coroutine, or a function
        """What is to be run; if there are such modules, it imports them first, and they find the simulated world.

        Args:
            program: What follows.
            args: What it is called with.
            kwargs: What it is called with.
            watched: Gives what is run in the place of a coroutine.
            when_there: Called when they have been imported.

        Raises:
            HarnessError: It is a coroutine of such a module, which would go on in the old one.
        """
        if not self.names:
            return program if inspect.iscoroutine(program) else bind(program, args, kwargs)
        if inspect.iscoroutine(program):
            self._check_not_bound(program)

        def begin() -> Any:  # noqa: ANN401 - a coroutine, or what the program returns
            known = self._last
            self._last = undo.ends.enter_context(imported_anew(self.names, undo.reaches))
            when_there()
            if inspect.iscoroutine(program):
                return watched(program)
            # A test that has imported it knows it as the run before left it.
            old = program if known is None else known.old(program)
            whole = bind(self._last.new(old), args, kwargs)
            return watched(whole) if inspect.iscoroutine(whole) else whole()

        return begin

    def _check_not_bound(self, program: CoroutineType[object, object, object]) -> None:
        home = "" if program.cr_frame is None else program.cr_frame.f_globals.get("__name__", "")
        if _is_one_of(home, self.names):
            program.close()
            raise HarnessError(
                f"a coroutine of {home!r} exists already, and would go on in the old module\n"
                "  How to fix: give sim.run the function and its arguments: sim.run(main, 'question')"
            )


def _is_one_of(module: str, names: Sequence[str]) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in names)


def _is_importable(name: str) -> bool:
    try:
        return name in sys.modules or find_spec(name) is not None
    except (ImportError, ValueError, TypeError, AttributeError):
        return False


class Renewal(NamedTuple):
    """The things of modules that were imported anew."""

    new: Replacement
    """Gives the new thing for an old one."""
    old: Replacement
    """Gives the old thing for a new one."""


@contextmanager
def imported_anew(names: Sequence[str], reaches: Sequence[Reach]) -> Iterator[Renewal]:
    """Context manager: modules are new, and what was known of the old ones is of the new ones.

    Args:
        names: The modules; all that is below one of them is imported anew too.
        reaches: Where something of the old modules may be held.
    """
    old = {name: module for name, module in sys.modules.copy().items() if _is_one_of(name, names)}
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
                ends.enter_context(placed(reach.places, renewal.new, lambda: renewal.old))
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
        if _is_one_of(name, names):
            del sys.modules[name]
    sys.modules.update(old)
    for name, module in old.items():
        parent, _, child = name.rpartition(".")
        if parent in sys.modules:
            setattr(sys.modules[parent], child, module)
