"""The tables of docs/failures.md; `python -m tests.faults.page` writes them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.faults import FAULTS, InjectedFault
from harness.faults.api import AgentFault, Fault, MessageFault, StateFault, ToolFault
from harness.faults.clock_skew import ClockSkew
from harness.scenario.docstrings import first_paragraph

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "failures.md"
_BEGIN, _END = "<!-- generated: harness/faults -->", "<!-- end of the generated part -->"

SECTIONS: tuple[tuple[str, type[InjectedFault], str], ...] = (
    ("Provider: attempts", Fault, "patterns, programs"),
    ("Tools", ToolFault, "patterns, programs"),
    ("Messages", MessageFault, "patterns"),
    ("Agents and machines", AgentFault, "patterns, programs"),
    ("Shared state and clocks", StateFault, "patterns"),
)

FIELDS: dict[str, dict[str, Any]] = {
    "latency": {"factor": 5},
    "hang": {"call": 3, "for_s": 120},
    "misrouting": {"to": "critic"},
    "status": {"status": 529, "attempt": 1},
    "slow_first_token": {"by_s": 8},
    "takes": {"for_s": 12},
    "ends_at": {"at_s": 30},
    "cost_spike": {"from_s": 600, "factor": 3},
    "oversized": {"factor": 10},
    "stall": {"for_s": 40},
    "reply_lost": {"tool": "refund", "call": 1, "after_s": 10},
    "tool_fails": {"tool": "refund", "probability": 0.1},
    "tool_hangs": {"tool": "refund", "for_s": 30},
    "effect_twice": {"tool": "refund", "task": 7},
    "effect_lost": {"tool": "refund", "customer": "acme"},
    "tool_stale": {"tool": "refund", "result": "not yet"},
    "tool_oversized": {"tool": "refund", "factor": 1000},
    "tool_truncated": {"tool": "refund", "keep": 0.5},
    "tool_injection": {"tool": "refund", "call": 2},
    "tool_malformed": {"tool": "refund", "call": 1},
    "tool_removed": {"tool": "refund", "call": 2},
    "session_dropped": {"tool": "refund", "call": 2},
    "process_exits": {"tool": "git push*", "code": 128, "message": "fatal: unable to access"},
    "process_killed": {"tool": "git push*", "signal": "SIGKILL", "after_effect": True},
    "message_lost": {"to": "critic", "noticed_after_s": 30},
    "message_delayed": {"to": "critic", "by_s": 20},
    "message_duplicated": {"to": "critic", "call": 2},
    "message_reordered": {"to": "critic", "within_s": 60},
    "message_misdirected": {"to": "critic", "goes_to": "worker"},
    "other_version": {"agent": "worker", "version": "2", "probability": 0.2},
    "partition": {"groups": [["worker"], ["critic"]], "from_s": 60, "until_s": 120},
    "down": {"agents": ["worker", "critic"], "from_s": 60, "until_s": 120},
    "crash": {"agent": "worker", "call": 3, "restart_after_s": 20, "memory": "lost"},
    "stale_read": {"agent": "worker", "behind": 1},
    "lost_update": {"agent": "worker", "call": 2},
    "clock_skew": {"agent": "worker", "by_s": 300},
}
"""What the example of a fault states; any other states an agent."""

NAMES = ("worker", "critic")
"""The agents of the examples."""


def fields_of(name: str) -> dict[str, Any]:
    """What the example of a fault states."""
    return FIELDS.get(name, {"agent": "worker", "call": 2})


def yaml_line(name: str) -> str:
    """A fault as a scenario file says it."""
    return f"- {{{name}: {_flow(fields_of(name))}}}"


def python_line(name: str) -> str:
    """A fault as a test says it."""
    said = "".join(f", {key}={value!r}" for key, value in fields_of(name).items())
    return f'sim.fault("{name}"{said})'.replace("'", '"')


def page(text: str) -> str:
    """The page with its generated part written again."""
    head, rest = text.split(_BEGIN)
    sections = "".join(_section(*section) for section in SECTIONS)
    return f"{head}{_BEGIN}\n\n{sections}{_END}{rest.split(_END)[1]}"


def _section(title: str, base: type[InjectedFault], where: str) -> str:
    own = {name: kind for name, kind in FAULTS.items() if issubclass(kind, base)}
    # Kinds that a test registered are none of ours.
    own = {name: kind for name, kind in own.items() if kind.__module__.startswith("harness.")}
    rows = "".join(_row(name, kind) for name, kind in own.items())
    return (
        f"### {title}\n\nIn: {where}.\n\n"
        f"| fault | what happens | in a file | in Python |\n|---|---|---|---|\n{rows}\n"
    )


def _row(name: str, kind: type[InjectedFault]) -> str:
    python = (
        f"`{python_line(name)}`"
        if not kind.only_of_patterns
        else "as a mapping in `Simulation.from_spec`"
    )
    more = " Of programs too." if kind is ClockSkew else ""
    return f"| `{name}` | {first_paragraph(kind)}{more} | `{yaml_line(name)}` | {python} |\n"


def _flow(value: object) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and not value.isalpha():
        return json.dumps(value)
    return str(value)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
