"""A call that waits longer than a bound while later ones are served starves; in a fair queue none does."""

from __future__ import annotations

from harness.metrics.starvation import starving
from harness.spans import SpanLog, Table


class Queue:
    """Attempts at one model, as a provider would serve them."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.log = SpanLog(lambda: self.now_s)

    def call(self, agent: str, task: int, asked_s: float, served_s: float, **more: str) -> None:
        self.now_s = asked_s
        root = self.log.open_task("ask", task)
        call = self.log.open("call", agent, root, agent, "fast", 1)
        span = self.log.open("attempt", "fast", call, agent, "fast", 1)
        span.start_s = served_s
        for name, value in more.items():
            setattr(span, name, value)
        self.now_s = served_s + 1.0
        for each in (span, call, root):
            self.log.close(each)

    @property
    def spans(self) -> Table:
        return self.log.spans


def test_a_call_that_is_overtaken_for_minutes_starves() -> None:
    queue = Queue()
    queue.call("batch", 1, 0.0, 300.0)
    for number in range(20):
        queue.call("chat", 2 + number, 10.0 * number, 10.0 * number + 1)
    (found,) = starving(queue.spans)
    assert (found.agent, found.task, found.waited_s, found.overtaken) == ("batch", 1, 300.0, 19)
    assert str(found) == (
        "batch starved in task 1: from 0 s on it waited 5 min 0 s for fast while 19 later calls were served"
    )


def test_in_a_long_but_fair_queue_nobody_starves() -> None:
    queue = Queue()
    for number in range(200):
        queue.call("chat", number + 1, number * 1.0, number * 2.0)
    assert starving(queue.spans) == []


def test_a_call_that_met_a_fault_is_not_starved() -> None:
    queue = Queue()
    queue.call("batch", 1, 0.0, 300.0, fault="hang")
    for number in range(20):
        queue.call("chat", 2 + number, 10.0 * number, 10.0 * number + 1)
    assert starving(queue.spans) == []


def test_the_bound_can_be_stated() -> None:
    queue = Queue()
    queue.call("batch", 1, 0.0, 30.0)
    for number in range(20):
        queue.call("chat", 2 + number, 0.5 + number, 1.0 + number)
    assert starving(queue.spans) == []
    assert [it.overtaken for it in starving(queue.spans, bound_s=20.0)] == [20]
