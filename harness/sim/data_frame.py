"""A table of a run as a pandas DataFrame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.spans import Table

if TYPE_CHECKING:
    import pandas as pd


def data_frame(table: Table, columns: list[str]) -> pd.DataFrame:
    """Some columns of a table; absent values are None."""
    import pandas as pd

    return pd.DataFrame(dict(zip(columns, _columns(table, columns), strict=True)))


def _columns(table: Table, columns: list[str]) -> Iterator[list[Any]]:
    for name in columns:
        absent = {"float": math.nan, "int": -1, "text": ""}[table.columns[name]]
        yield [None if value == absent else value for value in table.values(name)]
