"""Queries of a store, each a function that returns plain rows.

A row is a dict by column name, with None for what was not measured. `schema.sql` says what each column means; for
more than is here, write SQL for `data_frame`, or open the file with DuckDB.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from harness.spans import EVENT_COLUMNS, SPAN_COLUMNS, ColumnType, Table
from harness.store.asking import Row, check_runs, rows_of
from harness.store.database import Store

if TYPE_CHECKING:
    import duckdb
    import pandas as pd


def runs(
    store: Store,
    *,
    run_ids: Iterable[int] | None = None,
    scenario: str | None = None,
    last: int | None = None,
) -> list[Row]:
    """The runs, in the order in which they were written.

    Args:
        store: Where to look.
        run_ids: Only these.
        scenario: Only runs of the scenario of this name.
        last: Only so many, the latest.

    Returns:
        Rows of `runs`, each with its numbers under "metrics", by name.

    Raises:
        StoreError: One of the runs that are asked for does not exist.
    """
    wanted = None if run_ids is None else list(run_ids)
    with store.reading() as connection:
        check_runs(store, connection, wanted or ())
        found = rows_of(
            connection,
            "SELECT * FROM runs WHERE ($scenario IS NULL OR scenario = $scenario) "
            "AND ($run_ids IS NULL OR run_id IN (SELECT unnest($run_ids::INTEGER[]))) ORDER BY run_id DESC LIMIT $last",
            {"scenario": scenario, "run_ids": wanted, "last": last},
        )
        by_run: dict[int, Row] = {row["run_id"]: {**row, "metrics": {}} for row in reversed(found)}
        for row in rows_of(
            connection,
            "SELECT run_id, name, value FROM metrics "
            "WHERE agent IS NULL AND run_id IN (SELECT unnest(?::INTEGER[])) ORDER BY run_id, name",
            [list(by_run)],
        ):
            by_run[row["run_id"]]["metrics"][row["name"]] = row["value"]
    return list(by_run.values())


def runs_there(
    store: Store, scenario_hashes: Iterable[str], harness_version: str
) -> list[tuple[str, int, int]]:
    """The runs of some scenarios that a version of harness made, as scenario hash, seed and number; of equal ones the last."""
    with store.reading() as connection:
        return connection.execute(
            "SELECT scenario_hash, seed, max(run_id) FROM runs "
            "WHERE harness_version = ? AND scenario_hash IN (SELECT unnest(?::VARCHAR[])) "
            "GROUP BY scenario_hash, seed ORDER BY scenario_hash, seed",
            [harness_version, list(scenario_hashes)],
        ).fetchall()


def run(store: Store, run_id: int) -> Row:
    """One run.

    Returns:
        Its row of `runs`, with its numbers under "metrics", by name, and those of its agents under "agents", by agent
        and name.

    Raises:
        StoreError: There is no such run.
    """
    with store.reading() as connection:
        check_runs(store, connection, [run_id])
        (found,) = rows_of(connection, "SELECT * FROM runs WHERE run_id = ?", [run_id])
        measured = _metrics(connection, [run_id])
    whole: dict[str, float] = {}
    agents: dict[str, dict[str, float]] = {}
    for row in measured:
        of = whole if row["agent"] is None else agents.setdefault(row["agent"], {})
        of[row["name"]] = row["value"]
    return {**found, "metrics": whole, "agents": agents}


def latest_run_id(store: Store, *, scenario: str | None = None) -> int | None:
    """The run that was written last, of all or of one scenario; None if there is none."""
    with store.reading() as connection:
        found = connection.execute(
            "SELECT max(run_id) FROM runs WHERE $scenario IS NULL OR scenario = $scenario",
            {"scenario": scenario},
        ).fetchall()
    latest: int | None = found[0][0]
    return latest


def spans(store: Store, run_id: int) -> list[Row]:
    """The spans of a run, in the order of their beginning.

    Raises:
        StoreError: There is no such run.
    """
    with store.reading() as connection:
        check_runs(store, connection, [run_id])
        return rows_of(
            connection, "SELECT * FROM spans WHERE run_id = ? ORDER BY span_id", [run_id]
        )


def span_table(store: Store, run_id: int, *, task: int | None = None) -> Table:
    """The spans of a run as the run itself had them, in the order of their beginning; for `harness.metrics`.

    Args:
        store: Where to look.
        run_id: The run.
        task: Only those of this task; None means all.

    Raises:
        StoreError: There is no such run.
    """
    with store.reading() as connection:
        check_runs(store, connection, [run_id])
        return _table(connection, "spans", run_id, "$task IS NULL OR task = $task", {"task": task})


def event_table(store: Store, run_id: int, *, task: int | None = None) -> Table:
    """The events of a run, as `span_table` gives the spans.

    Raises:
        StoreError: There is no such run.
    """
    with store.reading() as connection:
        check_runs(store, connection, [run_id])
        return _table(connection, "events", run_id, "$task IS NULL OR task = $task", {"task": task})


def span_tables(store: Store, run_ids: Iterable[int], *, every: int = 1) -> dict[int, Table]:
    """The same of some runs, by their ids; faster than one by one, because opening a store takes most of the time.

    Args:
        store: Where to look.
        run_ids: The runs.
        every: Only the first of so many tasks.

    Raises:
        StoreError: One of the runs does not exist.
    """
    return _tables(store, run_ids, "spans", every)


def event_tables(store: Store, run_ids: Iterable[int], *, every: int = 1) -> dict[int, Table]:
    """The events of some runs, as `span_tables` gives the spans.

    Raises:
        StoreError: One of the runs does not exist.
    """
    return _tables(store, run_ids, "events", every)


def texts(store: Store, run_id: int, *, task: int) -> dict[int, dict[str, str]]:
    """Prompts and replies of one task, if the run kept texts.

    Returns:
        By span id of each call, its "prompt" and, if it was answered, its "reply".

    Raises:
        StoreError: There is no such run.
    """
    found: dict[int, dict[str, str]] = {}
    with store.reading() as connection:
        check_runs(store, connection, [run_id])
        for row in rows_of(
            connection,
            "SELECT span_id, kind, coalesce(text, '') AS text FROM texts WHERE run_id = ? AND task = ? ORDER BY span_id",
            [run_id, task],
        ):
            found.setdefault(row["span_id"], {})[row["kind"]] = row["text"]
    return found


_Kind = Literal["spans", "events"]


def _tables(store: Store, run_ids: Iterable[int], kind: _Kind, every: int) -> dict[int, Table]:
    wanted = list(run_ids)
    with store.reading() as connection:
        check_runs(store, connection, wanted)
        return {
            run_id: _table(
                connection, kind, run_id, "coalesce(task - 1, 0) % $every = 0", {"every": every}
            )
            for run_id in wanted
        }


def _table(
    connection: duckdb.DuckDBPyConnection,
    kind: _Kind,
    run_id: int,
    which: str,
    parameters: Mapping[str, object],
) -> Table:
    columns, order = _TABLES[kind]
    cells = ", ".join(_PRESENT[type_].format(name=name) for name, type_ in columns.items())
    # The names in the statement are ours, from `spans.py`.
    select = f"SELECT {cells} FROM {kind} WHERE run_id = $run_id AND ({which}) ORDER BY {order}"  # noqa: S608
    found: Any = connection.execute(select, {"run_id": run_id, **parameters}).fetchnumpy()
    table = Table(columns)
    numbers = [name for name, type_ in columns.items() if type_ != "text"]
    table.extend(*([] if name in numbers else found[name].tolist() for name in columns))
    for name in numbers:  # they are the same bytes here and there
        table[name].frombytes(found[name].tobytes())
    return table


_TABLES: Final = {"spans": (SPAN_COLUMNS, "span_id"), "events": (EVENT_COLUMNS, "event_id")}

_PRESENT: Final[dict[ColumnType, str]] = {
    "float": "coalesce({name}, 'NaN'::DOUBLE) AS {name}",
    "int": "coalesce({name}, -1) AS {name}",
    "text": "coalesce({name}, '') AS {name}",
}
"""How a cell of each type is read with NULL as the absent value of `harness.spans`."""


def events(store: Store, run_id: int) -> list[Row]:
    """The events of a run, in the order in which they happened.

    Raises:
        StoreError: There is no such run.
    """
    with store.reading() as connection:
        check_runs(store, connection, [run_id])
        return rows_of(
            connection, "SELECT * FROM events WHERE run_id = ? ORDER BY event_id", [run_id]
        )


def audit(store: Store, run_id: int, *, task: int | None = None) -> list[Row]:
    """Who decided what from which input, in order: rows of the view `audit`, with the texts that were kept.

    Raises:
        StoreError: There is no such run.
    """
    with store.reading() as connection:
        check_runs(store, connection, [run_id])
        return rows_of(
            connection,
            "SELECT audit.*, asked.text AS prompt, said.text AS reply FROM audit "
            "LEFT JOIN texts AS asked ON asked.run_id = audit.run_id AND asked.span_id = audit.span_id "
            "AND asked.kind = 'prompt' AND audit.action = 'call' "
            "LEFT JOIN texts AS said ON said.run_id = audit.run_id AND said.span_id = audit.span_id "
            "AND said.kind = 'reply' AND audit.action = 'call' "
            "WHERE audit.run_id = $run_id AND ($task IS NULL OR audit.task = $task) "
            "ORDER BY audit.at_s, audit.span_id, audit.action",
            {"run_id": run_id, "task": task},
        )


def metrics(store: Store, run_ids: Iterable[int]) -> list[Row]:
    """The metrics of some runs: one row per run, agent (None for the whole run) and name, in this order.

    Raises:
        StoreError: One of the runs does not exist.
    """
    wanted = list(run_ids)
    with store.reading() as connection:
        check_runs(store, connection, wanted)
        return _metrics(connection, wanted)


def values(store: Store, metric: str, *, scenario: str | None = None) -> list[Row]:
    """One metric of every run, in the order in which the runs were written.

    Args:
        store: Where to look.
        metric: The number's name.
        scenario: Only runs of the scenario of this name.

    Returns:
        What identifies each run and the version of it, and its "value"; None where it was not measured.
    """
    with store.reading() as connection:
        return rows_of(
            connection,
            "SELECT runs.run_id, scenario, scenario_hash, seed, harness_version, commit_id, written_at, value "
            "FROM runs LEFT JOIN metrics ON metrics.run_id = runs.run_id AND agent IS NULL AND name = $metric "
            "WHERE $scenario IS NULL OR scenario = $scenario ORDER BY runs.run_id",
            {"metric": metric, "scenario": scenario},
        )


def failed_tasks(store: Store, run_ids: Iterable[int]) -> dict[int, list[int]]:
    """The measured tasks that failed, by run, ascending; a run without any is absent.

    Raises:
        StoreError: One of the runs does not exist.
    """
    wanted = list(run_ids)
    failed: dict[int, list[int]] = {}
    with store.reading() as connection:
        check_runs(store, connection, wanted)
        for row in rows_of(
            connection,
            "SELECT run_id, task FROM tasks WHERE status <> 'ok' AND NOT is_warmup "
            "AND run_id IN (SELECT unnest(?::INTEGER[])) ORDER BY run_id, task",
            [wanted],
        ):
            failed.setdefault(row["run_id"], []).append(row["task"])
    return failed


def data_frame(
    store: Store, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
) -> pd.DataFrame:
    """The answer to a query, as a pandas DataFrame.

    Example::

        data_frame(store, "SELECT agent, avg(queue_wait_s) FROM attempts WHERE run_id = ? GROUP BY agent", [7])

    Args:
        store: What to ask.
        sql: A query on the tables and views of `schema.sql`.
        parameters: The values of its `?` or `$name`; never insert an untrusted text into the query itself.

    Raises:
        StoreError: DuckDB objects to the query.
    """
    with store.reading() as connection:
        return connection.execute(sql, parameters).df()


def _metrics(connection: duckdb.DuckDBPyConnection, run_ids: Sequence[int]) -> list[Row]:
    return rows_of(
        connection,
        "SELECT * FROM metrics WHERE run_id IN (SELECT unnest(?::INTEGER[])) ORDER BY run_id, agent NULLS FIRST, name",
        [run_ids],
    )
