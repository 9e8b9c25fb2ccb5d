"""Who sent something to whom through the queues of a program: the last message of each task or thread, and whom it has heard since.

Queues do not keep this. A report of agents that wait for one another needs it: an agent that has sent a message to another's
queue, and has not heard from it since, waits for its reply.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Final
from weakref import WeakKeyDictionary

_HEARD_MAX: Final = 32
"""How many messages of a task or thread are remembered."""


@dataclass(slots=True)
class Mail:
    """The messages of one task or thread."""

    sent_to: object = None
    """The queue that its last message went to; None if it has sent none."""
    sent: int = 0
    """The place of that message among all."""
    sent_s: float = 0.0
    """When that was [s]."""
    heard: deque[tuple[object, int]] = field(default_factory=lambda: deque(maxlen=_HEARD_MAX))
    """The senders of the last messages that it took, each with their places."""


_mail: WeakKeyDictionary[object, Mail] = WeakKeyDictionary()
_senders: WeakKeyDictionary[object, deque[object]] = WeakKeyDictionary()
"""Who put each item that is in a queue."""
_takers: WeakKeyDictionary[object, object] = WeakKeyDictionary()
_putters: WeakKeyDictionary[object, object] = WeakKeyDictionary()
_numbers = count(1)


def mail_of(doer: object) -> Mail:
    """The messages of a task or thread."""
    return _mail.get(doer) or Mail()


def taker_of(queue: object) -> object:
    """Who took the latest item from a queue; None if nobody did in this run."""
    return _takers.get(queue)


def putter_of(queue: object) -> object:
    """Who put the latest item into a queue; None if nobody did in this run."""
    return _putters.get(queue)


def note_put(queue: object, doer: object, at_s: float) -> None:
    """Note that an item was put into a queue.

    Args:
        queue: The queue.
        doer: The task or thread that did it.
        at_s: When [virtual s].
    """
    senders = _senders.get(queue)
    if senders is None:
        senders = _senders[queue] = deque()
    senders.append(doer)
    _putters[queue] = doer
    mine = _mail.get(doer)
    if mine is None:
        mine = _mail[doer] = Mail()
    mine.sent_to, mine.sent, mine.sent_s = queue, next(_numbers), at_s


def note_taken(queue: object, doer: object, left: int) -> None:
    """Note that an item was taken from a queue; where its order is not that of coming, another may be meant.

    Args:
        queue: The queue.
        doer: The task or thread that did it.
        left: How many items are left.
    """
    _takers[queue] = doer
    senders = _senders.get(queue)
    if not senders:
        return
    if len(senders) != left + 1:  # it held items of others, or of before the run
        senders.clear()
        return
    mine = _mail.get(doer)
    if mine is None:
        mine = _mail[doer] = Mail()
    mine.heard.append((senders.popleft(), next(_numbers)))


def forget_mail() -> None:
    """Forget everything; a run has ended."""
    for noted in (_mail, _senders, _takers, _putters):
        noted.clear()
