"""Runs as a folder of files, to move them between stores and machines.

A folder holds one file for each table of `schema.sql` that carries `run_id`, in one of three formats, and a manifest with
the number of rows and the checksum of each. `outgoing.py` writes it, `incoming.py` reads it; how rows become bytes is in
`parquet.py`, `csv.py` and `arrow.py`, which do not import one another. A folder may come from anywhere and is not
trusted: names and types come from our schema, and only values are taken from the files.
"""

from __future__ import annotations

from harness.store.exchange.incoming import Imported, import_runs
from harness.store.exchange.outgoing import export_runs

__all__ = ["Imported", "export_runs", "import_runs"]
