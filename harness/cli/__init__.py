"""The command line. `app.py` says what can be typed, its siblings do it, `tables.py` draws what people see."""

from __future__ import annotations

from harness.cli.app import run

__all__ = ["run"]
