"""How long paragraphs take side by side, and how tenacity's waits add to the one that fails and to no other."""

from __future__ import annotations

import pytest
import requests
from translator import Busy, Translator

from harness.sim import Sim

TEXT = "One.\n\nTwo.\n\nThree."
REFUSED_S = 0.05
"""How long a refusal takes."""


def describe(sim: Sim, **latency_s: float) -> None:
    for name in ("One", "Two", "Three"):
        sim.agent(
            name,
            when=lambda call, name=name: call.prompt == f"{name}.",
            reply=f"({name})",
            latency_s=latency_s.get(name, 3.0),
        )


def translate() -> str:
    return Translator("Latin").translate(TEXT)


def test_a_text_takes_as_long_as_its_slowest_paragraph(sim: Sim) -> None:
    describe(sim, One=2.0, Two=5.5, Three=1.0)

    run = sim.run(translate)

    assert run.latency_s == 5.5
    assert run.output == "(One)\n\n(Two)\n\n(Three)"


def test_a_busy_service_is_asked_again_after_two_seconds_and_after_two_more(sim: Sim) -> None:
    describe(sim)
    sim.fault("status", status=503, agent="Two", attempt=1)
    sim.fault("status", status=429, agent="Two", attempt=2)

    run = sim.run(translate)

    (one,), (two,) = run.calls("One"), run.calls("Two")
    assert [len(one.attempts), len(two.attempts)] == [1, 3]
    assert run.latency_s == two.end_s == pytest.approx(2 * (REFUSED_S + 2) + 3.0)


@pytest.mark.parametrize("fault", ["refused", "reset", "dns_failure"])
def test_a_connection_that_breaks_is_made_again(sim: Sim, fault: str) -> None:
    describe(sim)
    sim.fault(fault, agent="Three", attempt=1)

    assert sim.run(translate).latency_s == pytest.approx(REFUSED_S + 2 + 3.0)


def test_a_service_that_stays_busy_is_given_up_after_four_times(sim: Sim) -> None:
    describe(sim)
    sim.fault("status", status=503, agent="One")

    with pytest.raises(Busy):
        sim.run(translate)

    assert len(sim.last_run.calls("One")[0].attempts) == 4
    assert sim.last_run.latency_s == pytest.approx(4 * REFUSED_S + 2 + 2 + 4)


def test_a_key_that_is_wrong_is_not_tried_again(sim: Sim) -> None:
    describe(sim)
    sim.fault("status", status=401, agent="One")

    with pytest.raises(requests.HTTPError, match="401"):
        sim.run(translate)

    assert len(sim.last_run.calls("One")[0].attempts) == 1
