"""Which limit refused an attempt is recorded in its span, and said where refusals are told of."""

from __future__ import annotations

from typing import Any

import pytest

from harness.gate.why import why
from harness.metrics.because import because
from harness.metrics.endings import attempt_endings
from harness.metrics.refusals import Refusals, refusals
from harness.models.api import ModelError
from harness.rate_limits import as_reason, in_words, limit_in, of_reason
from harness.run import Simulation
from harness.spans import Table

SMALL = {"requests_per_min": 4, "input_tokens_per_min": 100, "output_tokens_per_min": 150}


def spec(limits: dict[str, int], **bee: object) -> dict[str, Any]:
    return {
        "scenario": "two",
        "workload": {"tasks": 12, "arrivals": {"every_s": 10}},
        "providers": {"here": {"limits": limits} if limits else {}},
        "models": {"fast": {"provider": "here", "name": "m", "latency": {"ttft_s": 0.5, "itl_s": 0.01}, "prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 5}}},
        "agents": {
            "ant": {"model": "fast", "output_tokens": 50},
            "bee": {"model": "fast", "output_tokens": 50, **bee},
        },
        "pattern": {"pipeline": {"stages": ["ant", "bee"]}},
        "policies": {"default": {"retry": {"attempts": 9, "first_wait_s": 2}}},
    }  # fmt: skip


def spans(limits: dict[str, int], **bee: object) -> Table:
    return Simulation.from_spec(spec(limits, **bee)).run(1).spans


@pytest.mark.parametrize("limit", SMALL)
def test_span_of_a_refused_attempt_names_the_limit(limit: str) -> None:
    found = spans({limit: SMALL[limit]}, output_tokens=400)
    limited = {
        it
        for kind, status, it in found.rows("kind", "http_status", "limited_by")
        if kind == "attempt" and status == 429
    }
    assert limited == {limit}
    served = {it for status, it in found.rows("status", "limited_by") if status == "ok"}
    assert served == {""}
    reasons = {it for it in attempt_endings(found).values() if it.startswith("429")}
    assert reasons == {as_reason(limit)}
    (one, *_) = refusals(found)
    assert one.limit == limit
    assert str(one).endswith(f"refused by the limit of {in_words(limit)}")


def test_refusals_are_counted_by_agent_and_limit() -> None:
    found = refusals(
        spans({"requests_per_min": 3, "output_tokens_per_min": 300}, output_tokens=400)
    )
    assert {it.limit for it in found} == {"requests_per_min", "output_tokens_per_min"}
    assert [it.attempts for it in found] == sorted((it.attempts for it in found), reverse=True)
    assert refusals(spans({})) == []
    assert str(Refusals("bee", "", 1)) == "bee: 1 attempt refused by a rate limit"


def test_injected_refusal_names_no_limit() -> None:
    faults = [{"status": {"agent": "bee", "call": 1, "status": 429}}]
    found = Simulation.from_spec({**spec({}), "faults": faults}).run(1).spans
    assert {it.limit for it in refusals(found)} == {""}


def test_gate_names_the_limit_and_who_asks_for_more_of_it() -> None:
    limits = {"output_tokens_per_min": 1_200}
    told = why([spans(limits)], [spans(limits, output_tokens=400)], "rate_limited")
    assert "are refused by the limit of output tokens a minute (none before)" in told.sentence
    told = why([spans(limits)], [spans(limits, output_tokens=400)], "latency_s_mean")
    assert told.reasons[0].agent == "bee", told.sentence
    assert "bee writes 8 times as much" in told.sentence


def test_growth_of_what_another_limit_counts_is_no_cause() -> None:
    """bee writes more, and ant asks more often; only requests are limited."""
    before, after = (
        spec({"requests_per_min": 12}),
        spec({"requests_per_min": 12}, output_tokens=400),
    )
    after["pattern"] = {"pipeline": {"stages": ["ant", "ant", "bee"]}}
    base, candidate = ([Simulation.from_spec(it).run(1).spans] for it in (before, after))
    told = why(base, candidate, "rate_limited").sentence
    assert "the limit of requests a minute" in told
    assert "writes" not in told


def test_value_of_a_metric_is_told_with_how_attempts_ended() -> None:
    found = spans({"output_tokens_per_min": 300}, output_tokens=400)
    told = because([found], "latency_s_mean")
    assert "failed attempts and retries of bee (most: the limit of output tokens a minute)" in told


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        ("This request would exceed your organization's rate limit of 4,000 output tokens per minute (org: x)", "output_tokens_per_min"),
        ("exceed the rate limit for your organization of 40,000 prompt tokens per minute", "input_tokens_per_min"),
        ("Number of concurrent connections has exceeded your rate limit", "concurrent_requests"),
        ("Rate limit reached for gpt-4o in organization org on tokens per min (TPM): Limit 30000, Used 9", "tokens_per_min"),
        ("Rate limit reached for gpt-4o in organization org on requests per day (RPD): Limit 200", "requests_per_day"),
        ("m has a limit of 6 requests a minute", "requests_per_min"),
        ("please slow down", ""),
    ],
)  # fmt: skip
def test_limit_is_read_from_the_message_of_a_429(message: str, limit: str) -> None:
    assert limit_in(message) == limit
    assert ModelError("rate_limit_error", 429, message).limit == limit
    assert ModelError("overloaded_error", 529, message).limit == ""


def test_limits_have_words() -> None:
    assert in_words("requests_per_day") == "requests a day"
    assert in_words("concurrent_requests") == "concurrent requests"
    assert of_reason(as_reason("tokens_per_min")) == "tokens a minute"
    assert of_reason("429 rate_limit_error") == ""
