"""Faults of shared state at work: a state that tells old values, and does not keep all that it is told."""

from __future__ import annotations

import math
from collections.abc import Sequence

from harness.agents import Task
from harness.chance import Draws
from harness.faults.api import Disturbance, StateFault
from harness.faults.chooser import Chooser
from harness.faults.inject import PlannedFault
from harness.spans import SpanLog
from harness.state import Change, Reading, SharedState


class StateFaults:
    """The faults of shared state of one run.

    Args:
        planned: The whole plan.
        draws: Source of random values.
        log: Where it is noted that one has met something.
    """

    def __init__(self, planned: Sequence[PlannedFault], draws: Draws, log: SpanLog) -> None:
        self.chooser = Chooser(planned, StateFault, draws, log)

    def around(self, state: SharedState, task: Task) -> SharedState:
        """The state of a task, under the faults."""
        return _Disturbed(state, task, self.chooser)


class _Disturbed:
    """Shared state under faults.

    Args:
        state: The state.
        task: The task that it belongs to.
        chooser: What may happen to it.
    """

    def __init__(self, state: SharedState, task: Task, chooser: Chooser[StateFault]) -> None:
        self._state = state
        self._task = task
        self._chooser = chooser
        self._clocks_differ = any(
            fault.disturbance().clock_ahead_s is not None for fault in chooser
        )
        self._versions: dict[str, list[str]] = {}
        """The values of each key, from the empty one on."""
        self._latest_s: dict[str, float] = {}
        """The time of the latest write of each key, by the clocks of the writers [s]."""

    def read(self, key: str, reader: str) -> Reading:
        """The value of a key now."""
        return self._state.read(key, reader)

    async def update(self, key: str, writer: str, change: Change) -> Reading:
        """Read, think, and write, as far as the faults let it.

        Raises:
            StateError: The discipline gave the update up.
        """
        versions = self._versions.setdefault(key, [""])
        fate = self._fate(key, writer, len(versions))

        async def think(value: str) -> str:
            told = versions[-1 - fate.behind] if fate.behind else value
            contribution = await change(told)
            if fate.is_lost or self._is_overruled(key, fate.clock_ahead_s or 0.0):
                raise _Dropped
            return contribution

        try:
            now = await self._state.update(key, writer, think)
        except _Dropped:
            return self._state.read(key, writer)
        versions.append(now.value)
        return now

    def _is_overruled(self, key: str, ahead_s: float) -> bool:
        """Whether another write of the key is newer than one now, by the clocks of the writers."""
        if not self._clocks_differ:
            return False
        stamp_s = self._chooser.log.clock() + ahead_s
        if stamp_s < self._latest_s.get(key, -math.inf):
            return True
        self._latest_s[key] = stamp_s
        return False

    def _fate(self, key: str, writer: str, versions: int) -> Disturbance:
        task = self._task
        draws_key = f"{task.number}/{writer}/{key}/{task.count(f'update {writer} {key}')}"
        met = self._chooser.occurrence(writer, task.number, task.customer, draws_key, key)

        def fits(fault: StateFault) -> bool:
            return fault.key in (None, key) and fault.disturbance().behind < versions

        fault = self._chooser.choose(met, fits, task.span)
        return Disturbance() if fault is None else fault.disturbance()


class _Dropped(Exception):  # noqa: N818 - nothing is wrong but the fault
    """A contribution is not kept; never leaves this module."""
