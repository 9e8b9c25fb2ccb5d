"""Two versions of a scenario, run with one seed, differ only where they were made to differ.

Every value is drawn by what it is for and not from a shared stream, so that one call more, one fault or one agent more
moves nothing else (Law and Kelton, "Simulation Modeling and Analysis", 11.2).
"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, variance

import pytest

from harness.metrics import summarise
from harness.run import RunResult, Simulation
from harness.spans import ATTEMPT, CALL, as_json_lines

HOUSE = Path(__file__).parents[2]
REVIEW = HOUSE / "scenarios" / "code_review.yaml"

# Nothing waits for anything but its turn, and faults come from the tests alone.
IDLE = ("providers.anthropic={}", "policies.default={}", "faults=[]", "workload.tasks=20")

Key = tuple[int, str, int, int]
"""Task, agent, the how-manieth call of that agent in that task, attempt."""


def run(*overrides: str, seed: int = 1) -> RunResult:
    return Simulation(REVIEW, overrides=[*IDLE, *overrides]).run(seed)


def service_s(result: RunResult) -> dict[Key, tuple[int, int]]:
    """Service time [us] and size [tokens] of every attempt that was served."""
    calls = {
        span_id: ordinal
        for span_id, kind, ordinal in result.spans.rows("span_id", "kind", "ordinal")
        if kind == CALL
    }
    columns = (
        "kind", "task", "agent", "parent_id", "ordinal", "start_s", "end_s", "output_tokens",
    )  # fmt: skip
    return {
        (task, agent, calls[parent], attempt): (round((end_s - start_s) * 1e6), tokens)
        for kind, task, agent, parent, attempt, start_s, end_s, tokens in result.spans.rows(
            *columns
        )
        if kind == ATTEMPT and start_s == start_s
    }


def of_others(served: dict[Key, tuple[int, int]], agent: str) -> dict[Key, tuple[int, int]]:
    return {key: value for key, value in served.items() if key[1] != agent}


def test_agent_that_nobody_calls_changes_nothing_at_all() -> None:
    base, more = run(), run("agents.another={model: fast, output_tokens: 10}")
    assert as_json_lines(more.spans) == as_json_lines(base.spans)


def test_tool_and_fault_that_nobody_meets_change_nothing_at_all() -> None:
    base = run()
    more = run("tools={t: {latency_s: 1}}", "faults=[{hang: {call: 9999}}]")
    assert as_json_lines(more.spans) == as_json_lines(base.spans)


def test_worker_more_changes_no_service_time_of_the_others() -> None:
    """The tests' reviewer is left out of one version; everybody else takes as long and says as much in both."""
    all_four = service_s(run())
    three = service_s(run("pattern.orchestrator_worker.workers=[style, security, performance]"))
    assert three == of_others(all_four, "tests")
    assert len(all_four) - len(three) == 20


def test_order_of_the_workers_changes_no_service_time() -> None:
    turned = run("pattern.orchestrator_worker.workers=[tests, performance, security, style]")
    assert service_s(turned) == service_s(run())


@pytest.mark.parametrize(
    "fault", ["latency: {factor: 10, agent: security}", "hang: {for_s: 7, agent: security}"]
)
def test_fault_of_one_agent_changes_no_service_time_of_the_others(fault: str) -> None:
    base, hit = service_s(run()), service_s(run(f"faults=[{{{fault}}}]"))
    assert of_others(hit, "security") == of_others(base, "security")


def test_slow_attempt_is_the_same_attempt_made_slower() -> None:
    base = service_s(run())
    slow = service_s(run("faults=[{latency: {factor: 10, agent: security}}]"))
    for key, (took_us, tokens) in base.items():
        if key[1] == "security":
            slow_us, slow_tokens = slow[key]
            assert abs(slow_us - 10 * took_us) <= 10  # each part was rounded by itself
            assert slow_tokens == tokens


def test_retry_of_one_agent_changes_no_service_time_of_the_others() -> None:
    """The second attempt of an agent is drawn anew, but says as much as the first would have."""
    base = service_s(run())
    retried = service_s(
        run("policies.default={retry: {}}", "faults=[{overloaded: {agent: style, attempt: 1}}]")
    )
    assert of_others(retried, "style") == of_others(base, "style")
    for (task, agent, call, attempt), (took_us, tokens) in retried.items():
        if agent == "style":
            assert attempt == 2
            first_us, first_tokens = base[task, agent, call, 1]
            assert tokens == first_tokens
            assert took_us != first_us


def test_waiting_changes_no_service_time() -> None:
    """One slot for all instead of any number: everybody waits, and takes as long as before."""
    base, crowded = (
        run(),
        run("providers.anthropic={concurrency: 1}", "workload.arrivals={every_s: 1}"),
    )
    assert service_s(crowded) == service_s(base)
    waits = [summarise([result.tally])[0]["queue_wait_s_mean"] for result in (base, crowded)]
    assert waits[0] == 0.0
    assert waits[1] > 10


def test_longer_replies_of_one_agent_are_its_own_affair() -> None:
    base = service_s(run())
    longer = service_s(run("agents.tests.output_tokens={lognormal: {median: 1660, sigma: 0.3}}"))
    assert of_others(longer, "tests") == of_others(base, "tests")
    for key, (_, tokens) in base.items():
        if key[1] == "tests":
            assert longer[key][1] == pytest.approx(2 * tokens, abs=2)


def test_small_change_shows_in_pairs_of_runs_and_drowns_without_them() -> None:
    """A model that is 5 % slower: the difference of a pair varies by less than a hundredth of that of unrelated runs."""
    seeds = range(1, 13)
    changed = "models.fast.latency.factor=1.05"
    base_s, slow_s, other_s = (
        [summarise([run(*more, seed=seed + far).tally])[0]["latency_s_mean"] for seed in seeds]
        for more, far in (((), 0), ((changed,), 0), ((changed,), 1000))
    )
    paired = [slow - base for slow, base in zip(slow_s, base_s, strict=True)]
    unpaired = [other - base for other, base in zip(other_s, base_s, strict=True)]
    assert variance(paired) < variance(unpaired) / 100
    assert fmean(paired) == pytest.approx(0.05 * fmean(base_s), rel=0.001)
    assert min(paired) > 0
