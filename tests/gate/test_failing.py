"""Why fewer tasks succeed: the agent, the way in which its calls end; and nothing improves because tasks died."""

from __future__ import annotations

import json

import pytest

from harness.gate import gate, limits_of
from harness.gate.baseline import kept_from_json, kept_to_json
from harness.gate.kept import kept_of, why_kept
from harness.gate.why import why
from harness.metrics.endings import failed_tasks
from tests.gate.conftest import MakeSide
from tests.gate.test_why import runs

ALONE = "pattern={pipeline: {stages: [lead, security]}}"
ONCE = "policies.default.retry={attempts: 1}"
HEALTHY = "faults=[]"


@pytest.mark.parametrize(
    ("changes", "ending"),
    [
        (["faults=[{overloaded: {agent: security, probability: 0.5}}]"], "529 overloaded_error"),
        (
            ["faults=[{status: {agent: security, probability: 0.5, status: 429}}]"],
            "429 rate_limit_error",
        ),
        (
            ["faults=[{status: {agent: security, probability: 0.5, status: 400}}]"],
            "400 invalid_request_error",
        ),
        (["faults=[{connection_error: {agent: security, probability: 0.5}}]"], "connection_error"),
        (["faults=[{hang: {agent: security, probability: 0.5}}]"], "timeout"),
    ],
)
def test_the_agent_at_which_tasks_fail_is_named_with_how_its_attempts_end(
    changes: list[str], ending: str
) -> None:
    told = why(runs(ALONE, ONCE, HEALTHY), runs(ALONE, ONCE, *changes), "success_rate")
    share, _, rest = told.sentence.partition(" % of tasks fail at security (none before), with ")
    assert 30 < float(share) < 70
    assert rest.startswith(f"{ending}; ")
    assert f"of its attempts end with {ending} (none before)" in rest
    assert {(row.kind, row.agent, row.name) for row in told.rows} == {
        ("failed", "security", ending)
    }


def test_retries_are_told_with_why_attempts_failed() -> None:
    fault = "faults=[{status: {agent: security, probability: 0.6, status: 503}}]"
    slow = "policies.default.retry={attempts: 9, first_wait_s: 20, max_wait_s: 20, jitter: none}"
    told = why(runs(ALONE, slow, HEALTHY), runs(ALONE, slow, fault), "latency_s_mean").sentence
    assert told.startswith("Failed attempts and retries of security take ")
    assert "of its attempts end with 503 " in told


def test_a_fault_that_was_mended_is_told_the_other_way_round() -> None:
    fault = "faults=[{overloaded: {agent: security, probability: 0.5}}]"
    told = why(runs(ALONE, ONCE, fault), runs(ALONE, ONCE, HEALTHY), "success_rate").sentence
    assert told.startswith("0 % of tasks fail at security (")
    assert why(runs(), runs(), "success_rate").sentence == "As many tasks fail as before."


def test_a_baseline_file_tells_the_same() -> None:
    fault = "faults=[{overloaded: {agent: security, probability: 0.5}}]"
    sides = [
        {
            seed: kept_from_json(json.loads(json.dumps(kept_to_json(kept_of([spans], ["success_rate"])))))
            for seed, spans in enumerate(side)
        }
        for side in (runs(ALONE, ONCE, HEALTHY), runs(ALONE, ONCE, fault))
    ]  # fmt: skip
    told = why_kept(sides[0], sides[1], "success_rate").sentence
    assert (
        told == why(runs(ALONE, ONCE, HEALTHY), runs(ALONE, ONCE, fault), "success_rate").sentence
    )


def test_a_task_that_is_cut_failed_at_what_was_open() -> None:
    (spans, *_) = runs(ALONE, "policies={}", "faults=[{hang: {agent: security, probability: 0.5}}]")
    places = set(failed_tasks(spans).values())
    assert {place.agent for place in places} == {"security"}
    assert {place.reason for place in places} == {"unfinished, waiting (silence)"}


def test_nothing_is_improved_by_tasks_that_failed(side: MakeSide) -> None:
    limits = limits_of(options=["latency_s_p95=ignore", "cost_usd_mean=ignore"])
    base, half = ({"latency_s_mean": [k + n % 3 * 0.01 for n in range(8)]} for k in (10, 5))
    before = side(base, failed=[()] * 8)
    healthy = gate(before, side(half, failed=[()] * 8), limits)
    assert [it.status for it in healthy.metrics] == ["improved", "identical"]
    dying = gate(before, side(half, failed=[range(1, 26)] * 8), limits)
    assert [it.status for it in dying.metrics] == ["within limit", "regressed"]
    assert "fewer tasks succeed" in dying.metrics[0].reason
