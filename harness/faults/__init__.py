"""Faults: the failures and delays that are injected.

Read `api.py`, then the smallest sibling, `hang.py`.
"""

from __future__ import annotations

from typing import Annotated, Any

from harness.errors import HarnessError
from harness.faults.api import Fault
from harness.faults.connection import ConnectionFailure
from harness.faults.hang import Hang
from harness.faults.inject import FaultPlan, PlannedFault, plan
from harness.faults.latency import LatencyFactor
from harness.faults.meaning import MEANING_FAULTS, MeaningFault
from harness.faults.reply import Malformed, Truncated
from harness.faults.stated import StatedDuration, StatedEnd
from harness.faults.status import Overloaded, StatusError
from harness.faults.wire import WIRE_FAULTS
from harness.fields import Tagged
from harness.registration import register

FAULTS: dict[str, type[Fault]] = {
    "latency": LatencyFactor,
    "hang": Hang,
    "status": StatusError,
    "overloaded": Overloaded,
    "connection_error": ConnectionFailure,
    "malformed": Malformed,
    "truncated": Truncated,
    "takes": StatedDuration,
    "ends_at": StatedEnd,
    **WIRE_FAULTS,
    **MEANING_FAULTS,
}
"""The name of each fault in a scenario file."""

FAULT_NAMES: dict[type[Fault], str] = {kind: name for name, kind in FAULTS.items()}
"""The other way round."""


def register_fault(name: str, kind: type[Fault]) -> None:
    """Add a kind of fault, to scenario files and to `sim.fault`; call it where the class is defined.

    Scenarios that were loaded before keep working, and those that are loaded afterwards know the name. Worker processes
    register it as they import the module of the class.

    Args:
        name: What files and spans call it.
        kind: A frozen dataclass that extends `Fault` and returns in `verdict` what happens to an attempt.

    Raises:
        HarnessError: The name is taken or invalid, or the class is not a fault.
    """
    given: Any = kind  # a caller without types may give anything
    if (
        not isinstance(given, type)
        or not issubclass(given, Fault)
        or given.verdict is Fault.verdict
    ):
        raise HarnessError(
            f"register_fault({name!r}): {kind!r} does not extend Fault with a `verdict` of its own"
        )
    register(FAULTS, name, kind, what="fault", method="verdict")
    FAULT_NAMES[kind] = name


AnyFault = Annotated[Fault, Tagged(FAULTS)]
"""One of the faults, as a scenario file says it."""


def is_of_meaning(fault: Fault) -> bool:
    """Whether a fault changes what replies mean."""
    return isinstance(fault, MeaningFault)


__all__ = [
    "FAULTS",
    "FAULT_NAMES",
    "AnyFault",
    "Fault",
    "FaultPlan",
    "PlannedFault",
    "is_of_meaning",
    "plan",
    "register_fault",
]
