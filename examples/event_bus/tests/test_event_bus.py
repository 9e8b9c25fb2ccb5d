"""Who hears an event, when, and what becomes of the work of a subscriber that raises."""

from __future__ import annotations

import pytest
from event_bus import Agent, EventBus, newsroom

from harness.sim import Sim

LATENCY_S = {"fact checker": 3.0, "translator": 5.0, "archivist": 1.0}
ARTICLE = {"text": "A bridge opens."}


def describe(sim: Sim, *roles: str) -> None:
    for role in roles:
        sim.agent(
            role,
            system=f"*{role}*",
            reply=lambda call, role=role: f"{role}: {call.prompt}",
            latency_s=LATENCY_S[role],
        )


def publish_article() -> list[tuple[str, str]]:
    bus = newsroom()
    bus.publish("article", ARTICLE)
    return [(event.topic, event.data["text"]) for event in bus.event_log]


def test_what_a_subscriber_publishes_reaches_the_next(sim: Sim) -> None:
    describe(sim, "fact checker", "translator", "archivist")

    assert sim.run(publish_article).output == [
        ("article", "A bridge opens."),
        ("checked", "fact checker: A bridge opens."),
        ("archived", "archivist: fact checker: A bridge opens."),
        ("translated", "translator: A bridge opens."),
        ("archived", "archivist: translator: A bridge opens."),
    ]


def test_a_subscriber_that_raises_does_not_keep_the_event_from_the_others(
    sim: Sim, capsys: pytest.CaptureFixture[str]
) -> None:
    describe(sim, "fact checker", "translator", "archivist")
    sim.fault("status", status=500, agent="fact checker")

    run = sim.run(publish_article)

    assert [topic for topic, _ in run.output] == ["article", "translated", "archived"]
    assert "error in subscriber of article: InternalServerError" in capsys.readouterr().out


def test_the_work_of_a_subscriber_that_raises_is_lost(sim: Sim) -> None:
    """A weakness: the error is printed, the publisher learns nothing, and no one tries again."""
    describe(sim, "fact checker", "translator", "archivist")

    with pytest.raises(AssertionError, match="swallowed_error"):
        sim.run(publish_article).assert_survives("status", status=500, agent="fact checker")


def test_the_publisher_waits_for_every_subscriber_and_for_theirs(sim: Sim) -> None:
    """A weakness: `publish` is a chain of calls, so the latency of an event is that of the whole tree."""
    describe(sim, "fact checker", "translator", "archivist")

    run = sim.run(publish_article)

    assert run.latency_s == (3.0 + 1.0) + (5.0 + 1.0)
    assert run.calls("translator")[0].start_s == 4.0


def test_an_event_published_before_the_subscription_is_lost(sim: Sim) -> None:
    """A weakness: the bus keeps a log, and does not replay it."""

    def program() -> list[str]:
        bus = EventBus()
        bus.publish("article", ARTICLE)
        Agent("fact checker", bus, "article", "checked")
        return [event.topic for event in bus.event_log]

    run = sim.run(program)

    assert run.output == ["article"]
    assert not run.calls()


def test_agents_that_hear_each_other_go_on_until_the_stack_is_full(sim: Sim) -> None:
    """A weakness: events have no bound on hops; the bus prints the `RecursionError` as one more error."""
    sim.agent("optimist", system="*optimist*", reply="Yes!", latency_s=1.0)
    sim.agent("pessimist", system="*pessimist*", reply=["No."] * 9, latency_s=1.0)
    sim.fault("status", status=500, agent="optimist", call=10)

    def program() -> int:
        bus = EventBus()
        Agent("optimist", bus, "doubt", "hope")
        Agent("pessimist", bus, "hope", "doubt")
        bus.publish("doubt", {"text": "Will it rain?"})
        return len(bus.event_log)

    run = sim.run(program)

    assert run.output == 1 + 9 + 9
    assert run.latency_s > 18.0


def test_events_carry_virtual_times(sim: Sim) -> None:
    describe(sim, "fact checker", "translator", "archivist")

    def program() -> list[float]:
        bus = newsroom()
        bus.publish("article", ARTICLE)
        first = bus.event_log[0].timestamp
        return [(event.timestamp - first).total_seconds() for event in bus.event_log]

    assert sim.run(program).output == [0.0, 3.0, 4.0, 9.0, 10.0]
