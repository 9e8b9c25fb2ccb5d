"""Laws that hold in every run of every scenario, whatever the pattern, the policies and the bad luck.

Scenarios are drawn whole, written to a file and read back, so that the loader takes part. The draws are the same on
every execution of the tests (`derandomize`).
"""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.metrics import summarise
from harness.run import RunResult, Simulation
from harness.spans import (
    AGENT,
    ATTEMPT,
    CALL,
    CASCADE,
    DEADLOCK,
    NO_PROGRESS,
    SPAN_COLUMNS,
    STARVATION,
    TASK,
    TOOL,
    WAIT,
    as_json_lines,
)
from tests.examples import examples

Json = dict[str, Any]

ROUNDING_S = 1e-6
"""Sums of floats may miss a stated bound by less than the smallest time there is."""


class Row(NamedTuple):
    """A span, as it is kept."""

    span_id: int
    parent_id: int
    task: int
    kind: str
    name: str
    agent: str
    model: str
    ordinal: int
    arrival_s: float
    start_s: float
    first_token_s: float
    end_s: float
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float
    status: str
    error: str
    http_status: int
    retry_after_s: float
    fault: str
    correct: int
    repeats: int
    customer: str
    priority: int
    limited_by: str


# -- scenarios ----------------------------------------------------------------------------------------------------

AGENTS = ("a", "b", "c")
agents_ = st.sampled_from(AGENTS)

times_s = st.integers(0, 400).map(lambda n: n / 8)
some_time_s = st.integers(1, 240).map(lambda n: n / 8)

distributions = st.one_of(
    times_s.map(lambda value: value / 4),
    st.integers(1, 8).map(lambda mean: {"exponential": {"mean": mean / 2}}),
    st.integers(1, 8).map(lambda median: {"lognormal": {"median": median / 2, "sigma": 0.8}}),
)


def sometimes(**parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    """A mapping with any of the keys."""
    return st.fixed_dictionaries({}, optional=parts)


arrivals = st.one_of(
    st.fixed_dictionaries({"every_s": some_time_s}),
    st.fixed_dictionaries({"at_s": st.lists(times_s, min_size=6, max_size=6)}),
    st.fixed_dictionaries({"poisson": st.just({"rate_per_s": 0.7})}),
    st.fixed_dictionaries(
        {
            "closed": st.fixed_dictionaries(
                {"users": st.integers(1, 4)}, optional={"think_s": distributions}
            )
        }
    ),
)

workloads = st.fixed_dictionaries(
    {"tasks": st.integers(1, 6), "arrivals": arrivals},
    optional={
        "kinds": st.just(
            [{"kind": "x", "input_tokens": {"uniform": {"low": 0, "high": 900}}}, {"kind": "y"}]
        )
    },
)

providers = sometimes(
    limits=sometimes(
        requests_per_min=st.integers(1, 30),
        input_tokens_per_min=st.integers(500, 5000),
        output_tokens_per_min=st.integers(500, 5000),
    ),
    concurrency=st.integers(1, 3),
    queue=st.just({"capacity": 1}),
    overload=st.fixed_dictionaries(
        {"calm_s": distributions, "overloaded_s": distributions, "refuse": st.sampled_from([0.5, 1])}
    ).filter(lambda weather: weather["calm_s"] != 0 or weather["overloaded_s"] != 0),
    outages=st.lists(
        st.fixed_dictionaries(
            {"at_s": times_s, "for_s": some_time_s, "error": st.sampled_from(["timeout_error", "connection_error"])}
        ),
        max_size=2,
    ),
).map(
    lambda it: it if "concurrency" in it else {key: it[key] for key in it if key != "queue"}
)  # fmt: skip

models = st.fixed_dictionaries(
    {
        "provider": st.just("p"),
        "name": st.just("made-up"),
        "latency": st.fixed_dictionaries(
            {"ttft_s": distributions},
            optional={"itl_s": st.just(0.01), "tail": st.just({"probability": 0.3, "factor": 8})},
        ),
    },
    optional={"prices": st.just({"input_usd_per_mtok": 3, "output_usd_per_mtok": 15})},
)

one_agent = st.fixed_dictionaries(
    {"model": st.just("m"), "stub": st.just("stub.yaml"), "tools": st.just(["t"])},
    optional={
        "output_tokens": st.just({"uniform": {"low": 1, "high": 300}}),
        "accuracy": st.just(0.5),
        "system_tokens": st.integers(0, 500),
    },
)

patterns = st.one_of(
    st.fixed_dictionaries({"single": st.fixed_dictionaries({"agent": agents_})}),
    st.fixed_dictionaries(
        {"pipeline": st.fixed_dictionaries({"stages": st.lists(agents_, min_size=1, max_size=4)})}
    ),
    st.fixed_dictionaries(
        {
            "orchestrator_worker": st.fixed_dictionaries(
                {"workers": st.lists(agents_, min_size=1, max_size=4)},
                optional={
                    "orchestrator": agents_,
                    "synthesizer": agents_,
                    "on_failure": st.sampled_from(["fail", "partial", "default"]),
                },
            )
        }
    ),
    st.fixed_dictionaries(
        {"react": st.fixed_dictionaries({"agent": agents_, "max_iterations": st.integers(1, 4)})}
    ),
)

policies = sometimes(
    timeout_s=some_time_s,
    deadline_s=some_time_s,
    max_in_flight=st.integers(1, 3),
    retry=sometimes(
        attempts=st.integers(1, 4),
        first_wait_s=st.integers(0, 64).map(lambda n: n / 8),
        jitter=st.sampled_from(["full", "equal", "sdk", "none"]),
        honour_retry_after=st.booleans(),
    ),
)

narrowing = {
    "agent": agents_,
    "call": st.integers(1, 5),
    "attempt": st.integers(1, 2),
    "from_s": st.integers(0, 5).map(float),
    "probability": st.sampled_from([0.3, 0.7]),
}


def fault(name: str, **needed: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({name: st.fixed_dictionaries(needed, optional=narrowing)})


faults = st.lists(
    st.one_of(
        fault("latency", factor=st.sampled_from([0.5, 10])),
        fault("hang"),
        fault("hang", for_s=some_time_s),
        fault("status", status=st.sampled_from([400, 429, 500]), retry_after_s=some_time_s),
        fault("overloaded"),
        fault("connection_error"),
        fault("malformed"),
        fault("truncated", keep=st.sampled_from([0, 0.5])),
        fault("refused"),
        fault("reset_midway"),
        fault("cut_stream"),
        fault("html_error"),
        fault("drip"),
        fault("stall", for_s=some_time_s),
    ),
    max_size=3,
)

scenarios = st.fixed_dictionaries(
    {
        "scenario": st.just("any"),
        "horizon_s": st.sampled_from([5, 60, 2000]),
        "workload": workloads,
        "providers": st.fixed_dictionaries({"p": providers}),
        "models": st.fixed_dictionaries({"m": models}),
        "tools": st.fixed_dictionaries(
            {"t": sometimes(latency_s=distributions, failure_probability=st.just(0.3))}
        ),
        "agents": st.fixed_dictionaries(dict.fromkeys(AGENTS, one_agent)),
        "pattern": patterns,
        "policies": st.fixed_dictionaries(
            {
                "default": policies,
                "agents": st.sampled_from(
                    [{}, {"a": {"fallback": "b"}}, {"a": {"fallback": "b"}, "b": {"fallback": "c"}}]
                ),
            }
        ),
        "faults": faults,
    }
)

WISH = {"text": "let me see", "tool_calls": [{"tool": "t"}, {"tool": "nowhere"}]}
SCRIPT = {"replies": [WISH, WISH, "the answer"], "when_exhausted": "cycle", "allow_unused": True}


def write(folder: str, scenario: Json) -> Path:
    Path(folder, "stub.yaml").write_text(
        json.dumps({"agents": dict.fromkeys(AGENTS, SCRIPT)}), encoding="utf-8"
    )
    file = Path(folder, "scenario.yaml")
    file.write_text(json.dumps(scenario), encoding="utf-8")
    return file


# -- laws ---------------------------------------------------------------------------------------------------------


def check_tree(rows: dict[int, Row], tasks: int) -> None:
    """Every span that was opened is closed, lies within its parent, and belongs to its parent's task."""
    assert sorted(rows) == list(range(1, len(rows) + 1))
    roots = [row for row in rows.values() if row.parent_id == -1]
    assert all((row.kind == TASK) == (row.parent_id == -1) for row in rows.values())
    assert len({root.task for root in roots}) == len(roots)
    assert {root.task for root in roots} <= set(range(1, tasks + 1))
    above = {AGENT: {TASK}, CALL: {AGENT}, TOOL: {AGENT}, ATTEMPT: {CALL}, WAIT: {CALL}}
    for row in rows.values():
        assert row.arrival_s <= row.end_s
        if row.kind != TASK:
            parent = rows[row.parent_id]
            assert parent.kind in above[row.kind]
            assert parent.task == row.task
            assert parent.arrival_s <= row.arrival_s
            assert row.end_s <= parent.end_s


def check_times(rows: dict[int, Row]) -> None:
    """Nobody gets anything before asking for it; who was served has sizes, and who was not has none."""
    for row in rows.values():
        if row.kind != ATTEMPT:
            assert row.start_s == row.arrival_s
            assert math.isnan(row.first_token_s)
            continue
        served = not math.isnan(row.start_s)
        assert served == (row.input_tokens >= 0) == (row.output_tokens >= 0)
        if served:
            assert row.arrival_s <= row.start_s <= row.end_s
        else:
            assert math.isnan(row.first_token_s)
            assert row.cost_usd == 0.0
        if not math.isnan(row.first_token_s):
            assert row.start_s <= row.first_token_s <= row.end_s
        if row.status == "ok":
            assert not math.isnan(row.first_token_s)


def check_ends(rows: dict[int, Row]) -> None:
    """What failed says why; what was given up by others, or went well, has nothing to say."""
    for row in rows.values():
        assert row.status in {"ok", "error", "cancelled"}
        assert bool(row.error) == (row.status == "error")


def check_calls(rows: dict[int, Row], retry: Json | None) -> None:
    """Attempts of a call are numbered, follow one another, and end when one of them succeeds."""
    attempts: dict[int, list[Row]] = defaultdict(list)
    for row in sorted(rows.values()):
        if row.kind == ATTEMPT:
            attempts[row.parent_id].append(row)
    for call in rows.values():
        if call.kind != CALL:
            continue
        theirs = attempts[call.span_id]
        assert [row.ordinal for row in theirs] == list(range(1, len(theirs) + 1))
        assert len(theirs) <= (1 if retry is None else retry.get("attempts", 3))
        assert all(row.status == "error" for row in theirs[:-1])
        assert all(row.end_s <= after.arrival_s for row, after in pairwise(theirs))
        if call.status == "ok":
            assert theirs[-1].status == "ok"
            assert theirs[-1].end_s == call.end_s
        elif theirs:
            assert theirs[-1].status != "ok"


def most_at_once(rows: list[tuple[float, float]]) -> int:
    changes = sorted([(begin_s, 1) for begin_s, _ in rows] + [(end_s, -1) for _, end_s in rows])
    now = most = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most


def check_bounds(rows: dict[int, Row], scenario: Json) -> None:
    """No policy, no slot, no user is ever exceeded."""
    policy = scenario["policies"]["default"]
    attempts = [row for row in rows.values() if row.kind == ATTEMPT]
    for row in attempts:
        assert row.end_s - row.arrival_s <= policy.get("timeout_s", math.inf) + ROUNDING_S
    for row in rows.values():
        if row.kind == CALL:
            assert row.end_s - row.arrival_s <= policy.get("deadline_s", math.inf) + ROUNDING_S
    for agent in AGENTS:
        theirs = [(row.arrival_s, row.end_s) for row in attempts if row.agent == agent]
        assert most_at_once(theirs) <= policy.get("max_in_flight", math.inf)
    served = [(row.start_s, row.end_s) for row in attempts if not math.isnan(row.start_s)]
    assert most_at_once(served) <= scenario["providers"]["p"].get("concurrency", math.inf)
    closed = scenario["workload"]["arrivals"].get("closed")
    if closed is not None:
        tasks = [(row.arrival_s, row.end_s) for row in rows.values() if row.kind == TASK]
        assert most_at_once(tasks) <= closed["users"]


def check_numbers(rows: dict[int, Row], result: RunResult) -> None:
    """Metrics are what the spans say: nothing is lost, and nothing is counted twice."""
    whole, agents = summarise([result.tally])
    kinds = Counter(row.kind for row in rows.values())
    tasks = kinds[TASK]
    if not tasks:
        assert whole == {}
        return
    attempts = [row for row in rows.values() if row.kind == ATTEMPT]
    costs_usd = [row.cost_usd for row in attempts]
    assert whole["calls_mean"] == kinds[CALL] / tasks
    assert whole["attempts_mean"] == kinds[ATTEMPT] / tasks
    assert whole["retries"] == sum(row.ordinal > 1 for row in attempts)
    read = sum(row.input_tokens for row in attempts if row.input_tokens >= 0)
    assert whole["input_tokens_mean"] == read / tasks
    if any(map(math.isnan, costs_usd)):
        assert "cost_usd_total" not in whole
    else:
        assert whole["cost_usd_total"] == pytest.approx(math.fsum(costs_usd), rel=1e-9)
        of_agents = math.fsum(mine["cost_usd_mean"] for mine in agents.values())
        assert of_agents * tasks == pytest.approx(math.fsum(costs_usd), rel=1e-9)
    assert result.status == "horizon" or not any(
        row.status == "cancelled" for row in rows.values() if row.kind == TASK
    )


OF_THE_RUN = {CASCADE, STARVATION}
"""Events that are noted when the run has ended."""


def check_events(rows: dict[int, Row], result: RunResult) -> None:
    """Each event lies in the span that it belongs to, but for what is told of a whole run; each fault that a span names has one."""
    names: Counter[str] = Counter()
    last_s = 0.0
    for at_s, span_id, task, name in result.events.rows("at_s", "span_id", "task", "name"):
        assert rows[span_id].arrival_s <= at_s
        assert (
            (at_s >= rows[span_id].end_s) if name in OF_THE_RUN else (at_s <= rows[span_id].end_s)
        )
        assert rows[span_id].task == task
        assert at_s >= last_s
        last_s = at_s
        names[name] += 1
    of_calls = {"retry", "fallback", "fault", "message", "claims", "false_claim"}
    assert set(names) <= of_calls | OF_THE_RUN | {DEADLOCK, NO_PROGRESS}
    assert names["fault"] == sum(bool(row.fault) for row in rows.values())


def check_laws(scenario: Json, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        simulation = Simulation(write(folder, scenario))
        result = simulation.run(seed)
        again = simulation.run(seed)
    assert as_json_lines(again.spans) == as_json_lines(result.spans)
    assert as_json_lines(again.events) == as_json_lines(result.events)
    assert tuple(SPAN_COLUMNS) == Row._fields
    rows = {row.span_id: row for row in map(Row._make, result.spans.rows())}
    check_tree(rows, scenario["workload"]["tasks"])
    check_times(rows)
    check_ends(rows)
    check_calls(rows, scenario["policies"]["default"].get("retry"))
    check_bounds(rows, scenario)
    check_numbers(rows, result)
    check_events(rows, result)


EXAMPLES = settings(
    derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)  # fmt: skip


@settings(EXAMPLES, max_examples=examples(150))
@given(scenarios, st.integers(0, 10**6))
def test_every_run_keeps_the_laws(scenario: Json, seed: int) -> None:
    check_laws(scenario, seed)


@pytest.mark.slow
@settings(EXAMPLES, max_examples=examples(700))
@given(scenarios, st.integers(0, 10**6))
def test_many_more_runs_keep_the_laws(scenario: Json, seed: int) -> None:
    check_laws(scenario, seed)
