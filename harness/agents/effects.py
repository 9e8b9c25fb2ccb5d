"""What the tools of a run did to the world, told apart by idempotency keys. The world goes on when a run is killed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import NamedTuple

from harness.models import ToolCall
from harness.resilience import Journal, Storage


class Effect(NamedTuple):
    """One thing that a tool did to the world."""

    tool: str
    arguments: str
    """As JSON; equal arguments give equal texts."""
    key: str
    """The idempotency key of the use: what the caller states, or else task, agent, tool, and which use of that tool by that
    agent in that task it is."""
    at_s: float
    """When [s]."""
    task: int = 0
    """The number of the task; 0 if it is not known."""


class Effects:
    """The effects of one run, in order.

    Args:
        clock: Tells the virtual time [s].
        storage: Where they are kept if the run may be killed; None keeps them as long as this object.
        note: Told of each as it happens; None tells nobody.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        storage: Storage | None = None,
        note: Callable[[Effect], None] | None = None,
    ) -> None:
        self._note = note
        self._clock = clock
        self._journal = None if storage is None else Journal(storage, "effect")
        found = [] if self._journal is None else self._journal.found
        self._effects = [Effect(*effect) for effect in found]
        self._keys = {effect.key for effect in self._effects}

    @property
    def all(self) -> tuple[Effect, ...]:
        """All that happened so far, before a resumption too."""
        return tuple(self._effects)

    def happen(self, call: ToolCall, key: str, *, idempotent: bool, task: int = 0) -> None:
        """Let a use take effect.

        Args:
            call: What is done.
            key: Its idempotency key.
            task: The number of the task that it belongs to.
            idempotent: Whether a use whose key is known takes no effect again.
        """
        if idempotent and key in self._keys:
            return
        arguments = json.dumps(call.arguments, sort_keys=True, default=str)
        effect = Effect(call.tool, arguments, key, self._clock(), task)
        self._effects.append(effect)
        self._keys.add(key)
        if self._journal is not None:
            self._journal.append(effect)
        if self._note is not None:
            self._note(effect)
