"""Data of figures: distributions, a run over time, task outcomes per fault.

Everything is worked out in SQL and small when it arrives, however many calls there were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final, Literal

from harness.metrics.buckets import Asked
from harness.store.asking import Row, ask
from harness.store.database import Store

RunIds = Sequence[int]

Quantity = Literal["latency_s", "cost_usd"]

_POINTS: Final = 200
"""More points of a distribution cannot be told apart in a figure."""

_BINS: Final = 120
"""A figure is some 500 pixels wide: four a bin."""

_OF_TASKS: Final[dict[Quantity, str]] = {
    "latency_s": """
        SELECT latency_s AS value FROM tasks
        WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND NOT is_warmup AND status <> 'cancelled'""",
    "cost_usd": """
        SELECT CASE WHEN count(*) = count(cost_usd) THEN sum(cost_usd) END AS value FROM attempts
        WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND NOT is_warmup GROUP BY run_id, task""",
}


def distribution(store: Store, run_ids: RunIds, quantity: Quantity) -> list[tuple[float, float]]:
    """The distribution of a quantity over the tasks of some runs: (share of tasks, value that they do not exceed).

    Up to 200 tasks each is a point; of more, the values are at equal steps of the share, the least and the greatest among
    them. Empty when nothing was measured, or the cost of a task is not known.

    Raises:
        StoreError: One of the runs does not exist.
    """
    sql = f"WITH found AS ({_OF_TASKS[quantity]}) {{}} FROM found"
    counted = ask(store, run_ids, sql.format("SELECT count(*) AS tasks, count(value) AS known"))
    (tasks, known) = counted[0].values()
    if not tasks or known < tasks:
        return []
    if tasks <= _POINTS:
        rows = ask(store, run_ids, sql.format("SELECT value") + " ORDER BY value")
        return [((number + 1) / tasks, row["value"]) for number, row in enumerate(rows)]
    shares = [step / (_POINTS - 1) for step in range(_POINTS)]
    quantiles = sql.format("SELECT quantile_cont(value, $shares::DOUBLE[]) AS found")
    return list(zip(shares, ask(store, run_ids, quantiles, shares=shares)[0]["found"], strict=True))


def quantiles(
    store: Store, run_ids: RunIds, quantity: Quantity, shares: Sequence[float]
) -> dict[float, float]:
    """Quantiles of a quantity over tasks; empty where `distribution` is.

    Raises:
        StoreError: One of the runs does not exist.
    """
    sql = f"WITH found AS ({_OF_TASKS[quantity]}) SELECT {{}} FROM found"  # noqa: S608 - our own words
    (counted,) = ask(store, run_ids, sql.format("count(*) AS tasks, count(value) AS known"))
    if not counted["tasks"] or counted["known"] < counted["tasks"]:
        return {}
    (row,) = ask(
        store,
        run_ids,
        sql.format("quantile_cont(value, $shares::DOUBLE[]) AS found"),
        shares=list(shares),
    )
    return dict(zip(shares, row["found"], strict=True))


def pressure(store: Store, run_id: int, bins: int = _BINS) -> list[Row]:
    """The load of the providers over a run, and their response, in equal intervals of time.

    Returns:
        Rows with "from_s" and "until_s" [s]; the number of "attempts" that arrived, of them "rate_limited" and "failed"
        otherwise; "input_tokens" and "output_tokens" by arrival; and the mean numbers of attempts "waiting" and
        "in_service" in that time. Empty if the run made no attempt.

    Raises:
        StoreError: There is no such run.
    """
    (span,) = ask(store, [run_id], _EXTENT)
    if not span["attempts"]:
        return []
    first_s, last_s = span["first_s"], span["last_s"]
    width_s = (last_s - first_s) / bins or 1.0
    edges_s = [first_s + width_s * number for number in range(bins + 1)]
    of = {"first_s": first_s, "width_s": width_s, "bins": bins}
    asked = {
        name: {row["bin"]: row for row in ask(store, [run_id], sql, **of)}
        for name, sql in _BY_BIN.items()
    }
    arrived, started, ended, hung_up = (
        _area_s(asked[name], edges_s) for name in ("arrived", "started", "ended", "hung_up")
    )
    found = []
    for number in range(bins):
        came = asked["arrived"].get(number, {})
        waiting, in_service = (
            (more[number] - less[number] - gone[number]) / width_s
            for more, less, gone in ((arrived, started, hung_up), (started, ended, [0.0] * bins))
        )
        found.append(
            {
                "from_s": edges_s[number],
                "until_s": edges_s[number + 1],
                **{name: came.get(name, 0) for name in _COUNTS},
                # Differences of large sums end a little below zero.
                "waiting": max(0.0, round(waiting, 9)),
                "in_service": max(0.0, round(in_service, 9)),
            }
        )
    return found


def refusals(store: Store, run_id: int) -> list[Row]:
    """How many attempts of a run each rate limit refused, as "limit" and "attempts", the most frequent first.

    Raises:
        StoreError: There is no such run.
    """
    return ask(
        store,
        [run_id],
        "SELECT limited_by AS limit, count(*) AS attempts FROM attempts WHERE limited_by IS NOT NULL "
        "AND run_id IN (SELECT unnest($run_ids::INTEGER[])) GROUP BY limited_by ORDER BY attempts DESC, limited_by",
    )


def asked(store: Store, run_id: int) -> list[Asked]:
    """The attempts of a run as rate limits know them, in the order in which models were first asked.

    Raises:
        StoreError: There is no such run.
    """
    rows = ask(
        store,
        [run_id],
        "SELECT model, arrival_s, end_s, coalesce(input_tokens, 0) + coalesce(cache_write_tokens, 0) AS read, "
        "CASE WHEN start_s IS NULL THEN 0 ELSE coalesce(output_tokens, 0) END AS written, "
        "coalesce(error, '') = 'rate_limit_error' AND fault IS NULL AS is_refused, "
        # A client may give up on what waits for a slot; what a provider refuses has the provider's own kind of error.
        "start_s IS NOT NULL OR (fault IS NULL AND coalesce(error, '') NOT LIKE '%\\_error' ESCAPE '\\') AS is_charged "
        "FROM attempts "
        "WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) ORDER BY arrival_s, span_id",
    )
    return [Asked(*row.values()) for row in rows]


_COUNTS: Final = ("attempts", "rate_limited", "failed", "input_tokens", "output_tokens")

_EXTENT: Final = """
SELECT count(*) AS attempts, min(arrival_s) AS first_s, max(end_s) AS last_s
FROM attempts WHERE run_id IN (SELECT unnest($run_ids::INTEGER[]))
"""

_BIN: Final = "least($bins - 1, floor(({moment} - $first_s) / $width_s)::BIGINT)"

_MOMENTS: Final = """
SELECT {bin} AS bin, count(*) AS number, sum({moment}) AS sum_s {more}
FROM attempts WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND {which} GROUP BY bin
"""


def _moments(moment: str, which: str = "TRUE", more: str = "") -> str:
    return _MOMENTS.format(bin=_BIN.format(moment=moment), moment=moment, which=which, more=more)


_BY_BIN: Final = {
    "arrived": _moments(
        "arrival_s",
        more=""", count(*) AS attempts,
            count(*) FILTER (error = 'rate_limit_error') AS rate_limited,
            count(*) FILTER (status <> 'ok' AND error IS DISTINCT FROM 'rate_limit_error') AS failed,
            coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens""",
    ),
    "started": _moments("start_s", "start_s IS NOT NULL"),
    "ended": _moments("end_s", "start_s IS NOT NULL"),
    "hung_up": _moments("end_s", "start_s IS NULL"),
}


def _area_s(bins: Mapping[int, Row], edges_s: Sequence[float]) -> list[float]:
    """For each bin, the time that has passed in it since each of the moments before its end, added up [s].

    The number of those that arrived and have not left is the difference of two such sums, over the bin's width: so the mean
    of a queue follows from counts and sums alone.
    """
    empty = {"number": 0, "sum_s": 0.0}
    rows = [bins.get(number, empty) for number in range(len(edges_s) - 1)]
    numbers = [0, *accumulate(row["number"] for row in rows)]
    sums_s = [0.0, *accumulate(row["sum_s"] for row in rows)]
    passed_s = [
        number * edge_s - sum_s
        for number, sum_s, edge_s in zip(numbers, sums_s, edges_s, strict=True)
    ]
    return [after - before for before, after in pairwise(passed_s)]


def faults(store: Store, run_ids: RunIds) -> list[Row]:
    """The injected faults that applied, with task outcomes per fault, in the order of their first use.

    Returns:
        Rows with "fault", "agent", the "attempts" that met it, of them "failed"; "wasted_usd" for those; the "tasks"
        that it met, of them "failed_tasks"; and the mean latency of these tasks and of all others [s].

    Raises:
        StoreError: One of the runs does not exist.
    """
    return ask(store, run_ids, _FAULTS)


_FAULTS: Final = """
WITH met AS (
    SELECT run_id, task, span_id, agent, fault, status, cost_usd
    FROM attempts WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND fault IS NOT NULL AND NOT is_warmup
), hit AS (
    SELECT DISTINCT fault, agent, tasks.run_id, tasks.task, tasks.status, latency_s
    FROM met JOIN tasks ON tasks.run_id = met.run_id AND tasks.task = met.task
), every AS (
    SELECT count(latency_s) AS number, sum(latency_s) AS sum_s
    FROM tasks WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND NOT is_warmup
), by_fault AS (
    SELECT fault, agent, count(*) AS attempts, count(*) FILTER (status <> 'ok') AS failed,
        sum(cost_usd) FILTER (status <> 'ok') AS wasted_usd, min(run_id * 1e9 + span_id) AS first
    FROM met GROUP BY fault, agent
), by_task AS (
    SELECT fault, agent, count(*) AS tasks, count(*) FILTER (status <> 'ok') AS failed_tasks,
        avg(latency_s) AS latency_s_mean, sum(latency_s) AS sum_s, count(latency_s) AS number
    FROM hit GROUP BY fault, agent
)
SELECT by_fault.fault, by_fault.agent, attempts, failed, wasted_usd, tasks, failed_tasks, latency_s_mean,
    (every.sum_s - by_task.sum_s) / nullif(every.number - by_task.number, 0) AS other_latency_s_mean
FROM by_fault JOIN by_task ON by_task.fault = by_fault.fault AND by_task.agent = by_fault.agent, every
ORDER BY first
"""


def failures(store: Store, run_ids: RunIds) -> list[Row]:
    """Failed attempts by reason, injected or not, most frequent first.

    Returns:
        Rows with "agent", "error", "http_status", the number of "attempts", and "of_faults", how many met a fault.

    Raises:
        StoreError: One of the runs does not exist.
    """
    return ask(store, run_ids, _FAILURES)


_FAILURES: Final = """
SELECT agent, coalesce(error, status) AS error, http_status, count(*) AS attempts, count(fault) AS of_faults
FROM attempts WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND status <> 'ok' AND NOT is_warmup
GROUP BY ALL ORDER BY attempts DESC, agent, error, http_status
"""


def tasks_to_show(store: Store, run_ids: RunIds) -> list[Row]:
    """The tasks to show: the slowest, the median, and the first that failed.

    Returns:
        Up to three rows with "run_id", "task", "latency_s", "status" and "shown_as"; each task once.

    Raises:
        StoreError: One of the runs does not exist.
    """
    found: dict[tuple[int, int], Row] = {}
    for row in ask(store, run_ids, _TO_SHOW):
        found.setdefault((row["run_id"], row["task"]), row)
    return list(found.values())


_TO_SHOW: Final = """
WITH ended AS (
    SELECT run_id, task, latency_s, status,
        row_number() OVER (ORDER BY latency_s, run_id, task) AS rank, count(*) OVER () AS number
    FROM tasks WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) AND NOT is_warmup AND latency_s IS NOT NULL
)
SELECT run_id, task, latency_s, status, 'slowest' AS shown_as, 1 AS place FROM ended WHERE rank = number
UNION ALL
SELECT * EXCLUDE (rank, number), 'median', 2 FROM ended WHERE rank = (number + 1) // 2
UNION ALL
(SELECT * EXCLUDE (rank, number), 'failed', 3 FROM ended WHERE status <> 'ok' ORDER BY run_id, task LIMIT 1)
ORDER BY place
"""


def sizes(store: Store, run_ids: RunIds) -> list[Row]:
    """How much each run holds: rows with "run_id", "spans", "calls" and "tasks".

    Raises:
        StoreError: One of the runs does not exist.
    """
    return ask(
        store,
        run_ids,
        "SELECT run_id, count(*) AS spans, count(*) FILTER (kind = 'call') AS calls, "
        "count(*) FILTER (kind = 'task') AS tasks "
        "FROM spans WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) GROUP BY run_id ORDER BY run_id",
    )


def models(store: Store, run_id: int) -> list[Row]:
    """The models that the scenario of a run describes: rows with "provider", "model" and "pool".

    Raises:
        StoreError: There is no such run.
    """
    return ask(
        store,
        [run_id],
        "SELECT provider, model, pool FROM models WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) ORDER BY ALL",
    )


def bounds(store: Store, run_ids: RunIds, table: Literal["budgets", "limits"]) -> list[Row]:
    """The budgets of some runs, or the limits of their providers: each once, without the run.

    Raises:
        StoreError: One of the runs does not exist.
    """
    return ask(
        store,
        run_ids,
        f"SELECT DISTINCT * EXCLUDE (run_id) FROM {table} "  # noqa: S608 - one of two words of ours
        "WHERE run_id IN (SELECT unnest($run_ids::INTEGER[])) ORDER BY ALL",
    )
