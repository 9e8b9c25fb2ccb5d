"""Restore a program's modules before each run of a test.

What a run changed in them is taken back when the next run begins, or when the test is over. Until then a test can look
at it. What the test or a fixture changed in between stays.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Set
from contextlib import ExitStack, contextmanager
from types import ModuleType

from harness.rollback.holders import in_own_places
from harness.rollback.reach import Reach
from harness.rollback.state import Leftover, State
from harness.virtual.own_modules import own_modules
from harness.virtual.world import stand_ins

_REWRITTEN = "@pytest_ar"
"""A global that pytest gives to modules whose assertions it has rewritten: tests, conftests, plugins."""


class StateNotRestored(UserWarning):
    """The state of the program's modules is not what it was when the run before began."""


class Undo:
    """Takes the changes of one run after the other back.

    There is one, since there is one set of modules in a process. While a run is active, those of other threads change
    what they change.
    """

    def __init__(self) -> None:
        self.tests: Set[str] = frozenset()
        """Names of modules that are tests, besides those that are known by themselves; their state stays."""
        self.reaches: list[Reach] = []
        """What could be reached when the run began: from the program's modules, and from the test's."""
        self._state: State | None = None
        self._before: State | None = None
        """That of the run before, which is the next one's if all was taken back: the walk through all modules takes long."""
        self._test: State | None = None
        """The same of the test's own module."""
        self._seed = 0
        self.ends = ExitStack()
        """What ends when the run is taken back."""
        self._leftovers: list[tuple[int, Leftover]] = []
        self._is_active = False

    @contextmanager
    def around_run(self, seed: int, test: str, arguments: tuple[object, ...]) -> Iterator[State]:
        """Context manager: a run changes modules; what the one before changed has been taken back.

        Args:
            seed: The run's.
            test: The name of the module that the test is in.
            arguments: What the program is and gets.

        Yields:
            The state of the arguments, which are in no module.
        """
        if self._is_active:
            yield State({}, frozenset(), {})
            return
        self._is_active = True
        try:
            self.take_back()
            loaded = own_modules()
            modules, outside = self._program_and_tests(loaded)
            state = self._before = _again(self._before, modules, outside, loaded)
            named = {f"argument {at}": thing for at, thing in enumerate(arguments)}
            mine = State({}, outside, named)
            self._warn(state, seed)
            module = sys.modules.get(test)
            own = {} if module is None else {test: module}
            self._test = _again(self._test, own, frozenset(), loaded)
            here = self._test.reach
            self.reaches = [state.reach, here]
            self._state, self._seed = state, seed
            gates = stand_ins()
            with in_own_places(here, gates), in_own_places(state.reach, gates):
                try:
                    yield mine
                finally:
                    mine.note_end_of_run()
        finally:
            self.reaches = []
            if self._state is not None:
                self._state.note_end_of_run()
            self._is_active = False

    @contextmanager
    def once_more(self, arguments: State) -> Iterator[None]:
        """Context manager: a program may run again on the state that it found; afterwards all is as it is now.

        Args:
            arguments: The state of what the program is and gets, which is not in any module.
        """
        self.forget()  # what has changed since is still to be taken back
        pending, now = (
            self._state,
            [State(*self._program_and_tests(own_modules())), arguments.anew()],
        )
        arguments.take_back()
        try:
            yield
        finally:
            self.take_back()
            for state in now:
                state.put_back()
            self._state = pending

    def take_back(self) -> None:
        """Take back what the last run changed, if that was not done yet."""
        self.ends.close()
        state, self._state = self._state, None
        if state is not None:
            self._leftovers += [(self._seed, leftover) for leftover in state.take_back()]

    def forget(self) -> None:
        """Let go of all that the runs before could reach."""
        self._before = self._test = None

    def _program_and_tests(
        self, loaded: dict[str, ModuleType]
    ) -> tuple[dict[str, ModuleType], set[str]]:
        program, tests = {}, set(self.tests)
        for name, module in loaded.items():
            if name in tests or _REWRITTEN in object.__getattribute__(module, "__dict__"):
                tests.add(name)
            else:
                program[name] = module
        return program, tests

    def _warn(self, state: State, seed: int) -> None:
        """Tell of what earlier runs have left for this one."""
        leftovers, self._leftovers = self._leftovers, []
        for before, leftover in leftovers:
            if not state.reach.has(leftover.thing):
                continue  # it is no longer held
            module = _module_in(leftover.path)
            runs = f"two runs of seed {seed}" if before == seed else f"seed {before} and {seed}"
            warnings.warn(
                f"{leftover.told(f' between {runs}')} and cannot be put back, so this run began with "
                f"another state than the one before\n  How to fix: sim.fresh({module!r}) imports it anew for each run",
                StateNotRestored,
                stacklevel=5,
            )


def _again(
    before: State | None,
    modules: dict[str, ModuleType],
    outside: Set[str],
    loaded: dict[str, ModuleType],
) -> State:
    """The state of some modules now; that of the run before if nothing is different."""
    if before is not None and before.is_of_now(modules, outside, loaded):
        return before
    return State(modules, outside, loaded=loaded)


def _module_in(path: str) -> str:
    """The module at the beginning of a path such as `my_app.limits.TIMES`."""
    name = path.partition("[")[0]
    while name not in sys.modules and "." in name:
        name = name.rpartition(".")[0]
    return name


undo = Undo()
"""The one of this process."""


@contextmanager
def state_taken_back(tests: Set[str]) -> Iterator[None]:
    """Whatever runs inside change is taken back in the end.

    Args:
        tests: Names of modules that are tests.
    """
    undo.tests = tests
    try:
        yield
    finally:
        undo.take_back()
        undo.forget()
