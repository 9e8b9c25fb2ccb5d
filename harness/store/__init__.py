"""One DuckDB file of runs: what was simulated, what happened in it, and its numbers.

`schema.sql` is the place to begin: it says what a store holds. `records.py` is what goes in, `queries.py` what comes out;
`database.py` opens the file and `insert.py` fills it. Only this folder knows DuckDB and NumPy.
"""

from __future__ import annotations

from harness.store import queries
from harness.store.database import SCHEMA_VERSION, Store
from harness.store.records import RunRecord

__all__ = ["SCHEMA_VERSION", "RunRecord", "Store", "queries"]
