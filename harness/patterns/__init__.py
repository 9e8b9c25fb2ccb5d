"""How agents work together: one pattern a file, plain asyncio. Read `pipeline.py` first."""

from __future__ import annotations

from typing import Annotated

from harness.fields import Tagged
from harness.patterns.api import Member, Pattern, PatternError, Team
from harness.patterns.orchestrator_worker import OrchestratorWorker
from harness.patterns.pipeline import Pipeline
from harness.patterns.react import React
from harness.patterns.single import Single
from harness.registration import register

PATTERNS: dict[str, type[Pattern]] = {
    "single": Single,
    "pipeline": Pipeline,
    "orchestrator_worker": OrchestratorWorker,
    "react": React,
}
"""The name of each pattern in a scenario file."""


def register_pattern(name: str, kind: type[Pattern]) -> None:
    """Add a pattern to scenario files; call it where the class is defined.

    Scenarios that were loaded before keep working, and those that are loaded afterwards know the name. Worker processes
    register it as they import the module of the class.

    Args:
        name: What files call it.
        kind: A frozen dataclass of the pattern's roles, with an async method `run`.

    Raises:
        HarnessError: The name is taken or no name, or the class is no pattern.
    """
    register(PATTERNS, name, kind, what="pattern", method="run")


AnyPattern = Annotated[Pattern, Tagged(PATTERNS)]
"""One of the patterns, as a scenario file says it."""

__all__ = [
    "PATTERNS",
    "AnyPattern",
    "Member",
    "Pattern",
    "PatternError",
    "Team",
    "register_pattern",
]
