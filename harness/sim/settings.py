"""From what a test writes in Python to the records that a scenario file is read into; wrong values are told alike."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.errors import HarnessError
from harness.faults import FAULTS, Fault
from harness.kernel.distributions import DISTRIBUTIONS, AnyDistribution, Constant
from harness.provider import Latency, Limits, Outage, Overload, Queue


def distribution(what: str, value: Any) -> AnyDistribution:  # noqa: ANN401 - whatever a test gives
    """A distribution: a number, one of `harness.kernel.distributions`, or as a scenario file says it."""
    if type(value) in DISTRIBUTIONS.values():
        return value  # type: ignore[no-any-return]
    return _read(AnyDistribution, what, value)  # type: ignore[no-any-return]


def latency(what: str, value: Any) -> Latency:  # noqa: ANN401 - whatever a test gives
    """A latency profile: a number or a distribution of the whole duration [s], or as a scenario file says it."""
    if isinstance(value, Latency):
        return value
    if isinstance(value, dict) and "ttft_s" in value:
        return _read(Latency, what, value)  # type: ignore[no-any-return]
    return Latency(ttft_s=distribution(what, value), itl_s=Constant(0.0))


def limits(**values: int | None) -> Limits | None:
    """Rate limits; None when there are none."""
    stated = {name: value for name, value in values.items() if value is not None}
    return _read(Limits, "the limits", stated) if stated else None


def overload(value: Any) -> Overload | None:  # noqa: ANN401 - whatever a test gives
    """Overload that comes and goes."""
    return (
        value
        if value is None or isinstance(value, Overload)
        else _read(Overload, "overload", value)
    )


def outage(value: Any) -> Outage:  # noqa: ANN401 - whatever a test gives
    """A planned outage."""
    return value if isinstance(value, Outage) else _read(Outage, "an outage", value)


def queue(capacity: int | None) -> Queue | None:
    """A queue of a bounded size."""
    return None if capacity is None else _read(Queue, "the queue", {"capacity": capacity})


def fault(kind: str | Fault, fields: dict[str, Any]) -> Fault:
    """A fault, by its name in a scenario file."""
    if isinstance(kind, Fault):
        return kind
    if kind not in FAULTS:
        raise HarnessError(f"there is no fault {kind!r}\n  There are: {', '.join(FAULTS)}")
    return _read(FAULTS[kind], f"fault {kind!r}", fields)  # type: ignore[no-any-return]


def _read(type_: Any, what: str, value: Any) -> Any:  # noqa: ANN401 - as the type says
    try:
        return TypeAdapter(type_).validate_python(value)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'value'}: {problem['msg']} (given: {problem['input']!r})"
            for problem in error.errors()
        )
        raise HarnessError(f"{what}: {problems}") from None
