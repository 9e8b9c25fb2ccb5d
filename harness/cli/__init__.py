"""The command line. `app.py` defines the commands, the other files implement them, `tables.py` prints results."""

from __future__ import annotations

from harness.cli.app import run

__all__ = ["run"]
