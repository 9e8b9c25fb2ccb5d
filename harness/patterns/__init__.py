"""Patterns: how agents work together. One pattern per file, plain asyncio. Read `pipeline.py` first."""

from __future__ import annotations

from harness.patterns.api import (
    PATTERNS,
    AnyPattern,
    Member,
    Pattern,
    PatternError,
    Team,
    agent_in,
    post,
)
from harness.patterns.blackboard import Blackboard
from harness.patterns.bus import Bus
from harness.patterns.consensus import Consensus
from harness.patterns.debate import Debate
from harness.patterns.handoff import Handoff
from harness.patterns.hierarchical import Hierarchical
from harness.patterns.hybrid import Hybrid
from harness.patterns.market import Market
from harness.patterns.mesh import Mesh
from harness.patterns.nested import MemberName, NestedTeam
from harness.patterns.orchestrator_worker import OrchestratorWorker
from harness.patterns.parallel import Parallel
from harness.patterns.pipeline import Pipeline
from harness.patterns.react import React
from harness.patterns.refine import Refine
from harness.patterns.router import Router
from harness.patterns.single import Single
from harness.registration import register

PATTERNS |= {
    "single": Single,
    "pipeline": Pipeline,
    "orchestrator_worker": OrchestratorWorker,
    "react": React,
    "parallel": Parallel,
    "debate": Debate,
    "consensus": Consensus,
    "refine": Refine,
    "handoff": Handoff,
    "market": Market,
    "mesh": Mesh,
    "blackboard": Blackboard,
    "hierarchical": Hierarchical,
    "router": Router,
    "bus": Bus,
    "hybrid": Hybrid,
}


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


__all__ = [
    "PATTERNS",
    "AnyPattern",
    "Member",
    "MemberName",
    "NestedTeam",
    "Pattern",
    "PatternError",
    "Team",
    "agent_in",
    "post",
    "register_pattern",
]
