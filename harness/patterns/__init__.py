"""How agents work together: one pattern a file, plain asyncio. Read `pipeline.py` first."""

from __future__ import annotations

from typing import Annotated

from harness.fields import Tagged
from harness.patterns.api import Pattern, PatternError, Team
from harness.patterns.consensus import Consensus
from harness.patterns.debate import Debate
from harness.patterns.handoff import Handoff
from harness.patterns.orchestrator_worker import OrchestratorWorker
from harness.patterns.parallel import Parallel
from harness.patterns.pipeline import Pipeline
from harness.patterns.react import React
from harness.patterns.refine import Refine
from harness.patterns.single import Single

PATTERNS: dict[str, type[Pattern]] = {
    "single": Single,
    "pipeline": Pipeline,
    "orchestrator_worker": OrchestratorWorker,
    "react": React,
    "parallel": Parallel,
    "debate": Debate,
    "consensus": Consensus,
    "refine": Refine,
    "handoff": Handoff,
}
"""The name of each pattern in a scenario file."""

AnyPattern = Annotated[Pattern, Tagged(PATTERNS)]
"""One of the patterns, as a scenario file says it."""

__all__ = ["PATTERNS", "AnyPattern", "Pattern", "PatternError", "Team"]
