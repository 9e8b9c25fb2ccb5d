"""Calls that repeat a failed one: retries made by the program itself, around its SDK or without one.

Such a call asks the same agent, at the same provider and model, for the same conversation, within one task of the user's;
other settings may differ. The failed call must be one that the program may be going on with: it was made by the same
asyncio task; or the task that makes the new one was begun because of it, as far as can be told; or the task that made it
has gone on to other calls, as a worker does that puts a failed piece of work back into a queue.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.kernel.lineage import Lineage
from harness.spans import CANCELLED
from harness.wire.call import Call, nearest


@dataclass(slots=True)
class Repeats:
    """Failed calls of a run that have not been repeated yet."""

    _failed: dict[bytes, dict[Call, None]] = field(default_factory=dict)
    """By what they ask, in the order of failure."""
    _open: dict[Call, None] = field(default_factory=dict)
    """Calls that have neither failed nor been answered."""
    _answered: list[Call] = field(default_factory=list)
    """Calls that were answered at `_answered_s`, the latest time at which any was [s]."""
    _answered_s: float = 0.0
    _latest: dict[Lineage, Call] = field(default_factory=dict)
    """The latest call of each task."""
    _not_needed: dict[Call, None] = field(default_factory=dict)
    """Calls that were cancelled while another that asked the same was open, or had just been answered."""

    def began(self, call: Call) -> Call | None:
        """Note a new call, and find the failed one that it repeats."""
        self._open[call] = None
        found = self._repeated_by(call) if self._failed else None
        if found is not None:
            self._forget(found)
        if call.caller is not None:
            self._latest[call.caller] = call
        return found

    def answered(self, call: Call, at_s: float) -> None:
        """Note that a call got its reply."""
        self._open.pop(call, None)
        if at_s > self._answered_s:
            self._answered, self._answered_s = [], at_s
        self._answered.append(call)

    def failed(self, call: Call, at_s: float) -> None:
        """Note that the last attempt of a call failed."""
        self._open.pop(call, None)
        if call.attempts[-1].status == CANCELLED and self._others_ask(call, at_s):
            self._not_needed[call] = None
        self._failed.setdefault(call.asks, {})[call] = None

    def tried_again(self, call: Call) -> None:
        """Note that the client of a failed call makes another attempt."""
        self._forget(call)
        self._open[call] = None

    def _forget(self, call: Call) -> None:
        waiting = self._failed.get(call.asks, {})
        waiting.pop(call, None)
        if not waiting:
            self._failed.pop(call.asks, None)
        self._not_needed.pop(call, None)

    def _repeated_by(self, call: Call) -> Call | None:
        waiting = self._failed.get(call.asks)
        if not waiting:
            return None
        if call.caller is not None:
            for failed in reversed(waiting):
                if failed.caller is call.caller:
                    return failed
        wanted = [failed for failed in waiting if failed not in self._not_needed]
        left = (failed for failed in wanted if self._was_left(failed))
        return nearest(call.caller, wanted) or next(left, None)

    def _was_left(self, failed: Call) -> bool:
        """Whether the task that made a call has gone on to another."""
        return failed.caller is not None and self._latest[failed.caller] is not failed

    def _others_ask(self, cancelled: Call, now_s: float) -> bool:
        """Whether a call was one of several for one reply, as hedged requests are: begun by one task."""
        just_answered = self._answered if self._answered_s == now_s else []
        return any(
            other.asks == cancelled.asks and _siblings(other, cancelled)
            for other in (*self._open, *just_answered)
        )


def _siblings(one: Call, other: Call) -> bool:
    if one.caller is None or other.caller is None or one.caller is other.caller:
        return False
    return one.caller.ancestor is other.caller.ancestor
