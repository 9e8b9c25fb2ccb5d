"""A table of a run as a pandas DataFrame."""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from typing import Any

from harness.errors import HarnessError
from harness.spans import Table


def data_frame(table: Table, columns: list[str]) -> Any:  # noqa: ANN401 - pandas is an extra
    """Some columns of a table; absent values are None.

    Raises:
        HarnessError: pandas is not installed.
    """
    try:
        pandas = importlib.import_module("pandas")
    except ImportError:
        raise HarnessError(
            "a DataFrame needs pandas\n  How to fix: pip install pandas; or use `run.spans_table`"
        ) from None
    return pandas.DataFrame(dict(zip(columns, _columns(table, columns), strict=True)))


def _columns(table: Table, columns: list[str]) -> Iterator[list[Any]]:
    for name in columns:
        absent = {"float": math.nan, "int": -1, "text": ""}[table.columns[name]]
        yield [None if value == absent else value for value in table.values(name)]
