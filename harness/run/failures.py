"""Errors that ended tasks: the count of each kind, and the traceback of the first, or its words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.scrub import without_secrets
from harness.virtual.tracebacks import told

_KINDS_MAX = 20
"""Kinds of error whose first traceback is kept; a class may be made anew for every task."""


@dataclass(slots=True)
class Failures:
    """Gathers the errors of the tasks of one run."""

    counts: Counter[str] = field(default_factory=Counter)
    """How many tasks each kind of error has ended."""
    tracebacks: dict[str, str] = field(default_factory=dict)
    """The first of each kind, cut to the frames of the user's code; of a pattern's own error its words alone."""
    first: dict[str, Exception] = field(default_factory=dict)
    """The first of each kind itself."""

    def add(self, error: Exception) -> str:
        """Note an error; returns its kind."""
        kind = type(error).__name__
        self.counts[kind] += 1
        if kind not in self.tracebacks and len(self.tracebacks) < _KINDS_MAX:
            self.tracebacks[kind] = told(error)
            self.first[kind] = error
        return kind

    def say(self, error: Exception) -> None:
        """Note an error of a pattern: the agents led it nowhere, and no code of the user's has raised."""
        kind = type(error).__name__
        self.counts[kind] += 1
        self.tracebacks.setdefault(kind, without_secrets(f"{kind}: {error}"))
