"""Named tuples that are made on the way of every call, without the constructor that would fill in a missing field."""

from __future__ import annotations

from harness.agents.message import Message, Task, answer
from harness.chance import Draws
from harness.chance.distributions import Constant
from harness.provider import Latency
from harness.provider.latency import Duration
from harness.spans import SpanLog
from harness.units import Usage


def test_answer_has_every_field_of_a_message() -> None:
    log = SpanLog(lambda: 0.0)
    task = Task(1, "kind", log.open_task("kind", 1))
    asked = Message.of_text(task, "user", "hello", tokens=3)
    assert answer((asked,), "a", "done", 2, 1.5, 0.25) == Message(
        task, "a", "done", 2, 2, 1, "user", "result", None, 1.5, 0.25, "", 1
    )


def test_duration_of_an_attempt_has_every_field() -> None:
    latency = Latency(ttft_s=Constant(2.0), itl_s=Constant(0.5))
    assert latency.sample(Draws(1), "key", 10, 4) == Duration(2.0, 2.0)
    assert len(latency.sample(Draws(1), "key", 10, 4)) == len(Duration._fields)


def test_usage_without_a_cache_has_every_field() -> None:
    assert Usage(3, 4) == (3, 4, 0, 0, 0, 0, 0.0, 0.0)
