"""Why a number changed: the sentence names who did it, and the table adds up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from harness.gate.reasons import joined
from harness.gate.why import OTHER, Explanation, Row, why
from harness.metrics import METRICS
from harness.metrics.contributions import AMOUNTS, EXPLAINED, PATH_METRICS
from harness.run import Simulation
from harness.spans import TASK, Table

SCENARIOS = Path(__file__).parents[2] / "scenarios"

SERIAL = "pattern={pipeline: {stages: [lead, style, security, performance, tests, lead]}}"


@cache
def runs(*overrides: str, scenario: str = "code_review", tasks: int = 12) -> tuple[Table, ...]:
    simulation = Simulation(
        SCENARIOS / f"{scenario}.yaml", overrides=[f"workload.tasks={tasks}", *overrides]
    )
    return tuple(simulation.run(seed).spans for seed in (1, 2, 3))


def longer(agent: str, median: int) -> str:
    """An agent whose replies are of another length, and take as much longer."""
    return f"agents.{agent}.output_tokens={{lognormal: {{median: {median}, sigma: 0.3}}}}"


def change_of_mean(base: Sequence[Table], candidate: Sequence[Table]) -> float:
    """The change of the mean latency, without any path [s]."""
    means_s = []
    for side in (base, candidate):
        latencies_s = [
            end_s - arrival_s
            for spans in side
            for kind, arrival_s, end_s in spans.rows("kind", "arrival_s", "end_s")
            if kind == TASK
        ]
        means_s.append(math.fsum(latencies_s) / len(latencies_s))
    return means_s[1] - means_s[0]


def summed(explanation: Explanation) -> float:
    return math.fsum(row.change for row in explanation.rows)


def row_of(explanation: Explanation, kind: str, agent: str) -> Row:
    (row,) = (row for row in explanation.rows if (row.kind, row.agent) == (kind, agent))
    return row


# -- latency ------------------------------------------------------------------------------------------------------------


def test_the_same_runs_need_no_explanation() -> None:
    for metric in (*PATH_METRICS, *AMOUNTS):
        assert why(runs(), runs(), metric).rows == ()
        assert why(runs(), runs(), metric).sentence == "The tasks took as much as before."


def test_a_worker_that_is_not_on_the_critical_path_changes_next_to_nothing() -> None:
    candidate = runs(longer("style", 884))
    explanation = why(runs(), candidate, "latency_s_mean")
    change_s = change_of_mean(runs(), candidate)
    assert 0 <= change_s < 0.1  # of 14 s, in the few tasks where it is the slowest after all
    assert summed(explanation) == pytest.approx(change_s)
    assert all(row.share < 0.1 for row in explanation.rows)


def test_the_slowest_worker_that_got_slower_is_named() -> None:
    candidate = runs(longer("security", 1859))
    explanation = why(runs(), candidate, "latency_s_mean")
    assert explanation.sentence.startswith("security takes ")
    assert " longer on the critical path (+" in explanation.sentence
    assert " %), in " in explanation.sentence
    assert "output tokens a reply from " in explanation.sentence
    assert summed(explanation) == pytest.approx(change_of_mean(runs(), candidate))
    assert explanation.rows[0].agent == "security"
    assert explanation.tasks == 36


def test_a_p95_is_explained_by_the_slowest_tasks_of_either_side() -> None:
    candidate = runs(longer("security", 1859))
    explanation = why(runs(), candidate, "latency_s_p95")
    assert explanation.sentence.startswith("security takes ")
    assert " % of the slowest tasks" in explanation.sentence
    assert 2 <= explanation.tasks <= 4


def test_a_worker_alone_that_got_slower_takes_all_of_the_change() -> None:
    alone = "pattern={pipeline: {stages: [lead, security]}}"
    base, candidate = runs(alone), runs(alone, "agents.security.output_tokens=2500")
    explanation = why(base, candidate, "latency_s_mean")
    row = row_of(explanation, "work", "security")
    assert row.change == pytest.approx(change_of_mean(base, candidate), rel=0.05)
    assert "all others" not in explanation.sentence


@pytest.mark.parametrize("metric", PATH_METRICS)
def test_calls_that_became_serial_are_told_so(metric: str) -> None:
    explanation = why(runs(), runs(SERIAL), metric)
    assert explanation.sentence.startswith("Calls became serial: the work of ")
    assert "while all work together takes as long as before" in explanation.sentence
    assert explanation.sentence.endswith("ran at a time, now 1.0.")


PROGRAM = """
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(api_key="unused")


async def ask(agent, text):
    message = await client.messages.create(
        model="claude-haiku-4-5", max_tokens=900, system=agent, messages=[{"role": "user", "content": text}]
    )
    return message.content[0].text


async def side_by_side(question):
    return await asyncio.gather(*(ask(agent, question) for agent in ("left", "right")))


async def in_a_loop(question):
    return [await ask(agent, question) for agent in ("left", "right")]
"""

SCENARIO = """
scenario: program
workload: {tasks: 5, arrivals: {every_s: 60}}
target: program_to_explain:side_by_side
agents:
  left: {match: {system: left}, output_tokens: 300}
  right: {match: {system: right}, output_tokens: 500}
"""


def test_a_gather_that_became_a_loop_is_told_of_a_program_without_turns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("anthropic")
    monkeypatch.syspath_prepend(tmp_path)
    tmp_path.joinpath("program_to_explain.py").write_text(PROGRAM, encoding="utf-8")
    tmp_path.joinpath("scenario.yaml").write_text(SCENARIO, encoding="utf-8")
    base, candidate = (
        [Simulation(tmp_path / "scenario.yaml", overrides=overrides).run().spans]
        for overrides in ([], ["target=program_to_explain:in_a_loop"])
    )
    sentence = why(base, candidate, "latency_s_mean").sentence
    assert sentence.startswith("Calls became serial: the work of left takes ")


def test_slower_calls_are_not_taken_for_serial_ones() -> None:
    sentence = why(runs(), runs("models.fast.latency.itl_s=0.01"), "latency_s_mean").sentence
    assert "serial" not in sentence
    assert sentence.startswith(
        "Every agent of fast (lead, style, security, tests, performance) is 49 % slower"
    )
    assert "; so the work of security, performance and lead takes " in sentence
    assert "serial" not in why(runs(SERIAL), runs(), "latency_s_mean").sentence


def test_a_queue_is_told_with_who_waits_most() -> None:
    candidate = runs("providers.anthropic.concurrency=2")
    explanation = why(runs(), candidate, "latency_s_mean")
    assert explanation.sentence.startswith("Waiting in queues, most of it by tests, takes ")
    assert "(none before)" in explanation.sentence
    assert summed(explanation) == pytest.approx(change_of_mean(runs(), candidate))


def test_retries_are_put_together_with_their_waits() -> None:
    fault = "faults=[{overloaded: {agent: security, probability: 0.6}}]"
    slow = "policies.default.retry={attempts: 6, first_wait_s: 20, max_wait_s: 20, jitter: none}"
    sentence = why(runs(slow), runs(slow, fault), "latency_s_mean").sentence
    assert sentence.startswith("Failed attempts and retries of security take ")
    assert "attempts a call from 1" in sentence


def test_a_tool_that_got_slower_is_named() -> None:
    base = runs(scenario="tool_agent")
    candidate = runs("tools.search.latency_s=3", scenario="tool_agent")
    sentence = why(base, candidate, "latency_s_mean").sentence
    assert sentence.startswith("The tool search of assistant takes ")


def test_a_new_agent_and_another_model_are_told() -> None:
    with_critic = ["agents.critic={model: fast, output_tokens: 900}"]
    stages = "pattern={pipeline: {stages: [lead, STAGE]}}"
    base = runs(stages.replace("STAGE", "security"))
    candidate = runs(*with_critic, stages.replace("STAGE", "security, critic"))
    sentence = why(base, candidate, "latency_s_mean").sentence
    assert sentence.startswith("critic takes ")
    assert sentence.endswith("; it is new.")
    other = [
        "models.deep={provider: anthropic, name: claude-sonnet-4-6}",
        "agents.security.model=deep",
    ]
    sentence = why(runs(), runs(*other), "latency_s_mean").sentence
    assert sentence.startswith("security asks deep, not fast; so the work of security takes ")
    sentence = why(runs(), runs(*other), "cost_usd_mean").sentence
    assert sentence.startswith("security costs $")
    assert "; it asks deep, not fast" in sentence


def test_an_improvement_is_told_the_other_way_round() -> None:
    sentence = why(runs(longer("security", 1859)), runs(), "latency_s_mean").sentence
    assert sentence.startswith("security takes ")
    assert " shorter on the critical path (-" in sentence


# -- cost ---------------------------------------------------------------------------------------------------------------


def test_one_more_retry_of_a_faulty_agent_shows_as_cost() -> None:
    fault = "faults=[{latency: {agent: security, probability: 0.5, factor: 20}}]"
    base, candidate = (
        runs(fault, "policies.default.timeout_s=30", f"policies.default.retry.attempts={attempts}")
        for attempts in (2, 3)
    )
    explanation = why(base, candidate, "cost_usd_mean")
    assert explanation.sentence.startswith("security costs $")
    assert " more a task (+" in explanation.sentence
    assert "; attempts a call from 1." in explanation.sentence
    assert explanation.split[0].kind == "retries"
    assert why(base, candidate, "retries").sentence.startswith("security makes 0.")
    assert why(base, candidate, "wasted_usd").sentence.startswith("security wastes $")


def test_longer_replies_cost_more_and_so_do_those_who_read_them() -> None:
    explanation = why(runs(), runs(longer("security", 1859)), "cost_usd_mean")
    assert explanation.sentence.startswith("security costs $")
    assert "; output tokens a reply from " in explanation.sentence
    assert row_of(explanation, "output", "security").change > 0
    assert row_of(explanation, "input", "lead").change > 0
    assert [(it.agent, it.kind) for it in explanation.reasons] == [
        ("security", "output size"),
        ("lead", "prompt size"),
    ]
    explanation = why(runs(), runs(longer("security", 1859)), "input_tokens_mean")
    assert explanation.sentence.startswith("lead reads ")


def test_without_a_price_nothing_is_said() -> None:
    unpriced = runs("models.fast.name=nobody-knows", "models.fast.prices=null", "budgets={}")
    assert why(unpriced, unpriced, "cost_usd_mean") == Explanation("")


# -- the table ----------------------------------------------------------------------------------------------------------


def test_what_is_too_small_for_a_row_of_its_own_is_in_the_last() -> None:
    candidate = runs(
        "providers.anthropic.concurrency=2",
        "models.deep={provider: anthropic, name: claude-sonnet-4-6}",
        "agents.security.model=deep",
    )
    explanation = why(runs(), candidate, "latency_s_mean")
    assert [row.kind == OTHER for row in explanation.rows] == [False] * 8 + [True]
    assert summed(explanation) == pytest.approx(change_of_mean(runs(), candidate))
    changes = [abs(row.change) for row in explanation.rows[:8]]
    assert changes == sorted(changes, reverse=True)


def test_the_same_tables_give_the_same_words() -> None:
    candidate = runs(SERIAL)
    assert why(runs(), candidate, "latency_s_p95") == why(runs(), candidate, "latency_s_p95")


def test_warm_up_tasks_and_tasks_of_one_side_alone_are_left_out() -> None:
    shorter = runs(longer("security", 1859), tasks=8)
    assert why(runs(), shorter, "latency_s_mean").tasks == 3 * 8
    assert why(runs(), shorter, "latency_s_mean", warmup_tasks=2).tasks == 3 * 6
    assert why((), (), "latency_s_mean") == Explanation("")


def test_metrics_that_spans_do_not_explain_have_no_sentence() -> None:
    unexplained = [name for name in METRICS if name not in EXPLAINED]
    assert "throughput_per_s" in unexplained
    assert why(runs(), runs(SERIAL), "throughput_per_s") == Explanation("")
    assert set(EXPLAINED) <= set(METRICS)


def test_every_amount_has_a_sentence() -> None:
    fault = "faults=[{status: {agent: security, probability: 0.5, status: 429}}]"
    for metric in AMOUNTS:
        sentence = why(runs(), runs(fault, longer("lead", 400)), metric).sentence
        assert sentence.endswith("."), metric


def test_names_are_joined_as_in_a_sentence() -> None:
    assert [joined(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "nobody", "a", "a and b", "a, b and c",
    ]  # fmt: skip
