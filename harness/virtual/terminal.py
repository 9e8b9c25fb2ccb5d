"""Questions to the person at the terminal: refused, since their answers would differ and a run would wait for them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from harness.kernel.current_world import World

_DEBUGGERS = frozenset(("cmd", "code", "pdb", "bdb"))
"""Modules that ask the person who debugs the program."""

_ANSWER = (
    'answer for the person: `monkeypatch.setattr("builtins.input", lambda prompt="": "y")` in a test, or replace the '
    "function that asks by a tool (`replaces`). A default argument or a name of a module keeps the `input` that was there before."
)


def _ask(world: World, *_: object) -> None:
    asking = sys._getframe(2)  # noqa: SLF001 - below the hook
    if _is_real(sys.stdin) and asking.f_globals.get("__name__") not in _DEBUGGERS:
        raise world.refuse("input()", _ANSWER)


def _is_real(stdin: object) -> bool:
    """Whether it is that of the process, or what pytest puts in its place, which tells to run pytest with `-s`."""
    return stdin is sys.__stdin__ or type(stdin).__module__.startswith("_pytest.")


EVENTS: Mapping[str, Callable[..., object]] = {"builtins.input": _ask}
