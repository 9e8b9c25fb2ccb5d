"""Each policy in a run: what it does to spans and outcomes, and that nothing happens where it is not installed."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ScenarioError
from harness.run import RunResult, Simulation
from harness.spans import AGENT, ATTEMPT, CALL, OK, TASK, WAIT, as_json_lines
from tests.resilience.team import at, events, metrics_of, rows, simulated, spec

DOWN = {"overloaded": {"agent": "a"}}
ALL_AT_ONCE = {"tasks": 20, "arrivals": {"at_s": [0.0] * 20}}


def outcomes(result: RunResult) -> list[str]:
    return [error or status for status, error in rows(result, TASK, "status", "error")]


# -- nothing --------------------------------------------------------------------------------------------------------


def test_without_policies_a_run_has_no_events_of_policies_and_no_metrics_of_them() -> None:
    result = simulated()
    assert not events(result)
    names = {"escalations", "hedges", "cache_hits", "budget_refusals", "breaker_open_s"}
    assert names.isdisjoint(metrics_of(result))


IDLE: dict[str, dict[str, Any]] = {
    "hedge": {"hedge": {"after_s": 5}},
    "circuit_breaker": {"circuit_breaker": {}},
    "budget": {"budget": {"usd": 100, "calls": 100, "turns": 100, "tokens": 10**6}},
    "token_bucket": {"token_bucket": {"requests_per_min": 600, "tokens_per_min": 10**6}},
    "queue": {"queue": {"max_in_flight": 5}},
    "default_answer": {"default_answer": {"after_s": 5}},
    "task_deadline": {"task_deadline_s": 5},
    "health": {"health": {}, "fallback": "b"},
    "escalate": {"escalate": {}},
    "validate": {"validate": {"function": "json:dumps", "attempts": 1}},
}


@pytest.mark.parametrize("name", [name for name in IDLE if name != "validate"])
def test_policy_that_has_nothing_to_do_changes_no_span(name: str) -> None:
    assert as_json_lines(simulated(of_a=IDLE[name]).spans) == as_json_lines(simulated().spans)


# -- circuit breaker ------------------------------------------------------------------------------------------------


def test_breaker_opens_after_failures_in_a_row_and_refuses_calls_until_a_probe_succeeds() -> None:
    """A task every 10 s; the provider is down until 45 s. It opens at the third failure and is tried again after 25 s."""
    result = simulated(
        {"circuit_breaker": {"failures": 3, "open_s": 25}},
        tasks={"tasks": 9, "arrivals": {"every_s": 10}},
        faults=[{"overloaded": {"agent": "a", "until_s": 45.0}}],
    )
    assert outcomes(result) == [*["overloaded_error"] * 3, *["circuit_open"] * 2, OK, OK, OK, OK]
    (opened_s,) = at(result, "circuit_opened")
    assert at(result, "circuit_half_opened") == [50.0]
    assert at(result, "circuit_closed") == [51.0]
    assert at(result, "circuit_refused") == [30.0, 40.0]
    assert metrics_of(result)["breaker_open_s"] == 50.0 - opened_s
    assert len(rows(result, ATTEMPT, "status")) == 7


def test_breaker_opens_again_when_a_probe_fails() -> None:
    result = simulated(
        {"circuit_breaker": {"failures": 1, "open_s": 15}},
        tasks={"tasks": 4, "arrivals": {"every_s": 10}},
        faults=[DOWN],
    )
    assert outcomes(result) == ["overloaded_error", "circuit_open", "overloaded_error", "circuit_open"]  # fmt: skip
    assert len(at(result, "circuit_opened")) == 2


def test_shared_breaker_spares_the_other_agents_the_failures_of_one() -> None:
    def attempts(shared: str | None) -> int:
        result = simulated(
            {"circuit_breaker": {"failures": 2, "open_s": 1000, "shared": shared}},
            pattern={"parallel": {"members": ["a", "b", "c"], "aggregate": {"first": {}}}},
            faults=[{"overloaded": {}}],
        )
        return len(rows(result, ATTEMPT, "status"))

    assert attempts(None) == 6
    assert attempts("provider") == 3  # the three of the first task begin together


# -- hedge ----------------------------------------------------------------------------------------------------------


def test_hedge_sends_a_second_attempt_and_cancels_the_slower_one() -> None:
    slow = {"latency": {"agent": "a", "from_s": 10.0, "until_s": 11.0, "factor": 30}}
    result = simulated({"hedge": {"after_s": 2}}, faults=[slow])
    ended = rows(result, ATTEMPT, "arrival_s", "end_s", "status")
    assert [one for one in ended if one[0] >= 10.0 and one[0] < 20.0] in (
        [(12.0, 13.0, OK), (10.0, 13.0, "cancelled")],
        [(10.0, 13.0, "cancelled"), (12.0, 13.0, OK)],
    )
    assert metrics_of(result)["hedges"] == 1
    assert metrics_of(result)["retries"] == 0
    assert metrics_of(result)["wasted_usd"] > 0


def test_hedge_that_fails_does_not_end_the_call_while_the_first_attempt_goes_on() -> None:
    result = simulated(
        {"hedge": {"after_s": 2}},
        tasks={"tasks": 1},
        service=4.0,
        faults=[{"overloaded": {"agent": "a", "from_s": 1.0}}],
    )
    assert outcomes(result) == [OK]
    assert events(result)["hedged"] == 1


# -- limits ---------------------------------------------------------------------------------------------------------


def test_token_bucket_keeps_agents_that_share_a_quota_below_it() -> None:
    quota = {"limits": {"requests_per_min": 30}}
    pattern = {"orchestrator_worker": {"workers": ["a", "b", "c"]}}
    tasks = {"tasks": 20, "arrivals": {"every_s": 1}}
    refused = simulated(provider=quota, pattern=pattern, tasks=tasks)
    assert metrics_of(refused)["rate_limited"] > 20
    bucket = {"token_bucket": {"requests_per_min": 30, "shared": "quota"}}
    held = simulated(bucket, provider=quota, pattern=pattern, tasks=tasks)
    assert metrics_of(held)["rate_limited"] == 0
    assert metrics_of(held)["success_rate"] == 1.0
    assert set(rows(held, WAIT, "name", "status")) == {("token_bucket", OK)}


def test_token_bucket_counts_the_tokens_of_replies_once_they_are_there() -> None:
    """100 tokens are read and 100 written; at 600 a minute. Who waits already does not wait for a reply that comes then."""
    result = simulated(
        {"token_bucket": {"tokens_per_min": 600, "burst_s": 10}},
        tasks={"tasks": 4, "arrivals": {"at_s": [0, 2, 4, 40]}},
    )
    starts = [at_s for (at_s,) in rows(result, ATTEMPT, "arrival_s")]
    assert starts == [0.0, 20.0, 30.0, 60.0]


def test_queue_serves_important_tasks_first_and_a_shared_one_holds_for_all_agents() -> None:
    kinds = [
        {"kind": "low", "priority": 0, "input_tokens": 10},
        {"kind": "high", "priority": 9, "input_tokens": 10},
    ]
    result = simulated(
        {"queue": {"max_in_flight": 1, "shared": "all"}},
        tasks={**ALL_AT_ONCE, "kinds": kinds},
        pattern={"pipeline": {"stages": ["a", "b"]}},
    )
    kind = dict(rows(result, TASK, "task", "name"))
    served = [kind[task] for task, _ in sorted(rows(result, ATTEMPT, "task", "start_s"), key=lambda it: it[1])]  # fmt: skip
    first = served[0]
    highs = 2 * list(kind.values()).count("high") - (first == "high")
    assert served[1 : 1 + highs] == ["high"] * highs
    times = sorted(rows(result, ATTEMPT, "start_s", "end_s"))
    assert all(before[1] <= after[0] for before, after in pairwise(times))


def test_fair_queue_gives_a_small_customer_its_share_beside_a_large_one() -> None:
    def mean_s(order: str) -> float:
        kinds = [
            {"kind": "bulk", "customer": "large", "weight": 9, "input_tokens": 10},
            {"kind": "one", "customer": "small", "weight": 1, "input_tokens": 10},
        ]
        result = simulated(
            {"queue": {"max_in_flight": 1, "order": order}},
            tasks={"tasks": 60, "arrivals": {"at_s": [0.0] * 60}, "kinds": kinds},
        )
        ends: list[float] = [end_s for end_s, customer in rows(result, TASK, "end_s", "customer") if customer == "small"]  # fmt: skip
        return sum(ends) / len(ends)

    assert mean_s("fair") < mean_s("fifo") / 2


# -- budget ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "served"),
    [({"calls": 7}, 7), ({"tokens": 1400}, 7), ({"usd": 0.0077}, 7), ({"turns": 7}, 7)],
)
def test_budget_is_exact_when_twenty_agents_call_at_once(
    budget: dict[str, Any], served: int
) -> None:
    """Each call reads 100 tokens and writes 100, and costs 0.0011 USD; the reply is at most 100 tokens."""
    result = simulated(
        {"budget": {**budget, "per": "run", "reserve_output_tokens": 100}}, tasks=ALL_AT_ONCE
    )
    assert outcomes(result).count(OK) == served
    assert outcomes(result).count("budget_exceeded") == 20 - served
    assert len(rows(result, ATTEMPT, "status")) == served
    assert metrics_of(result)["budget_refusals"] == 20 - served


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_budget_holds_beside_hedges_samples_retries_and_faults(seed: int) -> None:
    result = simulated(
        {
            "budget": {"usd": 0.02, "per": "run", "reserve_output_tokens": 100},
            "hedge": {"after_s": 0.5},
            "samples": {"count": 3},
            "retry": {"attempts": 3},
        },
        seed=seed,
        tasks=ALL_AT_ONCE,
        service={"exponential": {"mean": 1}},
        faults=[{"overloaded": {"probability": 0.3}}, {"hang": {"probability": 0.1, "for_s": 3}}],
    )
    spent = sum(cost_usd for (cost_usd,) in rows(result, ATTEMPT, "cost_usd"))
    assert 0.01 < spent <= 0.02
    assert metrics_of(result)["budget_refusals"] > 0


def test_budget_gives_back_what_a_reply_did_not_use() -> None:
    """100 + 900 tokens are reserved and 200 used: one after another 6 fit into 2,000, at once 2."""
    budget = {"budget": {"tokens": 2000, "per": "run", "reserve_output_tokens": 900}}
    one_by_one = simulated(budget, tasks={"tasks": 20, "arrivals": {"every_s": 10}})
    assert outcomes(one_by_one).count(OK) == 6
    assert outcomes(simulated(budget, tasks=ALL_AT_ONCE)).count(OK) == 2


def test_budget_that_counts_afterwards_lets_calls_at_the_same_time_through() -> None:
    budget = {"budget": {"calls": 7, "per": "run", "counts": "after"}}
    assert outcomes(simulated(budget, tasks=ALL_AT_ONCE)) == [OK] * 20
    one_by_one = simulated(budget, tasks={"tasks": 20, "arrivals": {"every_s": 10}})
    assert outcomes(one_by_one).count(OK) == 7


def test_budget_of_each_task_holds_for_all_its_agents_together() -> None:
    pipeline = {"pipeline": {"stages": ["a", "b", "c"]}}
    result = simulated({"budget": {"calls": 2}}, pattern=pipeline)
    assert outcomes(result) == ["budget_exceeded"] * 5
    assert len(rows(result, CALL, "status")) == 15
    assert len(rows(result, ATTEMPT, "status")) == 10
    own = simulated({"budget": {"calls": 2, "shared": None}}, pattern=pipeline)
    assert outcomes(own) == [OK] * 5


def test_budget_counts_a_call_with_its_retries_once() -> None:
    result = simulated(
        {"budget": {"calls": 1}, "retry": {"attempts": 3, "first_wait_s": 0}},
        faults=[{"overloaded": {"attempt": 1}}],
    )
    assert outcomes(result) == [OK] * 5


def test_budget_in_money_needs_a_price() -> None:
    with pytest.raises(ScenarioError, match=r"budget\.usd: the price of model 'm' is not known"):
        simulated(
            {"budget": {"usd": 1}},
            models={
                "m": {"provider": "p", "name": "made-up", "latency": {"ttft_s": 1, "itl_s": 0}}
            },
        )


# -- what a reply must be -------------------------------------------------------------------------------------------

CHECKS = """
def is_short(text):
    return None if len(text) < 10 else f"{len(text)} characters are too many"

def reply(request):
    return "{}" if "not valid" in request.prompt else "a long sentence that is no JSON"
"""


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "checks.py").write_text(CHECKS, encoding="utf-8")
    return str(tmp_path)


@pytest.mark.parametrize(
    "validate", [{"json_schema": {"type": "object"}}, {"function": "checks:is_short"}]
)
def test_reply_that_is_not_valid_is_asked_again_with_what_was_wrong(
    checks: str, validate: dict[str, Any]
) -> None:
    agents = {"a": {"model": "m", "stub": "checks:reply", "output_tokens": 100}}
    valid = simulated({"validate": validate}, agents=agents, folder=checks)
    assert outcomes(valid) == [OK] * 5
    assert events(valid) == {"invalid_output": 5}
    attempts = rows(valid, ATTEMPT, "ordinal", "input_tokens")
    assert [ordinal for ordinal, _ in attempts] == [1, 2] * 5
    assert attempts[1][1] > attempts[0][1] + 100
    once = simulated({"validate": {**validate, "attempts": 1}}, agents=agents, folder=checks)
    assert outcomes(once) == ["invalid_output"] * 5


def test_reply_below_a_stated_confidence_is_not_taken() -> None:
    result = simulated({"validate": {"min_confidence": 0.5}})
    assert outcomes(result) == ["invalid_output"] * 5


def test_critic_that_does_not_accept_a_reply_has_it_asked_again(tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(
        "agents:\n  b:\n    when_exhausted: repeat\n    replies: [\"no: too long\", \"accept\"]\n", encoding="utf-8"
    )  # fmt: skip
    agents = {"a": {"model": "m"}, "b": {"model": "m", "stub": "s.yaml"}}
    result = simulated(
        of_a={"validate": {"critic": "b", "attempts": 3}}, agents=agents, folder=str(tmp_path)
    )
    assert outcomes(result) == [OK] * 5
    calls = [(agent, status) for agent, status in rows(result, CALL, "agent", "status")]
    assert calls == [("b", OK), ("b", OK), ("a", OK)] * 5


def test_samples_take_the_reply_of_the_majority() -> None:
    """Three samples of an agent that is right in 80 % of its replies; the votes decide what is right."""
    agents = {"a": {"model": "m", "accuracy": 0.8, "wrong_reply": "no", "output_tokens": 100}}
    tasks = {"tasks": 200, "arrivals": {"every_s": 10}}
    alone = metrics_of(simulated(agents=agents, tasks=tasks))
    voted = simulated({"samples": {"count": 3}}, agents=agents, tasks=tasks)
    assert metrics_of(voted)["quality_mean"] > alone["quality_mean"]
    assert metrics_of(voted)["attempts_mean"] == 3
    assert metrics_of(voted)["retries"] == 0
    assert metrics_of(voted)["calls_mean"] == 1
    assert events(voted)["voted"] == 200


def test_samples_that_do_not_agree_fail_the_call() -> None:
    agents = {"a": {"model": "m", "accuracy": 0.5, "wrong_reply": "no", "output_tokens": 100}}
    tasks = {"tasks": 40, "arrivals": {"every_s": 10}}
    result = simulated({"samples": {"count": 3, "agree": 3}}, agents=agents, tasks=tasks)
    assert set(outcomes(result)) == {OK, "no_majority"}


def test_cached_reply_takes_no_time_costs_nothing_and_grows_old() -> None:
    tasks = {"tasks": 5, "arrivals": {"every_s": 10}, "kinds": [{"text": "the same"}]}
    result = simulated({"cache": {"ttl_s": 25}}, tasks=tasks)
    latencies = [end_s - arrival_s for arrival_s, end_s in rows(result, TASK, "arrival_s", "end_s")]
    assert latencies == [1.0, 0.0, 0.0, 1.0, 0.0]
    assert metrics_of(result)["cache_hits"] == 3
    assert len(rows(result, ATTEMPT, "status")) == 2
    other = simulated({"cache": {}})  # every task says something else
    assert metrics_of(other)["cache_hits"] == 0


# -- when nothing comes ---------------------------------------------------------------------------------------------


def test_default_answer_is_given_in_time_and_corrected_when_the_real_one_comes() -> None:
    result = simulated(
        of_a={"default_answer": {"after_s": 2}},
        service=3.0,
        tasks={"tasks": 2, "arrivals": {"every_s": 10}},
        pattern={"pipeline": {"stages": ["a", "b"]}},
    )
    assert at(result, "default_answer") == [2.0, 12.0]
    assert at(result, "corrected") == [3.0, 13.0]
    assert outcomes(result) == [OK, OK]
    ends = [end_s for (end_s,) in rows(result, TASK, "end_s")]
    assert ends == [5.0, 15.0]


def test_correction_is_in_the_mailbox_of_who_asked_and_read_at_the_next_turn(
    tmp_path: Path,
) -> None:
    """The worker's real reply comes at 4 s, while the lead waits for the other worker until 6 s."""
    (tmp_path / "s.yaml").write_text(
        "agents:\n  a: {replies: [the truth]}\n  c: {replies: [a plan, the end]}\n",
        encoding="utf-8",
    )
    agents = {
        "a": {"model": "m", "stub": "s.yaml"},
        "b": {"model": "m"},
        "c": {"model": "m", "stub": "s.yaml"},
    }
    simulation = Simulation.from_spec(
        spec(
            of_a={"default_answer": {"after_s": 2, "text": "nothing yet"}},
            agents=agents,
            tasks={"tasks": 1},
            pattern={"orchestrator_worker": {"orchestrator": "c", "workers": ["a", "b"], "tasks": ["x", "y"], "synthesizer": "c"}},
            faults=[{"latency": {"agent": "a", "factor": 3}}, {"latency": {"agent": "b", "factor": 5}}],
        ),
        folder=str(tmp_path),
    )  # fmt: skip
    simulation.scenario = replace(simulation.scenario, keep_texts=True)
    result = simulation.run(1)
    updates = [row[1:] for row in result.events.rows("detail", "at_s", "agent", "recipient") if row[0] == "update"]  # fmt: skip
    assert updates == [(4.0, "a", "c")]
    assert result.texts is not None
    last = [text for text in result.texts.values("text") if "nothing yet" in text][-1]
    assert "the truth" in last


def test_default_answer_that_is_never_corrected_says_so() -> None:
    result = simulated(
        {"default_answer": {"after_s": 2}, "timeout_s": 5},
        service=8.0,
        tasks={"tasks": 2, "arrivals": {"every_s": 10}},
    )
    assert at(result, "never_corrected") == [5.0]  # the second is cut by the end of the run
    assert outcomes(result) == [OK, OK]


def test_deadline_of_the_task_lets_a_synthesis_go_on_with_what_there_is() -> None:
    pattern = {"orchestrator_worker": {"workers": ["a", "b"], "synthesizer": "c", "on_failure": "partial"}}  # fmt: skip
    slow = {"latency": {"agent": "a", "factor": 100}}
    late = simulated(pattern=pattern, faults=[slow], tasks={"tasks": 1})
    assert rows(late, TASK, "end_s") == [(101.0,)]
    result = simulated(
        of_a={"task_deadline_s": 5}, pattern=pattern, faults=[slow], tasks={"tasks": 1}
    )
    assert rows(result, TASK, "end_s", "status") == [(6.0, OK)]
    assert at(result, "task_deadline") == [5.0]


# -- somebody else --------------------------------------------------------------------------------------------------


def test_failed_call_is_decided_by_a_person_at_the_end_of_the_fallbacks() -> None:
    """People look once an hour and take five minutes; cases wait for the look and for one another."""
    result = simulated(
        {"escalate": {"looks_every_h": 1, "takes_s": 300}},
        of_a={"fallback": "b"},
        tasks={"tasks": 3, "arrivals": {"every_s": 10}},
        faults=[{"overloaded": {}}],
    )
    assert outcomes(result) == [OK, OK, OK]
    ends = [end_s for (end_s,) in rows(result, TASK, "end_s")]
    assert ends == [3900.0, 4200.0, 4500.0]
    assert events(result) == {"fallback": 3, "fault": 6, "escalated": 3}
    assert metrics_of(result)["escalations"] == 3
    assert {name for (name,) in rows(result, WAIT, "name")} == {"attention", "person"}


def test_people_look_only_in_their_hours() -> None:
    result = simulated(
        {"escalate": {"from_h": 9, "to_h": 17, "takes_s": 60}},
        tasks={"tasks": 2, "arrivals": {"at_s": [3600.0, 18 * 3600.0]}},
        faults=[{"overloaded": {}}],
    )
    ends = [end_s for (end_s,) in rows(result, TASK, "end_s")]
    assert ends == [9 * 3600.0 + 60, 33 * 3600.0 + 60]


def test_health_score_relies_less_on_an_agent_that_fails_and_more_when_it_recovers() -> None:
    result = simulated(
        of_a={"health": {"half_life_calls": 5}, "fallback": "b"},
        tasks={"tasks": 400, "arrivals": {"every_s": 10}},
        faults=[{"overloaded": {"agent": "a", "until_s": 2000.0}}],
    )
    mine = [at_s for at_s, agent in rows(result, CALL, "arrival_s", "agent") if agent == "a"]
    share = [sum(begin <= at_s < begin + 500 for at_s in mine) / 50 for begin in range(0, 4000, 500)]  # fmt: skip
    assert share[0] > share[1] > 0
    assert share[3] < 0.25
    assert share[-1] > 0.9
    assert outcomes(result) == [OK] * 400


@pytest.mark.parametrize(
    ("by", "expected"), [("round_robin", {"b": 10, "c": 10}), ("least_loaded", {"b": 20})]
)
def test_calls_of_a_role_are_made_by_its_instances(by: str, expected: dict[str, int]) -> None:
    result = simulated(
        of_a={"balance": {"over": ["b", "c"], "by": by}},
        tasks={"tasks": 20, "arrivals": {"every_s": 10}},
    )
    agents = [agent for (agent,) in rows(result, CALL, "agent")]
    assert {name: agents.count(name) for name in set(agents)} == expected
    assert {agent for (agent,) in rows(result, AGENT, "agent")} == {"a"}


def test_least_loaded_instance_gets_the_call_when_they_are_busy() -> None:
    result = simulated(
        of_a={"balance": {"over": ["b", "c"], "by": "least_loaded"}}, tasks=ALL_AT_ONCE
    )
    agents = [agent for (agent,) in rows(result, CALL, "agent")]
    assert agents.count("b") == agents.count("c") == 10


@pytest.mark.parametrize("by", ["round_robin", "least_loaded"])
def test_an_agent_may_be_an_instance_of_itself(by: str) -> None:
    result = simulated(of_a={"balance": {"over": ["a", "b"], "by": by}}, tasks=ALL_AT_ONCE)
    agents = [agent for (agent,) in rows(result, CALL, "agent")]
    assert agents.count("a") == agents.count("b") == 10
    assert events(result)["balanced"] == 20
    assert outcomes(result) == [OK] * 20


def test_an_agent_that_is_all_of_its_instances_answers_as_without_them() -> None:
    alone = simulated(tasks=ALL_AT_ONCE)
    balanced = simulated({"balance": {"over": ["a"]}}, tasks=ALL_AT_ONCE)
    assert list(rows(balanced, TASK, "end_s")) == list(rows(alone, TASK, "end_s"))


def test_health_weighted_balance_avoids_an_instance_that_fails() -> None:
    result = simulated(
        of_a={"balance": {"over": ["b", "c"], "by": "health_weighted"}},
        tasks={"tasks": 200, "arrivals": {"every_s": 10}},
        faults=[{"overloaded": {"agent": "b"}}],
    )
    agents = [agent for (agent,) in rows(result, CALL, "agent")]
    assert 0 < agents.count("b") < 40


def test_new_version_gets_a_growing_share_of_tasks_and_keeps_them() -> None:
    result = simulated(
        of_a={"rollout": {"to": "b", "steps": [{"at_s": 1000, "share": 0.2}, {"at_s": 3000, "share": 1}]}},
        tasks={"tasks": 400, "arrivals": {"every_s": 10}},
    )  # fmt: skip
    new = [at_s for at_s, agent in rows(result, CALL, "arrival_s", "agent") if agent == "b"]
    assert min(new) >= 1000.0
    assert 20 <= sum(at_s < 3000 for at_s in new) <= 60
    assert sum(at_s >= 3000 for at_s in new) == 100


def test_new_version_that_fails_is_rolled_back() -> None:
    result = simulated(
        of_a={"rollout": {"to": "b", "steps": [{"at_s": 0, "share": 0.5}], "roll_back_above": 0.2, "min_calls": 10}},
        tasks={"tasks": 100, "arrivals": {"every_s": 10}},
        faults=[{"overloaded": {"agent": "b"}}],
    )  # fmt: skip
    assert events(result)["rolled_back"] == 1
    assert outcomes(result).count("overloaded_error") == 10
    assert outcomes(result)[-50:] == [OK] * 50


# -- bad files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policies", "of_a", "says"),
    [
        ({"health": {}}, None, "`health` needs a `fallback`"),
        ({"budget": {}}, None, "give at least one of `calls`"),
        ({"token_bucket": {}}, None, "give `requests_per_min`"),
        ({"validate": {"json_schema": {"type": "objekt"}}}, None, "must be a JSON Schema"),
        ({"validate": {"function": "nothing"}}, None, "is not the name of a function"),
        ({"balance": {"over": ["a"]}}, {"balance": {"over": ["b"]}}, "policies hand calls on in a cycle: a -> b -> a"),
        ({"retry": {"first_wait_s": 20}}, None, r"first_wait_s \(20\) is above max_wait_s \(8\)"),
        ({"queue": {"max_in_flight": 1, "weights": {"acme": 2}}}, None, "`weights` are for `order: fair`"),
        ({"queue": {"max_in_flight": 1, "order": "fair", "weights": {"acme": 2}}}, None, "there is no customer 'acme'; known are none"),
        ({"queue": {"max_in_flight": 1, "order": "fair", "flows": "agent", "weights": {"aa": 2}}}, None, "there is no agent 'aa'; did you mean 'a'"),
        ({"cache": {"shared": "x"}}, {"cache": {"shared": "x", "ttl_s": 5}}, "which share it by name"),
        ({"samples": {"count": 3, "agree": 4}}, None, "3 samples are never 4"),
        ({"escalate": {"looks_every_h": 0}}, None, "`looks_every_h` must be above 0"),
        ({"escalate": {"from_h": 9, "to_h": 9}}, None, "`from_h` must be before `to_h`"),
        ({"rollout": {"to": "nobody", "steps": []}}, None, "there is no 'nobody' under agents"),
    ],
)  # fmt: skip
def test_wrong_policies_are_told(
    policies: dict[str, Any], of_a: dict[str, Any] | None, says: str
) -> None:
    with pytest.raises(ScenarioError, match=says):
        simulated(policies, of_a=of_a)
