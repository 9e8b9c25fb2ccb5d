"""What policies do to requests is told as such, and what only moved on the critical path is blamed on nobody."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest

from harness.gate.explanation import Explanation
from harness.gate.why import why
from harness.run import Simulation

LATENCY = "latency_s_mean"
COST = "cost_usd_mean"

Spec = dict[str, Any]


def team(**more: object) -> Spec:
    """Two workers side by side, of whose replies a third agent makes one."""
    sizes = {"lognormal": {"median": 300, "sigma": 0.3}}
    return {
        "scenario": "team",
        "workload": {"tasks": 24, "arrivals": {"every_s": 120}, "kinds": [{"kind": "ask", "text": "Why?", "input_tokens": 400}]},
        "providers": {"anthropic": {}},
        "models": {
            "fast": {
                "provider": "anthropic",
                "name": "claude-haiku-4-5",
                "latency": {"ttft_s": {"lognormal": {"median": 0.5, "sigma": 0.3}}, "itl_s": 0.01},
                "prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 5},
            }
        },
        "agents": {name: {"model": "fast", "output_tokens": sizes} for name in ("ant", "bee", "sum")},
        "pattern": {"parallel": {"members": ["ant", "bee"], "aggregate": {"merge": {"by": "sum"}}}},
        "policies": {"default": {}, "agents": {"bee": {}}},
        **more,
    }  # fmt: skip


def changed(spec: Spec, change: Callable[[Spec], object], metric: str = LATENCY) -> Explanation:
    after = copy.deepcopy(spec)
    change(after)
    base, candidate = ([Simulation.from_spec(it).run(seed).spans for seed in (1, 2)] for it in (spec, after))  # fmt: skip
    return why(base, candidate, metric)


def of_bee(spec: Spec) -> Spec:
    found: Spec = spec["policies"]["agents"]["bee"]
    return found


def test_samples_are_no_retries() -> None:
    told = changed(team(), lambda it: of_bee(it).update(samples={"count": 3}), COST)
    assert told.reasons[0].kind == "samples"
    assert "bee asks 3 times a call (1 before)" in told.sentence
    assert "retries" not in told.sentence


def test_a_cache_of_replies_that_is_taken_away_is_named() -> None:
    spec = team()
    of_bee(spec)["cache"] = {"ttl_s": 1e6}
    (first, *_) = changed(spec, lambda it: of_bee(it).clear(), COST).reasons
    assert (first.kind, first.agent) == ("reply cache", "bee")
    assert "0 % of the calls of bee are answered without an attempt (95.8 % before)" in first.text
    (first, *_) = changed(spec, lambda it: of_bee(it).clear()).reasons
    assert (first.kind, first.agent) == ("reply cache", "bee")


def test_a_hedge_that_is_taken_away_is_named() -> None:
    spec = team(faults=[{"latency": {"agent": "bee", "factor": 10, "probability": 0.5}}])
    of_bee(spec)["hedge"] = {"after_s": 8}
    (first, *_) = changed(spec, lambda it: of_bee(it).clear()).reasons
    assert (first.kind, first.agent) == ("hedges", "bee")
    assert first.text.startswith("0 % of the attempts of bee are hedges' losers (")


def test_a_circuit_breaker_that_is_taken_away_is_named() -> None:
    spec = team(faults=[{"hang": {"agent": "bee"}}])
    of_bee(spec).update(timeout_s=30, circuit_breaker={"failures": 2, "open_s": 9000}, fallback="sum")  # fmt: skip
    (first, *_) = changed(spec, lambda it: of_bee(it).pop("circuit_breaker")).reasons
    assert (first.kind, first.agent) == ("refused calls", "bee")
    assert "0 % of the calls of bee end with circuit_open before any attempt (91.7 % before)" in first.text  # fmt: skip


def test_longer_back_off_is_no_more_failures() -> None:
    spec = team(faults=[{"overloaded": {"agent": "bee", "probability": 0.5}}])
    of_bee(spec)["retry"] = {"attempts": 9, "first_wait_s": 0.5, "max_wait_s": 30, "jitter": "none"}
    (first, *_) = changed(spec, lambda it: of_bee(it)["retry"].update(first_wait_s=8)).reasons
    assert (first.kind, first.agent) == ("back_off", "bee")
    assert first.text.startswith("bee waits between its attempts (back-off) ")


def test_a_hang_that_ends_in_timeouts_says_so() -> None:
    spec = team()
    of_bee(spec).update(timeout_s=30, retry={"attempts": 5})
    told = changed(spec, lambda it: it.update(faults=[{"hang": {"agent": "bee", "probability": 0.3}}]))  # fmt: skip
    assert told.reasons[0].agent == "bee"
    assert "of its attempts end with timeout (none before)" in told.reasons[0].text


def test_who_is_waited_for_now_is_not_taken_for_one_that_writes_more() -> None:
    spec = team()
    spec["pattern"]["parallel"]["aggregate"] = {"first": {}}
    told = changed(spec, lambda it: it["pattern"]["parallel"].update(aggregate={"merge": {}}))
    assert {it.kind for it in told.reasons} == {"waited for"}
    assert "is waited for more often (0 % of its attempts are cancelled, " in told.sentence


def test_a_longer_stay_of_the_path_at_an_agent_of_which_nothing_changed_is_no_reason() -> None:
    spec = team()
    spec["providers"]["anthropic"]["concurrency"] = 8
    told = changed(spec, lambda it: it["providers"]["anthropic"].update(concurrency=1))
    (only,) = told.reasons
    assert only.kind == "queue"


def test_who_reads_more_because_others_write_more_comes_behind_them() -> None:
    spec = team()
    spec["agents"]["sum"]["model"] = "deep"
    spec["models"]["deep"] = {**spec["models"]["fast"], "prices": {"input_usd_per_mtok": 30, "output_usd_per_mtok": 30}}  # fmt: skip
    told = changed(spec, lambda it: it["agents"]["bee"].update(output_tokens=900), COST)
    assert [it.agent for it in told.reasons] == ["bee", "sum"]
    assert told.reasons[1].change > told.reasons[0].change
    assert "it reads what bee writes" in told.reasons[1].text


def test_a_longer_prompt_of_ones_own_is_nobody_elses_doing() -> None:
    told = changed(team(), lambda it: it["agents"]["sum"].update(system_tokens=2000), COST)
    assert "it reads what" not in told.sentence


def test_numbers_that_moved_the_work_little_are_not_told() -> None:
    def both_write_more(spec: Spec) -> None:
        for name in ("bee", "sum"):
            spec["agents"][name]["output_tokens"] = 900

    told = changed(team(), both_write_more).sentence
    assert "sum takes " in told
    assert "output tokens a reply from " in told
    assert "input tokens a reply from " not in told


@pytest.mark.parametrize("policy", [{"samples": {"count": 2}}, {"hedge": {"after_s": 1}}])
def test_parts_of_money_add_up_whatever_makes_more_attempts(policy: Spec) -> None:
    told = changed(team(), lambda it: of_bee(it).update(policy), COST)
    whole = math.fsum(row.change for row in told.rows)
    assert math.fsum(it.usd for it in told.split) == pytest.approx(whole, rel=1e-9)
    assert told.split[0].kind in policy or told.split[0].kind == "hedges"


def test_who_works_while_all_wait_for_a_message_is_no_reason() -> None:
    late = [{"message_delayed": {"to": "bee", "by_s": 20}}]
    told = changed(team(), lambda it: it.update(faults=late))
    assert [it.kind for it in told.reasons] == ["hand_off"]


def test_tasks_that_fail_outside_of_any_call_name_who_was_not_asked() -> None:
    spec = team()
    spec["pattern"] = {
        "orchestrator_worker": {"orchestrator": "ant", "workers": ["bee"], "synthesizer": "sum"}
    }
    lost = [{"message_lost": {"to": "bee", "noticed_after_s": 30, "probability": 0.5}}]
    (first, *_) = changed(spec, lambda it: it.update(faults=lost), "success_rate").reasons
    assert first.agent == "bee"
    assert first.text.endswith("; bee makes 0.729 calls a task (1 before).")
