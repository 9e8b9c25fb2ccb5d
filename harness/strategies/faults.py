"""Strategies for faults, and plans of several."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from harness.errors import HarnessError, did_you_mean
from harness.faults import FAULTS, Fault, InjectedFault
from harness.strategies.latencies import latencies

_LATE_S = latencies(0.001, 900.0)

_PARAMETERS: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "latency": {"factor": st.integers(2, 100).map(float)},
    "status": {"status": st.sampled_from([500, 503, 529, 429, 504, 400, 401, 403, 404, 413])},
    "takes": {"for_s": _LATE_S},
    "ends_at": {"at_s": _LATE_S},
    "drip": {"for_s": _LATE_S},
}
"""Parameters that are drawn; the others have their defaults."""

_FIRST = ("overloaded", "status", "connection_error", "takes", "hang")
"""The plainest, towards which a fault shrinks."""


def fault_settings(
    agents: Sequence[str] = (), *, names: Sequence[str] | None = None, calls: int = 3
) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """The name of a fault and its fields; see `faults`."""
    if calls < 1:
        raise HarnessError(f"strategies.faults: calls is at least 1 (got {calls!r})")
    known = [*_FIRST, *(name for name in FAULTS if name not in _FIRST)]
    for name in names or ():
        if name not in FAULTS:
            raise HarnessError(
                f"strategies.faults: there is no fault {name!r}{did_you_mean(name, known)}\n  Known: {', '.join(known)}"
            )
    chosen = list(names) if names is not None else list(filter(_can_be_drawn, known))
    where: dict[str, st.SearchStrategy[Any]] = {"call": st.integers(1, calls)}
    if agents:
        where["agent"] = st.sampled_from(list(agents))

    def fields(name: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
        drawn = {**where, **_PARAMETERS.get(name, {})}
        return st.fixed_dictionaries(drawn).map(lambda values: (name, values))

    return st.sampled_from(chosen).flatmap(fields)


def faults(
    agents: Sequence[str] = (), *, names: Sequence[str] | None = None, calls: int = 3
) -> st.SearchStrategy[InjectedFault]:
    """One fault of one call, for `sim.fault(fault, allow_unmet=True)`; shrinks towards an overloaded provider at a first call.

    Args:
        agents: Whose calls; none means any call of that number.
        names: Names of faults, as in a scenario file, the plainest first; None means all of attempts whose parameters are known here.
        calls: Up to which call of an agent.

    Raises:
        HarnessError: There is no fault of a name.
    """
    settings = fault_settings(agents, names=names, calls=calls)
    return settings.map(lambda one: FAULTS[one[0]](**one[1]))


def fault_plans(
    agents: Sequence[str] = (),
    *,
    names: Sequence[str] | None = None,
    calls: int = 3,
    max_faults: int = 2,
) -> st.SearchStrategy[tuple[InjectedFault, ...]]:
    """Some faults, each of another call; shrinks towards none.

    Args:
        agents: Whose calls; none means any call of that number.
        names: Names of faults; None means all of attempts whose parameters are known here.
        calls: Up to which call of an agent.
        max_faults: How many at most.

    Raises:
        HarnessError: There is no fault of a name.
    """
    one = faults(agents, names=names, calls=calls)
    several = st.lists(one, max_size=max_faults, unique_by=lambda fault: (fault.agent, fault.call))
    return several.map(tuple)


def _can_be_drawn(name: str) -> bool:
    """Whether it meets attempts, and each of its fields has a default or is drawn here; a registered fault may have others."""
    return issubclass(FAULTS[name], Fault) and all(
        field.default is not dataclasses.MISSING
        or field.default_factory is not dataclasses.MISSING
        or field.name in _PARAMETERS.get(name, {})
        for field in dataclasses.fields(FAULTS[name])
    )
