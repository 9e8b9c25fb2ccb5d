"""Numbers worked out by hand from a few spans."""

from __future__ import annotations

import math
from array import array
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics import AGENT_METRICS, METRICS, Metrics, RunTally, quantile, summarise, tally
from harness.spans import (
    ABSENT,
    AGENT,
    ATTEMPT,
    CALL,
    MESSAGE,
    SPAN_COLUMNS,
    TASK,
    TOOL,
    WAIT,
    Event,
    SpanLog,
    Table,
)

Row = dict[str, Any]


def table(*rows: Row) -> Table:
    """The spans of a run; what a row does not name is absent in it."""
    absent = {"float": ABSENT, "int": -1, "text": ""}
    spans = Table(SPAN_COLUMNS)
    spans.extend(
        *([row.get(name, absent[kind]) for row in rows] for name, kind in SPAN_COLUMNS.items())
    )
    return spans


def task(number: int, arrival_s: float, end_s: float, status: str = "ok") -> Row:
    return {"kind": TASK, "task": number, "arrival_s": arrival_s, "end_s": end_s, "status": status}


def part(kind: str, arrival_s: float, end_s: float, **more: Any) -> Row:  # noqa: ANN401 - columns
    return {
        "kind": kind, "task": 1, "agent": "a", "arrival_s": arrival_s, "end_s": end_s, "status": "ok", **more,
    }  # fmt: skip


def served(
    arrival_s: float,
    start_s: float,
    first_token_s: float,
    end_s: float,
    **more: Any,  # noqa: ANN401 - columns
) -> Row:
    return part(
        ATTEMPT, arrival_s, end_s,
        **{"start_s": start_s, "first_token_s": first_token_s, "ordinal": 1, "input_tokens": 100, "output_tokens": 10,
           "cost_usd": 0.5, **more},
    )  # fmt: skip


def messages(*rows: tuple[int, int, int]) -> Table:
    """The events of a run in which others got messages: of each its task, its number there, and its tokens."""
    log = SpanLog(lambda: 0.0)
    for task_number, number, tokens in rows:
        span = log.open_task("task", task_number)
        log.note(
            *Event(0.0, span.span_id, task_number, "a", MESSAGE, "request", "b", tokens, 0, number)
        )
    return log.events


def numbers(
    *rows: Row,
    agents: tuple[str, ...] = ("a",),
    events: Table | None = None,
    warmup_tasks: int = 0,
    slots: int | None = None,
) -> tuple[Metrics, dict[str, Metrics]]:
    found = tally(
        table(*rows), agents=agents, events=events, warmup_tasks=warmup_tasks, slots=slots
    )
    return summarise([found])


def test_one_task_of_one_served_attempt() -> None:
    whole, agents = numbers(
        task(1, 2.0, 12.0),
        part(AGENT, 2.0, 12.0),
        part(CALL, 2.0, 12.0, correct=1),
        served(2.0, 5.0, 6.0, 12.0),
        slots=2,
    )
    assert whole == {
        "latency_s_mean": 10.0, "latency_s_p50": 10.0, "latency_s_p95": 10.0, "latency_s_p99": 10.0,
        "latency_s_max": 10.0, "queue_wait_s_mean": 3.0, "ttft_s_p50": 4.0, "cost_usd_mean": 0.5,
        "cost_usd_total": 0.5, "wasted_usd": 0.0, "calls_mean": 1.0, "attempts_mean": 1.0, "messages_mean": 1.0,
        "input_tokens_mean": 100.0, "output_tokens_mean": 10.0, "success_rate": 1.0, "quality_mean": 1.0,
        "work_share": 0.7, "utilisation": 7 / 20, "throughput_per_s": 0.1, "makespan_s_mean": 10.0,
        "rate_limited": 0, "retries": 0,
    }  # fmt: skip
    assert agents == {
        "a": {
            "calls_mean": 1.0, "attempts_mean": 1.0, "latency_s_mean": 10.0, "latency_s_p95": 10.0,
            "queue_wait_s_mean": 3.0, "ttft_s_p50": 4.0, "input_tokens_mean": 100.0, "output_tokens_mean": 10.0,
            "cost_usd_mean": 0.5, "work_share": 0.7, "success_rate": 1.0, "quality_mean": 1.0, "rate_limited": 0,
            "retries": 0,
        }
    }  # fmt: skip


def test_every_metric_that_is_promised_can_be_measured() -> None:
    """A run like the one above measures all but those of claims, of policies and of shared state, in the order in which they are shown."""
    whole, agents = numbers(
        task(1, 0.0, 1.0),
        part(AGENT, 0.0, 1.0),
        part(CALL, 0.0, 1.0, correct=0),
        served(0.0, 0.0, 0.5, 1.0),
        events=messages((1, 1, 5)),
        slots=1,
    )
    of_others = {
        "contaminated_rate",  # of claims
        "pass_k",  # of several runs; see test_reliability.py
        "escalations", "hedges", "cache_hits", "budget_refusals", "breaker_open_s",  # see test_policies.py
        "lost_updates", "stale_reads", "conflicts",  # see test_state.py
        "effects_mean", "repeated_effects", "tool_uses_mean",  # see tests/faults/test_tools.py
    }  # fmt: skip
    assert list(whole) == [name for name in METRICS if name not in of_others]
    assert list(agents["a"]) == list(AGENT_METRICS)


def test_messages_are_counted_once_for_each_recipient_and_the_task_itself_is_none() -> None:
    tasks = (task(1, 0.0, 1.0), task(2, 0.0, 1.0), task(3, 0.0, 1.0))
    events = messages(
        (1, 1, 100), (1, 2, 100), (2, 1, 5), (2, 2, 7), (2, 2, 7), (3, 1, 5), (3, 2, 3)
    )
    whole, _ = numbers(*tasks, events=events, warmup_tasks=1)
    assert (whole["messages_mean"], whole["message_tokens_mean"]) == (1.5, 8.5)


def test_round_trips_are_messages_that_go_both_ways_between_two_agents_of_a_task() -> None:
    def sent(*ways: tuple[int, str, str]) -> Table:
        log = SpanLog(float)
        for number, (of_task, sender, recipient) in enumerate(ways, 1):
            log.note(0.0, 0, of_task, sender, MESSAGE, "", recipient, 1, 1, number, -1)
        return log.events

    asked = (
        (1, "user", "a"),
        (1, "a", "b"),
        (1, "a", "b"),
        (1, "b", "a"),
        (1, "b", "c"),
        (1, "c", "user"),
    )
    of_others = ((2, "c", "b"), (2, "a", "a"), (2, "a", "a"))
    both = (task(1, 0.0, 1.0), task(2, 0.0, 1.0))
    assert numbers(*both, events=sent(*asked, *of_others))[0]["round_trips_mean"] == 0.5
    more = ((1, "b", "a"), (2, "b", "c"))
    assert numbers(*both, events=sent(*asked, *of_others, *more))[0]["round_trips_mean"] == 1.5


def test_turns_stand_for_messages_where_none_are_noted() -> None:
    whole, _ = numbers(task(1, 0.0, 1.0), part(AGENT, 0.0, 1.0), events=messages())
    assert whole["messages_mean"] == 1.0
    assert "message_tokens_mean" not in whole


def test_tasks_that_failed_count_with_their_time_and_those_that_were_cut_do_not() -> None:
    whole, _ = numbers(
        task(1, 0.0, 4.0), task(2, 1.0, 2.0, "error"), task(3, 1.0, 9.0, "cancelled")
    )
    assert whole["latency_s_mean"] == 2.5
    assert whole["latency_s_max"] == 4.0
    assert whole["success_rate"] == 1 / 3
    assert whole["makespan_s_mean"] == 9.0
    assert whole["throughput_per_s"] == 1 / 9


def test_what_was_not_measured_is_absent() -> None:
    whole, agents = numbers(task(1, 1.0, 1.0, "cancelled"), agents=("a", "idle"))
    assert whole == {
        "cost_usd_mean": 0.0, "cost_usd_total": 0.0, "wasted_usd": 0.0, "calls_mean": 0.0, "attempts_mean": 0.0,
        "input_tokens_mean": 0.0, "output_tokens_mean": 0.0, "success_rate": 0.0,
        "rate_limited": 0, "retries": 0,
    }  # fmt: skip
    assert agents["idle"] == agents["a"]
    assert "success_rate" not in agents["idle"]  # of no calls


def test_nothing_is_measured_of_nothing() -> None:
    assert summarise([]) == ({}, {})
    assert numbers(agents=()) == ({}, {})
    assert numbers() == ({}, {"a": {}})


def test_cost_is_absent_as_soon_as_one_price_is_unknown() -> None:
    rows = [task(1, 0.0, 1.0), part(CALL, 0.0, 1.0), served(0.0, 0.0, 0.5, 1.0)]
    unpriced = {**served(0.0, 0.0, 0.5, 1.0), "agent": "b", "cost_usd": math.nan}
    whole, agents = numbers(*rows, unpriced, agents=("a", "b"))
    assert not {"cost_usd_mean", "cost_usd_total"} & set(whole)
    assert agents["a"]["cost_usd_mean"] == 0.5
    assert "cost_usd_mean" not in agents["b"]
    assert whole["wasted_usd"] == 0.0  # every attempt bought a reply


def test_cost_of_attempts_that_bought_nothing_is_wasted() -> None:
    whole, _ = numbers(
        task(1, 0.0, 9.0),
        served(0.0, 0.0, 0.5, 1.0, status="error"),
        served(1.0, 1.0, 1.5, 2.0, status="cancelled", cost_usd=0.25),
        served(2.0, 2.0, 2.5, 3.0, cost_usd=2.0),
    )
    assert whole["wasted_usd"] == 0.75
    assert whole["cost_usd_total"] == 2.75


def test_work_is_service_and_tools_and_waiting_is_everything_else() -> None:
    whole, _ = numbers(
        task(1, 0.0, 20.0),
        served(0.0, 2.0, 3.0, 6.0),  # 2 s in the queue, 4 s of work
        part(ATTEMPT, 6.0, 9.0, status="error", cost_usd=0.0, ordinal=2),  # 3 s of silence
        part(WAIT, 9.0, 10.0),
        part(TOOL, 10.0, 15.0),
    )
    assert whole["work_share"] == 9 / (9 + 6)
    assert whole["queue_wait_s_mean"] == 2.0  # of served attempts only


def test_attempt_that_was_given_up_before_its_first_token_has_no_time_to_it() -> None:
    given_up = served(0.0, 1.0, ABSENT, 2.0, status="cancelled")
    whole, agents = numbers(task(1, 0.0, 9.0), given_up, served(2.0, 5.0, 6.0, 9.0))
    assert whole["ttft_s_p50"] == agents["a"]["ttft_s_p50"] == 4.0
    assert whole["queue_wait_s_mean"] == 2.0
    alone, _ = numbers(task(1, 0.0, 9.0), given_up)
    assert "ttft_s_p50" not in alone
    assert alone["queue_wait_s_mean"] == 1.0


def test_refused_attempts_and_retries_are_counted() -> None:
    refused = part(ATTEMPT, 0.0, 0.05, status="error", error="rate_limit_error", cost_usd=0.0)
    overloaded = {**refused, "error": "overloaded_error", "ordinal": 2}
    whole, agents = numbers(
        task(1, 0.0, 9.0),
        part(CALL, 0.0, 9.0),
        {**refused, "ordinal": 1},
        overloaded,
        served(1.0, 1.0, 2.0, 3.0, ordinal=3),
    )
    assert (whole["rate_limited"], whole["retries"], whole["attempts_mean"]) == (1, 2, 3.0)
    assert (agents["a"]["rate_limited"], agents["a"]["retries"]) == (1, 2)
    assert whole["input_tokens_mean"] == 100.0  # nobody read what was refused


def test_call_that_failed_lowers_the_success_of_its_agent_and_one_that_was_cut_does_not() -> None:
    ends = [("ok", 1.0), ("error", 2.0), ("ok", 3.0), ("cancelled", 99.0)]
    rows = [part(CALL, 0.0, end_s, status=status) for status, end_s in ends]
    _, agents = numbers(task(1, 0.0, 1.0), *rows)
    assert agents["a"]["success_rate"] == 2 / 3
    assert agents["a"]["latency_s_mean"] == 2.0
    assert agents["a"]["calls_mean"] == 4.0


def test_agent_all_of_whose_calls_were_cut_has_neither_success_nor_latency() -> None:
    _, agents = numbers(task(1, 0.0, 1.0), part(CALL, 0.0, 1.0, status="cancelled"))
    assert not {"success_rate", "latency_s_mean", "latency_s_p95"} & set(agents["a"])


def test_warm_up_is_left_out_but_for_the_makespan_and_what_is_divided_by_it() -> None:
    """Ten tasks of a second each, one after another; half of them warm up."""
    rows = [task(number, number - 1.0, float(number)) for number in range(1, 11)]
    rows += [{**served(n - 1.0, n - 1.0, n - 0.5, float(n)), "task": n} for n in range(1, 11)]
    whole, agents = numbers(*rows, warmup_tasks=5, slots=1)
    assert whole["attempts_mean"] == agents["a"]["attempts_mean"] == 1.0
    assert whole["cost_usd_total"] == 2.5
    assert whole["makespan_s_mean"] == 10.0
    assert whole["utilisation"] == 1.0
    assert whole["throughput_per_s"] == 1.0


def test_agents_are_listed_in_their_order_even_if_they_did_nothing() -> None:
    _, agents = numbers(task(1, 0.0, 1.0), part(CALL, 0.0, 1.0), agents=("z", "a", "m"))
    assert list(agents) == ["z", "a", "m"]
    assert agents["z"]["calls_mean"] == 0.0


def test_runs_are_pooled_as_if_their_tasks_were_of_one() -> None:
    """Quantiles of all tasks and not means of quantiles; means weigh tasks and not runs."""
    short = tally(table(*(task(n, 0.0, 1.0) for n in range(1, 10))), agents=(), slots=1)
    long = tally(table(task(1, 0.0, 11.0)), agents=(), slots=1)
    whole, _ = summarise([short, long])
    assert whole["latency_s_mean"] == 2.0
    assert whole["latency_s_p50"] == 1.0
    assert whole["latency_s_p95"] == pytest.approx(1.0 + 10 * 0.55, rel=1e-12)
    assert whole["makespan_s_mean"] == 6.0
    assert whole["throughput_per_s"] == 10 / 12


def test_utilisation_is_absent_when_one_run_has_no_bound_on_its_slots() -> None:
    bounded = tally(table(task(1, 0.0, 1.0)), agents=(), slots=1)
    unbounded = tally(table(task(1, 0.0, 1.0)), agents=(), slots=None)
    assert "utilisation" in summarise([bounded])[0]
    assert "utilisation" not in summarise([bounded, unbounded])[0]


def test_summary_changes_no_tally() -> None:
    run = tally(table(task(1, 0.0, 1.0), part(CALL, 0.0, 1.0)), agents=("a",))
    assert summarise([run, run])[0]["calls_mean"] == 1.0
    assert summarise([run])[0]["calls_mean"] == 1.0
    assert run.agents["a"].calls == 1


@pytest.mark.parametrize(
    ("samples", "p", "value"),
    [
        ([5.0], 0.5, 5.0),
        ([5.0], 0.99, 5.0),
        ([1.0, 2.0], 0.5, 1.5),
        ([1.0, 2.0, 3.0, 4.0], 0.25, 1.75),
        ([1.0, 2.0, 3.0, 4.0], 0.0, 1.0),
        ([1.0, 2.0, 3.0, 4.0], 1.0, 4.0),
        ([float(n) for n in range(101)], 0.95, 95.0),
        ([float(n) for n in range(11)], 0.99, 9.9),
    ],
)
def test_quantile_interpolates_between_samples(
    samples: list[float], p: float, value: float
) -> None:
    """Definition 7 of Hyndman and Fan (1996), as in R and NumPy."""
    assert quantile(samples, p) == pytest.approx(value, rel=1e-12)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.floats(0, 1))
def test_quantile_is_that_of_numpy(samples: list[float], p: float) -> None:
    numpy = pytest.importorskip("numpy")
    samples.sort()
    found = quantile(array("d", samples), p)
    assert found == pytest.approx(float(numpy.quantile(samples, p)), rel=1e-9, abs=1e-12)
    assert samples[0] <= found <= samples[-1] or math.isclose(found, samples[-1])


ADDITIVE = [
    "calls_mean", "attempts_mean", "input_tokens_mean", "output_tokens_mean", "cost_usd_mean", "rate_limited", "retries",
]  # fmt: skip


def assert_agents_add_up(runs: list[RunTally]) -> None:
    whole, agents = summarise(runs)
    for name in ADDITIVE:
        parts = math.fsum(mine[name] for mine in agents.values())
        assert parts == pytest.approx(whole[name], rel=1e-12), name


rows_of_work = st.lists(
    st.builds(
        lambda agent, kind, ordinal, tokens, cost, error: {
            **served(0.0, 0.5, 0.75, 1.0),
            "agent": agent, "kind": kind, "ordinal": ordinal, "input_tokens": tokens, "output_tokens": tokens // 2,
            "cost_usd": cost, "error": error, "status": "error" if error else "ok",
        },
        st.sampled_from("abc"),
        st.sampled_from([CALL, ATTEMPT, AGENT, TOOL, WAIT]),
        st.integers(1, 4),
        st.integers(0, 10_000),
        st.floats(0, 10),
        st.sampled_from(["", "rate_limit_error", "api_error"]),
    ),
    max_size=40,
)  # fmt: skip


@settings(derandomize=True, deadline=None)
@given(rows_of_work, rows_of_work)
def test_numbers_of_the_agents_add_up_to_the_whole(first: list[Row], second: list[Row]) -> None:
    assert_agents_add_up(
        [tally(table(task(1, 0.0, 1.0), *rows), agents="ab") for rows in (first, second)]
    )
