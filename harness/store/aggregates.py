"""Aggregates of several runs, computed in SQL, so that a million calls are not read into Python.

Definitions are those of `harness.metrics` (docs/glossary.md); tests hold both to the same numbers. Tasks of the warm-up are
left out where metrics leave them out; what was not measured is None, or absent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from harness.metrics.reliability import pass_k_of
from harness.store.asking import Row, ask
from harness.store.database import Store

RunIds = Sequence[int]

_WORK: Final = """
WITH work AS (
    SELECT spans.* FROM spans JOIN runs ON runs.run_id = spans.run_id
    WHERE spans.run_id IN (SELECT unnest($run_ids::INTEGER[])) AND kind <> 'task' AND task > warmup_tasks
)
SELECT agent,
    count(*) FILTER (kind = 'call') AS calls,
    count(*) FILTER (kind = 'call' AND status = 'error') AS failed_calls,
    count(*) FILTER (kind = 'call' AND status <> 'cancelled') AS ended_calls,
    count(*) FILTER (kind = 'tool') AS tool_uses,
    count(*) FILTER (kind = 'attempt') AS attempts,
    count(*) FILTER (kind = 'attempt' AND (ordinal > 1 OR repeats IS NOT NULL)) AS retries,
    count(*) FILTER (kind = 'attempt' AND error = 'rate_limit_error') AS rate_limited,
    count(*) FILTER (kind = 'attempt' AND status = 'error') AS failed_attempts,
    count(*) FILTER (kind = 'attempt' AND fault IS NOT NULL) AS faults,
    count(*) FILTER (kind = 'agent') AS turns,
    count(*) FILTER (kind = 'agent' AND status = 'ok') AS messages,
    count(correct) FILTER (kind = 'call') AS judged,
    coalesce(sum(correct) FILTER (kind = 'call'), 0) AS correct,
    coalesce(sum(input_tokens) FILTER (kind = 'attempt' AND start_s IS NOT NULL), 0) AS input_tokens,
    coalesce(sum(output_tokens) FILTER (kind = 'attempt' AND start_s IS NOT NULL), 0) AS output_tokens,
    count(*) FILTER (kind = 'attempt' AND cost_usd IS NULL) AS unpriced,
    coalesce(sum(cost_usd) FILTER (kind = 'attempt'), 0) AS cost_usd_total,
    coalesce(sum(cost_usd) FILTER (kind = 'attempt' AND status <> 'ok'), 0) AS wasted_usd,
    coalesce(sum(end_s - start_s) FILTER (kind = 'attempt'), 0)
        + coalesce(sum(end_s - arrival_s) FILTER (kind = 'tool'), 0) AS work_s,
    coalesce(sum(coalesce(start_s, end_s) - arrival_s) FILTER (kind = 'attempt'), 0)
        + coalesce(sum(end_s - arrival_s) FILTER (kind = 'wait'), 0) AS wait_s,
    avg(start_s - arrival_s) FILTER (kind = 'attempt') AS queue_wait_s_mean,
    quantile_cont(first_token_s - arrival_s, 0.5) FILTER (kind = 'attempt' AND start_s IS NOT NULL) AS ttft_s_p50,
    avg(end_s - arrival_s) FILTER (kind = 'call' AND status <> 'cancelled') AS latency_s_mean,
    quantile_cont(end_s - arrival_s, 0.95) FILTER (kind = 'call' AND status <> 'cancelled') AS latency_s_p95
FROM work GROUP BY GROUPING SETS ((agent), ())
HAVING count(*) FILTER (kind <> 'agent') > 0 OR (grouping(agent) = 1 AND count(*) > 0)
ORDER BY agent IS NOT NULL, min(run_id * 1e9 + span_id)
"""
"""One row of everything, where the agent is NULL, and one an agent, in the order in which they first did something."""

_MESSAGES: Final = """
WITH sent AS (
    SELECT count(*) AS messages, sum(tokens) AS message_tokens,
        least(count(*) FILTER (agent < recipient), count(*) FILTER (agent > recipient)) AS round_trips
    FROM events JOIN runs ON runs.run_id = events.run_id
    WHERE events.run_id IN (SELECT unnest($run_ids::INTEGER[])) AND name = 'message' AND task > warmup_tasks
        AND message IS DISTINCT FROM 1
    GROUP BY events.run_id, task, least(agent, recipient), greatest(agent, recipient)
)
SELECT coalesce(sum(messages), 0) AS messages, sum(message_tokens) AS message_tokens, coalesce(sum(round_trips), 0) AS round_trips
FROM sent
HAVING count(*) > 0 OR EXISTS (FROM events WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND name = 'message')
"""
"""No row where messages are not noted. The first message of a task is the user's."""

_TASKS: Final = """
SELECT count(*) FILTER (NOT is_warmup) AS tasks,
    count(*) FILTER (NOT is_warmup AND status = 'ok') AS succeeded,
    count(*) FILTER (status = 'ok') AS succeeded_in_all,
    avg(latency_s) FILTER (NOT is_warmup AND status <> 'cancelled') AS latency_s_mean,
    quantile_cont(latency_s, 0.5) FILTER (NOT is_warmup AND status <> 'cancelled') AS latency_s_p50,
    quantile_cont(latency_s, 0.95) FILTER (NOT is_warmup AND status <> 'cancelled') AS latency_s_p95,
    quantile_cont(latency_s, 0.99) FILTER (NOT is_warmup AND status <> 'cancelled') AS latency_s_p99,
    max(latency_s) FILTER (NOT is_warmup AND status <> 'cancelled') AS latency_s_max
FROM tasks WHERE run_id IN (SELECT unnest($run_ids::INTEGER[]))
"""

_RUNS: Final = """
SELECT sum(makespan_s) AS makespan_s,
    sum(value * makespan_s) / sum(makespan_s) AS utilisation,
    count(value) AS with_utilisation
FROM runs LEFT JOIN metrics ON metrics.run_id = runs.run_id AND agent IS NULL AND name = 'utilisation'
WHERE runs.run_id IN (SELECT unnest($run_ids::INTEGER[]))
"""
"""Runs of one scenario have the same number of slots, so that the mean over time is that of all slots together."""


_STATE: Final = """
WITH state AS (
    SELECT name, detail FROM events JOIN runs ON runs.run_id = events.run_id
    WHERE events.run_id IN (SELECT unnest($run_ids::INTEGER[])) AND task > warmup_tasks
        AND name IN ('state_read', 'state_write', 'state_conflict')
)
SELECT count(*) AS events,
    coalesce(sum((detail->>'lost')::BIGINT) FILTER (name = 'state_write'), 0) AS lost_updates,
    count(*) FILTER (name = 'state_write' AND (detail->>'stale')::BOOLEAN) AS stale_reads,
    count(*) FILTER (name = 'state_conflict') AS conflicts
FROM state
"""


_EFFECTS: Final = """
SELECT count(*) AS effects, count(*) - count(DISTINCT (events.run_id, task, detail)) AS repeated
FROM events JOIN runs ON runs.run_id = events.run_id
WHERE events.run_id IN (SELECT unnest($run_ids::INTEGER[])) AND task > warmup_tasks AND name = 'effect'
"""


_POLICIES: Final = """
WITH noted AS (
    SELECT events.*, runs.warmup_tasks FROM events JOIN runs ON runs.run_id = events.run_id
    WHERE events.run_id IN (SELECT unnest($run_ids::INTEGER[]))
), ends AS (
    SELECT run_id, max(end_s) AS last_s FROM spans
    WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND kind = 'task' GROUP BY run_id
), circuits AS (
    SELECT run_id, name, at_s,
        lead(at_s) OVER (PARTITION BY run_id, detail ORDER BY event_id) AS next_s
    FROM noted WHERE name IN ('circuit_opened', 'circuit_half_opened')
)
SELECT count(*) FILTER (name = 'escalated') AS escalations,
    count(*) FILTER (name = 'hedged') AS hedges,
    count(*) FILTER (name = 'cache_hit') AS cache_hits,
    count(*) FILTER (name = 'cache_miss') AS cache_misses,
    count(*) FILTER (name = 'budget_refused') AS budget_refusals,
    (SELECT sum(greatest(0, coalesce(next_s, last_s) - at_s)) FROM circuits JOIN ends USING (run_id)
        WHERE name = 'circuit_opened') AS breaker_open_s
FROM noted WHERE task > warmup_tasks
"""


def _of_policies(row: Row) -> Row:
    """The metrics of a row of `_POLICIES`; what no event tells of is left out."""
    misses, open_s = row.pop("cache_misses"), row.pop("breaker_open_s")
    found = {name: value for name, value in row.items() if value}
    if misses:
        found["cache_hits"] = row["cache_hits"]
    return found if open_s is None else {**found, "breaker_open_s": open_s}


_CLAIMS: Final = """
WITH outputs AS (
    SELECT (detail->>'claims')::BIGINT AS claims, (detail->>'false')::BIGINT AS wrong
    FROM events JOIN runs ON runs.run_id = events.run_id
    WHERE events.run_id IN (SELECT unnest($run_ids::INTEGER[])) AND task > warmup_tasks AND name = 'claims'
)
SELECT avg((wrong > 0)::INTEGER) AS contaminated_rate, avg(1 - wrong / claims) FILTER (claims > 0) AS quality_mean
FROM outputs
"""
"""Nothing but NULL where nothing was claimed."""


def totals(store: Store, run_ids: RunIds) -> dict[str, float]:
    """The metrics of some runs over all their tasks; `harness simulate` prints the same.

    Raises:
        StoreError: One of the runs does not exist.
    """
    (tasks,), (times,), work = (ask(store, run_ids, sql) for sql in (_TASKS, _RUNS, _WORK))
    found = {name: value for name, value in tasks.items() if name.startswith("latency")}
    if times["makespan_s"]:
        found["makespan_s_mean"] = times["makespan_s"] / len(set(run_ids))
        found["throughput_per_s"] = tasks["succeeded_in_all"] / times["makespan_s"]
        if times["with_utilisation"] == len(set(run_ids)):
            found["utilisation"] = times["utilisation"]
    if tasks["tasks"]:
        found["success_rate"] = tasks["succeeded"] / tasks["tasks"]
        found["pass_k"] = reliability(store, run_ids)
        for row in work[:1]:
            found |= _of_work(row, tasks["tasks"])
        for row in ask(store, run_ids, _MESSAGES):
            found["messages_mean"] = row["messages"] / tasks["tasks"]
            found["message_tokens_mean"] = (row["message_tokens"] or 0) / tasks["tasks"]
            found["round_trips_mean"] = row["round_trips"] / tasks["tasks"]
    (policies,) = ask(store, run_ids, _POLICIES)
    found |= _of_policies(policies)
    (state,) = ask(store, run_ids, _STATE)
    if state.pop("events"):
        found |= state
    (done,) = ask(store, run_ids, _EFFECTS)
    if done["effects"] and tasks["tasks"]:
        found["effects_mean"] = done["effects"] / tasks["tasks"]
        found["repeated_effects"] = done["repeated"]
    (claims,) = ask(store, run_ids, _CLAIMS)
    found |= {name: value for name, value in claims.items() if value is not None}
    return {name: float(value) for name, value in found.items() if value is not None}


_RELIABILITY: Final = """
SELECT run_id, count(*) FILTER (NOT is_warmup) AS tasks,
    coalesce(list(task) FILTER (NOT is_warmup AND status <> 'ok'), []) AS failed
FROM tasks WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) GROUP BY run_id ORDER BY run_id
"""


def reliability(store: Store, run_ids: RunIds) -> float | None:
    """The metric `pass_k` of some runs; None where it was not measured.

    Raises:
        StoreError: One of the runs does not exist.
    """
    rows = ask(store, run_ids, _RELIABILITY)
    found = pass_k_of([row["tasks"] for row in rows], [row["failed"] for row in rows])
    return None if math.isnan(found) else found


_CUSTOMERS: Final = """
WITH mine AS (
    SELECT tasks.run_id, tasks.task, customer, latency_s, status FROM tasks
    WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND NOT is_warmup AND customer IS NOT NULL
), work AS (
    SELECT mine.customer, count(*) FILTER (kind = 'call') AS calls,
        count(*) FILTER (kind = 'attempt' AND cost_usd IS NULL) AS unpriced,
        coalesce(sum(cost_usd) FILTER (kind = 'attempt'), 0) AS cost_usd
    FROM mine JOIN spans ON spans.run_id = mine.run_id AND spans.task = mine.task GROUP BY mine.customer
)
SELECT customer, count(*) AS tasks,
    avg(latency_s) FILTER (status <> 'cancelled') AS latency_s_mean,
    quantile_cont(latency_s, 0.95) FILTER (status <> 'cancelled') AS latency_s_p95,
    any_value(CASE WHEN unpriced = 0 THEN cost_usd END) / count(*) AS cost_usd_mean,
    any_value(calls) / count(*) AS calls_mean,
    count(*) FILTER (status = 'ok') / count(*) AS success_rate
FROM mine JOIN work USING (customer) GROUP BY customer ORDER BY customer
"""


def customers(store: Store, run_ids: RunIds) -> dict[str, dict[str, float]]:
    """The metrics of each customer over some runs, by name; `harness simulate` prints the same.

    Raises:
        StoreError: One of the runs does not exist.
    """
    return {
        row.pop("customer"): {name: float(it) for name, it in row.items() if it is not None}
        for row in ask(store, run_ids, _CUSTOMERS)
    }


def agents(store: Store, run_ids: RunIds) -> list[Row]:
    """Metrics of each agent, in the order of first activity; inactive agents come last.

    Returns:
        Rows with "agent", its metrics for a task as in `totals`, its counts over all runs ("calls", "attempts",
        "failed_calls", "failed_attempts", "faults"), and "busy_share": the share of the runs' time in which at least
        one of its calls was open.

    Raises:
        StoreError: One of the runs does not exist.
    """
    (tasks,), work, busy, idle = (
        ask(store, run_ids, sql) for sql in (_TASKS, _WORK, _BUSY, _NAMES)
    )
    shares = {row["agent"]: row["busy_share"] for row in busy}
    found = [
        {
            **row,
            **_of_work(row, tasks["tasks"]),
            "latency_s_mean": row["latency_s_mean"],
            "latency_s_p95": row["latency_s_p95"],
            "success_rate": 1 - row["failed_calls"] / row["ended_calls"]
            if row["ended_calls"]
            else None,
            "busy_share": shares.get(row["agent"]),
        }
        for row in work
        if row["agent"] is not None and tasks["tasks"]
    ]
    known = {row["agent"] for row in found}
    return found + [
        {"agent": row["agent"], "calls": 0} for row in idle if row["agent"] not in known
    ]


def _of_work(row: Row, tasks: int) -> Row:
    """The metrics of a row of `_WORK`."""
    found: Row = {
        f"{name}_mean": row[name] / tasks
        for name in ("calls", "attempts", "input_tokens", "output_tokens")
    }
    found |= {
        name: row[name] for name in ("rate_limited", "retries", "queue_wait_s_mean", "ttft_s_p50")
    }
    if not row["unpriced"]:
        found |= {name: row[name] for name in ("cost_usd_total", "wasted_usd")}
        found["cost_usd_mean"] = row["cost_usd_total"] / tasks
    if row["work_s"] + row["wait_s"] > 0:
        found["work_share"] = row["work_s"] / (row["work_s"] + row["wait_s"])
    if row["tool_uses"]:
        found["tool_uses_mean"] = row["tool_uses"] / tasks
    if row["turns"]:
        found["messages_mean"] = row["messages"] / tasks
    if row["judged"]:
        found["quality_mean"] = row["correct"] / row["judged"]
    return found


_BUSY: Final = """
WITH calls AS (
    SELECT run_id, agent, arrival_s, end_s,
        max(end_s) OVER (
            PARTITION BY run_id, agent ORDER BY arrival_s, end_s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS busy_until_s
    FROM spans WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND kind = 'call'
)
SELECT agent,
    sum(greatest(0, end_s - greatest(arrival_s, coalesce(busy_until_s, arrival_s)))) / nullif(
        (SELECT sum(makespan_s) FROM runs WHERE run_id IN (SELECT unnest($run_ids::INTEGER[]))), 0
    ) AS busy_share
FROM calls GROUP BY agent
"""

_NAMES: Final = """
SELECT DISTINCT agent FROM metrics
WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND agent IS NOT NULL ORDER BY agent
"""
