"""Causes are told before their effects: who changed, and what all others wait longer for because of it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable

import pytest

from benchmarks.reasons import DIRECT, LATENCY, SHARED, Cause, Spec, explained, is_right, team_of
from harness.gate.causes import cause_of_effect, is_chance
from harness.gate.changes import factors
from harness.gate.explanation import Row, extent
from harness.gate.output.json_object import _reasons
from harness.gate.why import why
from harness.metrics.contributions import Key, Use
from harness.run import Simulation


@pytest.mark.parametrize("cause", SHARED, ids=lambda it: f"{it.name}, {it.metric}")
def test_a_cause_that_works_through_something_shared_is_named_first(cause: Cause) -> None:
    agent = "bee"
    told = explained([(cause, agent)], 7)
    assert is_right(told, cause, agent), told.sentence


@pytest.mark.parametrize("cause", DIRECT[:4], ids=lambda it: it.name)
def test_an_agent_that_changed_is_named_with_what_changed(cause: Cause) -> None:
    told = explained([(cause, "cat")], 11)
    assert is_right(told, cause, "cat"), told.sentence


def test_the_wait_of_all_is_told_as_the_effect_of_the_agent_that_writes_more() -> None:
    slots = next(it for it in SHARED if it.name == "slots")
    told = explained([(slots, "bee")], 7).sentence
    assert told.startswith("bee writes ")
    assert " times as much (output tokens a reply from " in told
    assert "all wait in queues, most of it " in told


def test_two_causes_are_both_named_the_larger_first() -> None:
    writes, slower = (next(it for it in DIRECT if it.name == name) for name in ("writes more", "slower"))  # fmt: skip
    told = explained([(writes, "ant"), (slower, "dog")], 3)
    assert is_right(told, writes, "ant", first=2)
    assert is_right(told, slower, "dog", first=2)
    first, second = told.reasons[:2]
    assert first.change > second.change > 0


def test_reasons_are_objects_with_amounts() -> None:
    told = explained([(DIRECT[0], "cat")], 11)
    (first, *_) = json.loads(json.dumps(_reasons(told)))["reasons"]
    assert (first["kind"], first["agent"]) == ("output", "cat")
    assert first["change"] == pytest.approx(first["candidate"] - first["base"])
    assert {"name", "share", "text"} <= first.keys()


def changed(spec: Spec, change: Callable[[Spec], None]) -> str:
    before = [Simulation.from_spec(spec).run(1).spans]
    change(spec)
    return why(before, [Simulation.from_spec(spec).run(1).spans], LATENCY).sentence


def test_fewer_slots_are_nobodys_fault() -> None:
    spec = team_of(1)
    spec["workload"]["arrivals"] = {"every_s": 5}
    spec["providers"]["anthropic"]["concurrency"] = 8
    told = changed(spec, lambda it: it["providers"]["anthropic"].update(concurrency=2))
    assert told.startswith("Waiting in queues, most of it by ")


def test_an_injected_529_is_not_blamed_on_who_writes_more() -> None:
    def change(spec: Spec) -> None:
        spec["agents"]["ant"]["output_tokens"] = 500
        spec["faults"] = [{"overloaded": {"agent": "dog", "probability": 0.7}}]

    spec = team_of(1)
    spec["agents"]["ant"]["output_tokens"] = 300
    told = changed(spec, change)
    assert "retries of dog take" in told
    assert "ant takes" in told


def test_a_tool_that_fails_is_blamed_for_the_calls_that_follow() -> None:
    old = Use(calls=1, attempts=1, replies=1, output_tokens=100, service_s=1.0)
    new = Use(calls=2, attempts=2, replies=2, output_tokens=200, service_s=2.0)
    new.endings = Counter({"tool search: tool_error": 1})
    uses = ({"bee": old}, {"bee": new})
    found = cause_of_effect(Key("work", "bee", ""), uses, 1, 1.0)
    assert found.kind == "failing tool"
    assert found.text.startswith("The tool search of bee fails ")


def test_a_longer_prompt_is_not_taken_for_a_slow_model() -> None:
    old = Use(calls=1, attempts=1, replies=1, input_tokens=1000, output_tokens=100, service_s=2.0, prefill_s=1.0)  # fmt: skip
    new = Use(calls=1, attempts=1, replies=1, input_tokens=9000, output_tokens=100, service_s=5.0, prefill_s=4.0)  # fmt: skip
    (first, *_) = factors("bee", old, new, 1)
    assert (first.kind, first.seconds) == ("prompt", 3.0)
    slow = Use(calls=1, attempts=1, replies=1, input_tokens=1000, output_tokens=100, service_s=5.0, prefill_s=4.0)  # fmt: skip
    assert factors("bee", old, slow, 1)[0].kind == "first token"


def test_the_parts_of_a_service_time_add_up() -> None:
    old = Use(calls=3, attempts=3, replies=3, input_tokens=900, output_tokens=300, service_s=9.0, prefill_s=1.5)  # fmt: skip
    new = Use(calls=4, attempts=5, replies=4, input_tokens=2000, output_tokens=900, service_s=22.0, prefill_s=3.0)  # fmt: skip
    parts = factors("bee", old, new, 2)
    assert math.fsum(it.seconds for it in parts) == pytest.approx((22.0 - 9.0) / 2)


def test_a_shorter_timeout_is_not_blamed_on_the_noise_of_the_replies_that_are_left() -> None:
    spec = team_of(3)
    told = changed(spec, lambda it: it["policies"]["default"].update(timeout_s=4.5))
    assert " of its attempts end with timeout (none before)" in told
    assert " times as " not in told


def test_what_was_hardly_there_has_no_percentage() -> None:
    found = Row("retry", "bee", "", 0.001, 10.0, 0.5)
    assert extent(found, "tasks") == "(hardly any before), in 50 % of tasks"


def test_chance_explains_what_goes_both_ways_and_not_what_goes_one_way() -> None:
    assert is_chance([1.0, -1.0, 2.0, -1.5, 0.0, 0.0])
    assert is_chance([3.0, *[0.0] * 47])
    assert not is_chance([1.0, 9.0, 0.3, 7.0, 0.2, 0.1, 4.0, 0.4, 0.1, 5.0, 0.2, *[0.0] * 40])
    assert not is_chance([1.0, 1.1, 0.9, 1.0])
    assert is_chance([0.0, 0.0])
