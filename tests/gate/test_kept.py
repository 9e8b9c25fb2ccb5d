"""What a baseline file keeps tells the same reasons as the spans: agents, queues, retries and serial steps."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.gate.kept import kept_of, why_kept
from harness.gate.why import why
from harness.spans import Table
from tests.gate.test_why import SERIAL, longer, runs

FAULT = "faults=[{overloaded: {agent: security, probability: 0.6}}]"
PATIENT = "policies.default.retry={attempts: 6, first_wait_s: 20, max_wait_s: 20, jitter: none}"


def reason(base: Sequence[Table], candidate: Sequence[Table], metric: str) -> str:
    """The sentence from what is kept of each run alone."""
    before, after = (
        {seed: kept_of([spans], [metric]) for seed, spans in enumerate(side)}
        for side in (base, candidate)
    )
    return why_kept(before, after, metric).sentence


@pytest.mark.parametrize(
    ("change", "metric", "told"),
    [
        (longer("security", 3000), "latency_s_mean", "security takes"),
        (longer("security", 3000), "latency_s_p95", "security takes"),
        (longer("security", 3000), "cost_usd_mean", "security costs"),
        (SERIAL, "latency_s_mean", "Calls became serial"),
        ("providers.anthropic.concurrency=1", "latency_s_mean", "Waiting in queues, most of it by"),
        (
            FAULT,
            "latency_s_mean",
            "Failed attempts and retries of security",
        ),
    ],
)
def test_the_reason_is_told_without_the_spans_of_the_base(
    change: str, metric: str, told: str
) -> None:
    base, candidate = (
        (runs(PATIENT), runs(PATIENT, change)) if change is FAULT else (runs(), runs(change))
    )
    kept, spans = reason(base, candidate, metric), why(base, candidate, metric).sentence
    assert kept.startswith(told)
    assert spans.startswith(told)


def test_what_did_not_change_needs_no_reason() -> None:
    assert reason(runs(), runs(), "latency_s_mean") == "The tasks took as much as before."


def test_what_spans_do_not_explain_is_not_kept() -> None:
    assert kept_of(runs(), ["throughput_per_s", "ttft_s_p50"]) == {}
    assert kept_of([], ["latency_s_mean"]) == {}
    assert reason(runs(), runs(), "throughput_per_s") == ""


def test_seeds_of_one_side_alone_are_left_out() -> None:
    kept = kept_of(runs(), ["latency_s_mean"])
    assert why_kept({1: kept}, {2: kept}, "latency_s_mean").sentence == ""
