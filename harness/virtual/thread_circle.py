"""What is known of the waits of threads, to find agents among them that wait for one another."""

from __future__ import annotations

import queue
import re
from collections.abc import Iterable
from types import FrameType
from typing import Any

from harness.kernel.current_world import World
from harness.kernel.mail import note_put, note_taken
from harness.kernel.sim_thread import SimThread
from harness.virtual import locks
from harness.virtual.patching import Attribute, method
from harness.virtual.thread_waits import frames_of_thread, thing_of_thread, wait_of_thread

_DEFAULT_NAME = re.compile(r"Thread-\d+.*|ThreadPoolExecutor-.*|the main thread")


class ThreadWaits:
    """The waits of threads; see `harness.kernel.agent_circle.Waits`.

    Args:
        world: Their world.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def frames(self, doer: SimThread) -> list[FrameType]:
        """See `Waits`."""
        return frames_of_thread(doer)

    def thing(self, doer: SimThread) -> object:
        """See `Waits`."""
        return thing_of_thread(doer)

    def known(self, doer: SimThread) -> Iterable[tuple[SimThread, bool]]:
        """See `Waits`."""
        other = wait_of_thread(self._world, doer).on
        if isinstance(other, SimThread) and other is not doer:
            yield other, doer.waits_for in locks.waited_for and self.thing(doer) is not None

    def has_time(self, doer: SimThread) -> bool:
        """See `Waits`."""
        waiter = doer.waits_for
        return waiter is None or self._world.kernel.baton.has_alarm(waiter)

    def has_event(self, doer: SimThread) -> bool:
        """See `Waits`; a thread does not tell."""
        return False

    def given_name(self, doer: SimThread) -> str:
        """See `Waits`."""
        return "" if _DEFAULT_NAME.fullmatch(doer.name) else doer.name

    def title(self, doer: SimThread) -> str:
        """See `Waits`."""
        return doer.name

    def since_s(self, doer: SimThread) -> float | None:
        """See `Waits`."""
        return doer.since_s


_put, _get = queue.Queue.put, queue.Queue.get


def _note_put(world: World, mailbox: queue.Queue[Any], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - of the method
    _put(mailbox, *args, **kwargs)
    note_put(mailbox, world.kernel.baton.current, world.kernel.now_s())


def _note_get(world: World, mailbox: queue.Queue[Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - of the method
    item = _get(mailbox, *args, **kwargs)
    note_taken(mailbox, world.kernel.baton.current, len(mailbox.queue))
    return item


ATTRIBUTES: tuple[Attribute, ...] = (
    method(queue.Queue, "put", _note_put),
    method(queue.Queue, "get", _note_get),
)
