"""What a run cost is attributed by agent, customer, kind, cause: every attempt once, and the parts add up."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

import pytest

from harness.metrics import summarise, tally
from harness.metrics.account import (
    CRITIC,
    FALLBACK,
    FIRST_TRY,
    HEDGE_LOSER,
    RETRY,
    UNREAD,
    WAYS,
    account,
)
from harness.run import RunResult, Simulation
from harness.spans import SPAN_COLUMNS, Span, SpanLog

SCENARIO = Path(__file__).parents[2] / "scenarios" / "code_review.yaml"


@cache
def run(*overrides: str) -> RunResult:
    return Simulation(SCENARIO, overrides=["workload.tasks=12", *overrides]).run(1)


FAULTY = (
    "faults=[{overloaded: {agent: security, probability: 0.6}}, {status: {agent: style, status: 503}}]",
    "policies.agents={style: {fallback: performance, retry: {attempts: 1}}}",
)


@pytest.mark.parametrize("by", WAYS)
def test_the_parts_add_up_to_the_whole(by: str) -> None:
    found = run(*FAULTY)
    lines, whole = account(found.spans, found.events, by)
    assert whole.cost_usd == math.fsum(line.cost_usd for line in lines.values())
    metrics, _ = summarise([tally(found.spans, agents=())])
    assert whole.cost_usd == pytest.approx(12 * metrics["cost_usd_mean"])
    assert whole.wasted_usd == pytest.approx(metrics["wasted_usd"])
    assert whole.attempts == round(12 * metrics["attempts_mean"])
    assert whole.calls == round(12 * metrics["calls_mean"])
    assert whole.input_tokens == round(12 * metrics["input_tokens_mean"])


def test_retries_and_fallbacks_are_told_from_first_tries() -> None:
    found = run(*FAULTY)
    lines, _ = account(found.spans, found.events, "cause")
    assert set(lines) == {FIRST_TRY, RETRY, FALLBACK, CRITIC}  # `tests` looks at what others do
    assert lines[FALLBACK].calls == 12
    agents, _ = account(found.spans, found.events, "agent")
    assert agents["performance"].calls == 24


@pytest.mark.parametrize(
    "policies",
    ["{hedge: {after_s: 0.5, extra: 2}}", "{samples: {count: 3}}", "{hedge: {after_s: 1}, retry: {attempts: 3}}"],
)  # fmt: skip
def test_copies_of_a_call_are_attempts_and_no_calls(policies: str) -> None:
    found = run(f"policies.default={policies}")
    metrics, _ = summarise([tally(found.spans, agents=())])
    assert metrics["attempts_mean"] > metrics["calls_mean"]
    for by in WAYS:
        assert account(found.spans, found.events, by)[1].calls == round(12 * metrics["calls_mean"])
    agents = {name: line.calls for name, line in account(found.spans, found.events, "agent")[0].items()}  # fmt: skip
    assert agents == {"lead": 24, "style": 12, "security": 12, "performance": 12, "tests": 12}


def test_tasks_of_customers_are_told_apart() -> None:
    kinds = "workload.kinds=[{kind: pull, customer: acme}, {kind: issue, customer: zoo}]"
    found = run(kinds)
    lines, whole = account(found.spans, found.events, "customer")
    assert set(lines) == {"acme", "zoo"}
    assert sum(line.tasks for line in lines.values()) == whole.tasks == 12
    assert set(account(found.spans, found.events, "kind")[0]) == {"pull", "issue"}


def test_warm_up_tasks_are_left_out() -> None:
    found = run()
    assert account(found.spans, found.events, "agent", warmup_tasks=10)[1].tasks == 2


def attempt(log: SpanLog, call: Span, ordinal: int, cost_usd: float, **more: int) -> Span:
    span = log.open("attempt", "fast", call, call.agent, "fast", ordinal)
    span.cost_usd = cost_usd
    for name, value in more.items():
        assert name in SPAN_COLUMNS
        setattr(span, name, value)
    return span


def test_hedges_critics_and_unread_caches_are_told() -> None:
    now_s = [0.0]
    log = SpanLog(lambda: now_s[0])
    task = log.open_task("ask", 1)
    turn = log.open("agent", "writer", task, "writer")
    call = log.open("call", "writer", turn, "writer", "fast", 1)
    first = attempt(log, call, 1, 0.3, input_tokens=100)
    second = attempt(log, call, 2, 0.1 + 0.125, input_tokens=0, cache_write_tokens=100, output_tokens=20)  # fmt: skip
    now_s[0] = 1.0
    log.close(first, "cancelled")
    log.close(second)
    log.close(call)
    log.close(turn)
    review = log.open("agent", "reviewer", task, "reviewer")
    asked = log.open("call", "reviewer", review, "reviewer", "fast", 1)
    judged = attempt(log, asked, 1, 0.2, input_tokens=100, output_tokens=20)
    now_s[0] = 2.0
    for span in (judged, asked, review, task):
        log.close(span)
    lines, whole = account(log.spans, log.events, "cause")
    assert set(lines) == {HEDGE_LOSER, FIRST_TRY, CRITIC, UNREAD}
    assert whole.cost_usd == pytest.approx(0.3 + 0.225 + 0.2)
    assert lines[UNREAD].cost_usd > 0.05
