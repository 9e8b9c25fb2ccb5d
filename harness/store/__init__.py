"""A store: one DuckDB file with runs, their spans and their metrics.

Read `schema.sql` first: it describes the tables. `records.py` defines what is written, `batches.py` puts many runs into columns,
`queries.py` is what can be read; `database.py` opens the file and `insert.py` fills it. Only this folder knows DuckDB and NumPy.
"""

from __future__ import annotations

from harness.store import queries
from harness.store.batches import RunBatch, batch_of, joined
from harness.store.database import SCHEMA_VERSION, Store
from harness.store.records import RunRecord

__all__ = ["SCHEMA_VERSION", "RunBatch", "RunRecord", "Store", "batch_of", "joined", "queries"]
