"""A thread that looks for something over and over, and never waits, lets time pass.

`concurrent.futures.as_completed(timeout=...)` waits for what is left of its time until less than nothing is left, and
programs try locks and queues in loops. In reality each look takes some time, and other threads run beside it. Here the
thread would keep the baton for ever, at one instant.
"""

from __future__ import annotations

from harness.kernel.kernel import Kernel
from harness.kernel.sim_thread import Waiter

LOOKS_PER_INSTANT = 5_000
"""So often may a thread look in vain before that takes time; more than a program has threads, or tries in one instant."""

SHORTEST_S = 1e-6
"""What that many looks take at first [virtual s]; `time.time()` cannot tell much shorter times."""


class Looking:
    """The looks in vain since time passed or another thread ran."""

    def __init__(self) -> None:
        self._looks = 0
        self._seen = (0.0, 0)
        self._pause_s = SHORTEST_S

    def look(self, kernel: Kernel) -> bool:
        """Note a look; the last of too many waits, each time twice as long, but not beyond what happens next.

        Returns:
            Whether it has waited.
        """
        seen = (kernel.now_s(), kernel.baton.switches)
        if seen != self._seen:
            self._looks, self._seen, self._pause_s = 0, seen, SHORTEST_S
        self._looks += 1
        if self._looks <= LOOKS_PER_INSTANT:
            return False
        next_s = kernel.next_s()
        kernel.park(Waiter("what it looks for"), min(seen[0] + self._pause_s, next_s))
        if kernel.now_s() < next_s:  # nothing has happened
            self._looks, self._seen = 0, (kernel.now_s(), kernel.baton.switches)
            self._pause_s *= 2
        return True
