"""Events by topic: who is told of which, whose failure disturbs whom, and what is lost."""

from __future__ import annotations

from typing import Any

import pytest

from harness.patterns.bus import Bus, NobodyAnswered, Subscriber, TooManyEvents
from harness.spans import AGENT
from tests.patterns.simulated import metrics_of, rows, simulated
from tests.patterns.stage import FAILURE, Speaker, Stage


def sub(agent: str, *topics: str, **more: Any) -> Subscriber:  # noqa: ANN401 - its fields
    return Subscriber(agent=agent, topics=topics, **more)


def shop(**more: Speaker) -> Stage:
    speakers = {
        "stock": Speaker(1.0, "packed"),
        "pay": Speaker(2.0, "paid"),
        "ship": Speaker(1.0, "shipped"),
        "watch": Speaker(1.0, "all is well"),
    }
    return Stage(**{**speakers, **more})


CHAIN = (
    sub("stock", "task", publishes="packed"),
    sub("pay", "task", publishes="paid"),
    sub("ship", "packed", publishes="answer"),
)


def test_events_reach_those_who_subscribed_side_by_side() -> None:
    stage = shop()
    assert stage.play(Bus(subscribers=CHAIN)).text == "shipped"
    assert stage.turns() == [
        ("stock", 0.0, 1.0, "ok"), ("pay", 0.0, 2.0, "ok"), ("ship", 1.0, 2.0, "ok"),
    ]  # fmt: skip
    assert stage.speakers["ship"].prompts == ["packed"]


def test_topic_may_be_a_pattern() -> None:
    stage = shop()
    subscribers = (
        sub("stock", "task", publishes="order.packed"),
        sub("ship", "order.*", publishes="answer"),
    )
    assert stage.play(Bus(subscribers=subscribers)).text == "shipped"


def test_subscriber_deals_with_its_events_one_after_another() -> None:
    stage = shop()
    subscribers = (
        sub("stock", "task", publishes="packed"),
        sub("watch", "task", publishes="packed"),
        sub("ship", "packed", publishes="answer"),
    )
    stage.play(Bus(subscribers=subscribers))
    assert [row for row in stage.turns() if row[0] == "ship"] == [
        ("ship", 1.0, 2.0, "ok"), ("ship", 2.0, 3.0, "ok"),
    ]  # fmt: skip


def test_failure_of_a_subscriber_is_an_event_and_disturbs_nobody_else() -> None:
    stage = shop(pay=Speaker(0.5, FAILURE))
    bus = Bus(subscribers=(*CHAIN, sub("watch", "errors")))
    assert stage.play(bus).text == "shipped"
    assert stage.speakers["watch"].prompts == ["pay failed: api_error"]
    assert ("pay", "watch", "error") in stage.messages()


def test_mistake_in_the_program_is_no_event() -> None:
    stage = shop(pay=Speaker(0.5, ValueError("a bug")))
    with pytest.raises(ValueError, match="a bug"):
        stage.play(Bus(subscribers=CHAIN))


def test_event_that_was_published_before_the_subscription_is_lost() -> None:
    stage = shop()
    late = sub("pay", "packed", "answer", joins_after=2)
    stage.play(Bus(subscribers=(CHAIN[0], CHAIN[2], late)))
    assert stage.speakers["pay"].prompts == ["shipped"]


def test_late_subscriber_may_be_told_of_what_the_log_holds() -> None:
    stage = shop()
    late = sub("pay", "packed", "answer", joins_after=2, replay=True)
    stage.play(Bus(subscribers=(CHAIN[0], CHAIN[2], late)))
    assert stage.speakers["pay"].prompts == ["packed", "shipped"]


def test_observer_listens_to_everything_without_a_call_and_is_heard_in_the_end() -> None:
    stage = shop()
    stage.play(Bus(subscribers=(*CHAIN, sub("stock", "observations")), observers=("watch",)))
    (prompt,) = stage.speakers["watch"].prompts
    assert prompt.startswith("the task\n\npacked\n\npaid\n\nshipped\n\nWhat do you have to say")
    assert stage.speakers["stock"].prompts[-1] == "all is well"


def test_observer_may_have_nothing_to_say() -> None:
    stage = shop(watch=Speaker(1.0, "pass"))
    stage.play(Bus(subscribers=(*CHAIN, sub("stock", "observations")), observers=("watch",)))
    assert stage.speakers["stock"].prompts == ["the task"]


def test_observer_may_answer() -> None:
    stage = shop()
    bus = Bus(subscribers=CHAIN[:1], observers=("watch",), answer="observations")
    assert stage.play(bus).text == "all is well"


def test_two_who_react_to_one_another_are_stopped() -> None:
    stage = shop()
    ring = (sub("stock", "task", "b", publishes="a"), sub("pay", "a", publishes="b"))
    with pytest.raises(TooManyEvents, match="more than 10 events: task 1, a 5, b 4"):
        stage.play(Bus(subscribers=ring, max_events=10))


def test_bus_that_is_quiet_without_an_answer_fails_the_task() -> None:
    stage = shop(stock=Speaker(1.0, FAILURE))
    with pytest.raises(NobodyAnswered) as raised:
        stage.play(Bus(subscribers=CHAIN))
    assert raised.value.__cause__ is FAILURE


# -- scenarios --------------------------------------------------------------------------------------


def test_payment_that_fails_disturbs_no_order_and_the_auditor_sees_it() -> None:
    result = simulated("bus")
    turns = rows(result, AGENT, "agent", "status")
    failed = turns.count(("payment", "error"))
    assert failed > 0
    assert turns.count(("shipping", "ok")) == result.tally.tasks
    assert turns.count(("support", "ok")) == failed
    assert metrics_of(result)["success_rate"] == 1.0


def test_late_subscriber_never_hears_of_the_order_unless_the_log_is_replayed() -> None:
    lost = simulated("bus_late_subscriber")
    assert "shipping" not in {agent for (agent,) in rows(lost, AGENT, "agent")}
    assert metrics_of(lost)["success_rate"] == 1.0  # the customer was told that all is well
    again = simulated("bus_late_subscriber", "pattern.bus.subscribers[1].replay=true")
    turns = [agent for (agent,) in rows(again, AGENT, "agent")]
    assert turns.count("shipping") == again.tally.tasks
