"""Runs as Arrow IPC files, for data frames in many languages; needs pyarrow."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb

from harness.errors import HarnessError
from harness.store.exchange.tables import identifier, select_runs

_BATCH_ROWS: Final = 122_880
"""As many as DuckDB keeps in a row group."""

_VIEW: Final = "incoming_batches"


def write(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Mapping[str, str],
    run_ids: Sequence[int],
    path: Path,
) -> None:
    """Write the rows of some runs."""
    arrow = _pyarrow()
    select = select_runs(table, [identifier(name) for name in columns])
    batches = connection.sql(select, params=[list(run_ids)]).to_arrow_reader(_BATCH_ROWS)
    options = arrow.ipc.IpcWriteOptions(compression="zstd")
    with (
        arrow.OSFile(str(path), "wb") as file,
        arrow.ipc.new_file(file, batches.schema, options=options) as writer,
    ):
        for batch in batches:
            cells = [_without_garbage(arrow, column) for column in batch.columns]
            writer.write_batch(arrow.RecordBatch.from_arrays(cells, schema=batch.schema))


def columns(
    connection: duckdb.DuckDBPyConnection, path: Path, known: Mapping[str, str]
) -> dict[str, str]:
    """The columns that the file states."""
    del known  # it has types of its own
    with rows(connection, path, {}) as (source, _):
        found = connection.execute(f"DESCRIBE {source}").fetchall()
    return {row[0]: row[1] for row in found}


@contextmanager
def rows(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Mapping[str, str]
) -> Iterator[tuple[str, Sequence[Any]]]:
    """The file's batches, each checked before DuckDB sees it: a wrong offset would lead anywhere in memory."""
    del columns
    arrow = _pyarrow()
    try:
        with arrow.OSFile(str(path), "rb") as file:
            ipc = arrow.ipc.open_file(file)
            reader = arrow.RecordBatchReader.from_batches(ipc.schema, _checked(ipc))
            connection.register(_VIEW, reader)
            yield _VIEW, []
            connection.unregister(_VIEW)  # not after an error, which has closed the transaction
    except arrow.ArrowException as error:
        raise ValueError(str(error)) from error


def _checked(ipc: Any) -> Iterator[object]:  # noqa: ANN401 - pyarrow's, which is imported on use
    for number in range(ipc.num_record_batches):
        batch = ipc.get_batch(number)
        batch.validate(full=True)
        yield batch


def _without_garbage(arrow: Any, column: Any) -> Any:  # noqa: ANN401 - pyarrow's, which is imported on use
    """The same values with zeros where there is none: DuckDB leaves there whatever was in memory before."""
    if not column.null_count:
        return column
    nothing = "" if arrow.types.is_string(column.type) else 0
    filled = importlib.import_module("pyarrow.compute").fill_null(
        column, arrow.scalar(nothing, column.type)
    )
    buffers = [column.buffers()[0], *filled.buffers()[1:]]
    return arrow.Array.from_buffers(column.type, len(column), buffers, column.null_count)


def _pyarrow() -> Any:  # noqa: ANN401 - a package that may not be there
    try:
        return importlib.import_module("pyarrow")
    except ImportError as error:
        raise HarnessError(
            "Arrow files need pyarrow, which is not installed\n"
            "  How to fix: pip install 'multiagent-harness[arrow]', or choose --format parquet"
        ) from error
