"""Who sent something to whom through the queues of a program: the last message of each task, and whom it has heard since.

A queue of asyncio does not keep this. A report of agents that wait for one another needs it: an agent that has sent a message
to another's queue, and has not heard from it since, waits for its reply.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from weakref import WeakKeyDictionary

AnyTask = asyncio.Task[object]
AnyQueue = asyncio.Queue[Any]

_HEARD_MAX = 32
"""How many messages of a task are remembered."""


@dataclass(slots=True)
class Mail:
    """The messages of one task."""

    sent_to: AnyQueue | None = None
    """Where its last message went."""
    sent: int = 0
    """The place of that message among all."""
    sent_s: float = 0.0
    """When that was [s]."""
    heard: deque[tuple[AnyTask, int]] = field(default_factory=lambda: deque(maxlen=_HEARD_MAX))
    """The senders of the last messages that it took, each with their places."""


_mail: WeakKeyDictionary[AnyTask, Mail] = WeakKeyDictionary()
_senders: WeakKeyDictionary[AnyQueue, deque[AnyTask | None]] = WeakKeyDictionary()
"""Who put each item that is in a queue."""
_numbers = count(1)


def mail_of(task: AnyTask) -> Mail:
    """The messages of a task."""
    return _mail.get(task) or Mail()


def note_put(queue: AnyQueue, task: AnyTask | None) -> None:
    """Note that a task has put an item into a queue; None if no task runs."""
    senders = _senders.get(queue)
    if senders is None:
        senders = _senders[queue] = deque()
    senders.append(task)
    if task is None:
        return
    mine = _mail.get(task)
    if mine is None:
        mine = _mail[task] = Mail()
    mine.sent_to, mine.sent, mine.sent_s = queue, next(_numbers), task.get_loop().time()


def note_taken(queue: AnyQueue, task: AnyTask | None) -> None:
    """Note that a task has taken an item from a queue, which a queue of another order than the first may not tell apart."""
    senders = _senders.get(queue)
    if not senders:
        return
    if len(senders) != queue.qsize() + 1:  # it held items before the run
        senders.clear()
        return
    sender = senders.popleft()
    if task is None or sender is None:
        return
    mine = _mail.get(task)
    if mine is None:
        mine = _mail[task] = Mail()
    mine.heard.append((sender, next(_numbers)))


def forget_mail() -> None:
    """Forget everything; a run has ended."""
    _mail.clear()
    _senders.clear()
