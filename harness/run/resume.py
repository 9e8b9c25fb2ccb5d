"""Runs that may be killed and resumed: what is kept of them, where, and how time passes when they are resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from harness.errors import HarnessError
from harness.fields import path_from
from harness.kernel import Kernel
from harness.kernel.loop import SimLoop, happened
from harness.kernel.process import moment
from harness.kernel.stopping import stop_at_event
from harness.resilience import Progress, Storage
from harness.scenario import LoadedScenario, TargetScenario
from harness.scenario.schema import CheckpointSpec

_BEFORE_ALL = -(2**62)
"""The order of the outcome with number 0: before all other events of its time."""


class Restored(NamedTuple):
    """What a resumed run was given back."""

    calls: int = 0
    """Calls whose outcome was known; they have a `call` span without attempts, and a `restored` event."""
    tool_uses: int = 0
    """Uses of tools whose outcome was known."""
    in_doubt: int = 0
    """Uses of tools that had begun, and were repeated with their keys."""


class RunStorage:
    """The part of a storage that belongs to one execution of one run.

    A run that has ended is over: the next one with the same seed begins anew.

    Args:
        storage: Where progress of all runs is kept.
        scenario: What is simulated; another one has progress of its own.
        seed: The run.
    """

    def __init__(self, storage: Storage, scenario: LoadedScenario, seed: int) -> None:
        self._storage = storage
        self._run = f"{scenario.spec.scenario}/{scenario.digest}/{seed}"
        self._execution = 1 + int(storage.get(f"{self._run}/ended") or 0)
        self._is_dead = False
        self.has_ended = False
        """Whether there is nothing to be resumed."""

    def get(self, key: str) -> str | None:
        """The value of a key; None if there is none."""
        return self._storage.get(f"{self._run}/{self._execution}/{key}")

    def put(self, key: str, value: str) -> None:
        """Keep a value; a run that was killed keeps nothing any more, whatever it does while it is cleaned up."""
        if not self._is_dead:
            self._storage.put(f"{self._run}/{self._execution}/{key}", value)

    def die(self) -> None:
        """The run is killed."""
        self._is_dead = True

    def end(self) -> None:
        """The run has come to its end, and is not to be resumed."""
        self._storage.put(f"{self._run}/ended", str(self._execution))
        self.has_ended = True


class SimulatedTimeline:
    """Virtual time of a run that is resumed; see `harness.resilience.Timeline`.

    Args:
        kernel: The clock.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def outcome(self, at_s: float, number: int) -> None:
        """Wait for the time of an outcome [s], as for the provider's event: before all others of that time."""
        await happened(moment(self._kernel.env, at_s, _BEFORE_ALL + number))

    async def until(self, at_s: float) -> None:
        """Wait until a time [s], as `asyncio.sleep` does."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, SimLoop), (
            "only a simulated loop can wait until a time without rounding"
        )
        if at_s > loop.time():
            await loop.sleep_until(at_s)
        else:
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumable:
    """What a run needs so that it can be killed and resumed; nothing, if it cannot."""

    storage: RunStorage | None = None
    stop_at_event: int | None = None
    """The event at which the run is killed; None if it is not."""
    restart_s: float = 1.0
    """How long after the last outcome of the killed run this one works again [s]."""

    def watch(self, kernel: Kernel) -> None:
        """Let the run of a kernel be killed when its time has come."""
        if self.stop_at_event is not None:
            stop_at_event(kernel, self.stop_at_event, self._die)

    def progress(self, kernel: Kernel) -> Progress | None:
        """What the run has achieved; None if nothing is kept."""
        if self.storage is None:
            return None
        timeline = SimulatedTimeline(kernel)
        return Progress(self.storage, kernel.now_s, timeline, self.restart_s)

    def _die(self) -> None:
        if self.storage is not None:
            self.storage.die()


NOT_RESUMABLE = Resumable()


@contextmanager
def resumable(
    scenario: LoadedScenario, seed: int, storage: Storage | None, stop_at_event: int | None
) -> Iterator[Resumable]:
    """What one run needs so that it can be killed and resumed.

    Args:
        scenario: What is simulated.
        seed: The run.
        storage: Where progress is kept; None means where the scenario says, if it does.
        stop_at_event: The event at which the run is killed; None if it is not.

    Raises:
        HarnessError: It is a scenario of a program of one's own, of whose steps harness knows nothing.
    """
    spec = scenario.spec
    if isinstance(spec, TargetScenario):
        if storage is not None or stop_at_event is not None:
            raise HarnessError(
                f"{scenario.source}: a program of one's own keeps its progress by itself\n"
                "  How to fix: leave `checkpoint` and `stop_at_event` out, or run a scenario with a `pattern`"
            )
        yield Resumable()
        return
    if stop_at_event is not None and stop_at_event < 1:
        raise HarnessError(f"stop_at_event={stop_at_event}: the first event of a run is 1")
    stated = spec.checkpoint
    restart_s = CheckpointSpec().restart_s if stated is None else stated.restart_s
    file = None
    if storage is None and stated is not None and stated.file is not None:
        from harness.store.checkpoint_file import CheckpointFile

        path = path_from(scenario.folder, stated.file)
        storage = file = CheckpointFile(path.with_stem(f"{path.stem}-{seed}"))
    mine = None if storage is None else RunStorage(storage, scenario, seed)
    try:
        yield Resumable(storage=mine, stop_at_event=stop_at_event, restart_s=restart_s)
    finally:
        if file is not None:
            file.close()
    if file is not None and mine is not None and mine.has_ended:
        file.remove()
