"""Runs as a folder of files, to be taken from one store to another: between machines, and out of CI jobs.

A folder holds one file for each table of `schema.sql` that carries `run_id`, in one of three formats, and a manifest with
the number of rows and the checksum of each. `outgoing.py` writes it, `incoming.py` reads it; how rows become bytes is in
`parquet.py`, `csv.py` and `arrow.py`, which do not know one another. A folder comes from anywhere, and nothing in it is
believed: names and types come from our schema, and of the files only values are taken.
"""

from __future__ import annotations

from harness.store.exchange.incoming import Imported, import_runs
from harness.store.exchange.outgoing import export_runs

__all__ = ["Imported", "export_runs", "import_runs"]
