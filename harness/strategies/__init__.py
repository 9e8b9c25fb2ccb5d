"""Hypothesis strategies for what surrounds a program: faults, latencies, replies, tools, workloads, scenarios.

They shrink towards what is plain: no fault, a latency of 0, the reply `ok`, a tool without parameters, one agent, one task.
"""

from __future__ import annotations

try:
    import hypothesis  # noqa: F401 - whether it is there
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "harness.strategies needs Hypothesis\n  How to fix: pip install 'multiagent-harness[strategies]'"
    ) from _error

from harness.strategies.faults import fault_plans, faults
from harness.strategies.latencies import distributions, latencies
from harness.strategies.replies import replies, tool_arguments, tool_calls, tool_schemas
from harness.strategies.scenarios import scenarios, workloads

__all__ = [
    "distributions",
    "fault_plans",
    "faults",
    "latencies",
    "replies",
    "scenarios",
    "tool_arguments",
    "tool_calls",
    "tool_schemas",
    "workloads",
]
