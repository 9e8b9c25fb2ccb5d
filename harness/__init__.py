"""Deterministic simulation testing for multi-agent LLM systems.

`import harness` loads nothing heavy; each name below is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.chance.choices import Choices
    from harness.errors import HarnessError, ScenarioError
    from harness.faults import register_fault
    from harness.models import Reply, Request, ServerTool, ToolCall
    from harness.patterns import register_pattern
    from harness.resilience import Memory
    from harness.run import Outcome, RunResult, Simulation
    from harness.scenario import load_scenario
    from harness.store import Store
    from harness.store.checkpoint_file import CheckpointFile

_HOMES = {
    "CheckpointFile": "harness.store.checkpoint_file",
    "Choices": "harness.chance.choices",
    "HarnessError": "harness.errors",
    "Memory": "harness.resilience",
    "Outcome": "harness.run",
    "Reply": "harness.models",
    "Request": "harness.models",
    "RunResult": "harness.run",
    "ScenarioError": "harness.errors",
    "ServerTool": "harness.models",
    "Simulation": "harness.run",
    "Store": "harness.store",
    "ToolCall": "harness.models",
    "load_scenario": "harness.scenario",
    "register_fault": "harness.faults",
    "register_pattern": "harness.patterns",
}

__all__ = [
    "CheckpointFile",
    "Choices",
    "HarnessError",
    "Memory",
    "Outcome",
    "Reply",
    "Request",
    "RunResult",
    "ScenarioError",
    "ServerTool",
    "Simulation",
    "Store",
    "ToolCall",
    "load_scenario",
    "register_fault",
    "register_pattern",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
