"""Refuse operating-system calls at the lowest level that Python offers: audit events.

The functions of the interpreter raise an event before they act, under whatever name they were kept: also a method of C that
was bound before the run, where no stand-in can be put. An error that a hook raises keeps the function from acting.

A hook can never be taken out again. So there is one for the process, which is put in when the first world opens and does
nothing in a thread that is in no world.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from harness.kernel.current_world import this_thread

_watched: dict[str, Callable[..., object]] = {}
_hooks: list[Callable[[str, tuple[object, ...]], None]] = []


def watch(events: Mapping[str, Callable[..., object]]) -> None:
    """Call a function at each audit event, in every thread that is in a world.

    Args:
        events: Names of audit events, each with a function that is called with the world and the event's arguments. It
            raises `NotSimulated` to refuse what is about to happen.
    """
    _watched.update(events)
    if not _hooks:
        _hooks.append(_make_hook())
        sys.addaudithook(_hooks[0])


def _make_hook() -> Callable[[str, tuple[object, ...]], None]:
    """A closure: the interpreter raises events until its very end, when globals are gone."""
    watched, place = _watched, this_thread

    def hook(event: str, args: tuple[object, ...]) -> None:
        ask = watched.get(event)
        if ask is not None:
            world = place.world
            if world is not None:
                ask(world, *args)

    return hook
