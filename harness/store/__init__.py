"""A store: one DuckDB file with runs, their spans and their metrics.

Read `schema.sql` first: it describes the tables. `records.py` defines what is written, `queries.py` what can be read;
`database.py` opens the file and `insert.py` fills it. Only this folder knows DuckDB and NumPy.
"""

from __future__ import annotations

from harness.store import queries
from harness.store.database import SCHEMA_VERSION, Store
from harness.store.records import RunRecord

__all__ = ["SCHEMA_VERSION", "RunRecord", "Store", "queries"]
