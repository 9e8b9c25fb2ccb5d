"""What goes wrong: interchangeable faults, and the model that meets them.

Read `api.py`, then the smallest sibling, `hang.py`.
"""

from __future__ import annotations

from typing import Annotated

from harness.faults.api import Fault
from harness.faults.connection import ConnectionFailure
from harness.faults.hang import Hang
from harness.faults.inject import FaultPlan, PlannedFault, plan
from harness.faults.latency import LatencyFactor
from harness.faults.reply import Malformed, Truncated
from harness.faults.status import Overloaded, StatusError
from harness.faults.wire import WIRE_FAULTS
from harness.fields import Tagged

FAULTS: dict[str, type[Fault]] = {
    "latency": LatencyFactor,
    "hang": Hang,
    "status": StatusError,
    "overloaded": Overloaded,
    "connection_error": ConnectionFailure,
    "malformed": Malformed,
    "truncated": Truncated,
    **WIRE_FAULTS,
}
"""The name of each fault in a scenario file."""

FAULT_NAMES: dict[type[Fault], str] = {kind: name for name, kind in FAULTS.items()}
"""The other way round."""

AnyFault = Annotated[Fault, Tagged(FAULTS)]
"""One of the faults, as a scenario file says it."""

__all__ = [
    "FAULTS",
    "FAULT_NAMES",
    "AnyFault",
    "Fault",
    "FaultPlan",
    "PlannedFault",
    "plan",
]
