"""Faults: the failures and delays that are injected.

Read `api.py`, then the smallest sibling, `hang.py`.
"""

from __future__ import annotations

from typing import Annotated, Any

from harness.errors import HarnessError
from harness.faults.api import AgentFault, Fault, MessageFault, StateFault, ToolFault
from harness.faults.clock_skew import ClockSkew
from harness.faults.connection import ConnectionFailure
from harness.faults.content import (
    Empty,
    MalformedJson,
    Oversized,
    Refused,
    SchemaViolation,
)
from harness.faults.cost import CostSpike
from harness.faults.crash import Crash, Down
from harness.faults.hang import Hang
from harness.faults.inject import FaultPlan, PlannedFault, plan
from harness.faults.latency import LatencyFactor
from harness.faults.meaning import MEANING_FAULTS, MeaningFault
from harness.faults.message import (
    MessageDelayed,
    MessageDuplicated,
    MessageLost,
    MessageMisdirected,
    MessageReordered,
    OtherVersion,
)
from harness.faults.partition import Partition
from harness.faults.process import ProcessExits, ProcessKilled
from harness.faults.reply import Malformed, Truncated
from harness.faults.selector import InjectedFault
from harness.faults.slow_start import SlowFirstToken
from harness.faults.starvation import Starvation
from harness.faults.state import LostUpdate, StaleRead
from harness.faults.stated import StatedDuration, StatedEnd
from harness.faults.status import Overloaded, StatusError
from harness.faults.tool import (
    EffectLost,
    EffectTwice,
    ReplyLost,
    ToolFails,
    ToolHangs,
    ToolStale,
)
from harness.faults.tool_call import BadArguments, UnknownTool
from harness.faults.tool_result import ToolInjection, ToolOversized, ToolTruncated
from harness.faults.tool_server import SessionDropped, ToolMalformed, ToolRemoved
from harness.faults.wire import WIRE_FAULTS
from harness.fields import Tagged
from harness.registration import register

FAULTS: dict[str, type[InjectedFault]] = {
    "latency": LatencyFactor,
    "hang": Hang,
    "status": StatusError,
    "overloaded": Overloaded,
    "connection_error": ConnectionFailure,
    "slow_first_token": SlowFirstToken,
    "malformed": Malformed,
    "truncated": Truncated,
    "empty": Empty,
    "refusal": Refused,
    "malformed_json": MalformedJson,
    "schema_violation": SchemaViolation,
    "oversized": Oversized,
    "unknown_tool": UnknownTool,
    "bad_arguments": BadArguments,
    "starved": Starvation,
    "cost_spike": CostSpike,
    "takes": StatedDuration,
    "ends_at": StatedEnd,
    **WIRE_FAULTS,
    "tool_fails": ToolFails,
    "tool_hangs": ToolHangs,
    "reply_lost": ReplyLost,
    "effect_twice": EffectTwice,
    "effect_lost": EffectLost,
    "tool_stale": ToolStale,
    "tool_oversized": ToolOversized,
    "tool_truncated": ToolTruncated,
    "tool_injection": ToolInjection,
    "tool_malformed": ToolMalformed,
    "tool_removed": ToolRemoved,
    "session_dropped": SessionDropped,
    "process_exits": ProcessExits,
    "process_killed": ProcessKilled,
    "message_lost": MessageLost,
    "message_delayed": MessageDelayed,
    "message_duplicated": MessageDuplicated,
    "message_reordered": MessageReordered,
    "message_misdirected": MessageMisdirected,
    "other_version": OtherVersion,
    "partition": Partition,
    "down": Down,
    "crash": Crash,
    "stale_read": StaleRead,
    "lost_update": LostUpdate,
    "clock_skew": ClockSkew,
    **MEANING_FAULTS,
}
"""The name of each fault in a scenario file."""

FAULT_NAMES: dict[type[InjectedFault], str] = {kind: name for name, kind in FAULTS.items()}
"""The other way round."""


METHODS: dict[type[InjectedFault], str] = {
    Fault: "verdict",
    ToolFault: "mishap",
    MessageFault: "passage",
    AgentFault: "interruption",
    StateFault: "disturbance",
}
"""The method that says what a fault of each kind does."""


def register_fault(name: str, kind: type[InjectedFault]) -> None:
    """Add a kind of fault, to scenario files and to `sim.fault`; call it where the class is defined.

    Scenarios that were loaded before keep working, and those that are loaded afterwards know the name. Worker processes
    register it as they import the module of the class.

    Args:
        name: What files and spans call it.
        kind: A frozen dataclass that extends `Fault`, or another of `METHODS`, and returns in its method what happens.

    Raises:
        HarnessError: The name is taken or invalid, or the class is not a fault.
    """
    given: Any = kind  # a caller without types may give anything
    for base, method in METHODS.items():
        if isinstance(given, type) and issubclass(given, base):
            if getattr(given, method) is getattr(base, method):
                break
            register(FAULTS, name, kind, what="fault", method=method)
            FAULT_NAMES[kind] = name
            return
    raise HarnessError(
        f"register_fault({name!r}): {kind!r} does not extend Fault with a `verdict` of its own"
    )


AnyFault = Annotated[InjectedFault, Tagged(FAULTS)]
"""One of the faults, as a scenario file says it."""


def is_of_meaning(fault: InjectedFault) -> bool:
    """Whether a fault changes what replies mean."""
    return isinstance(fault, MeaningFault)


__all__ = [
    "FAULTS",
    "FAULT_NAMES",
    "AnyFault",
    "Fault",
    "FaultPlan",
    "InjectedFault",
    "PlannedFault",
    "is_of_meaning",
    "plan",
    "register_fault",
]
