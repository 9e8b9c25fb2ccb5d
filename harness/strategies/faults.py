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
    "slow_first_token": {"by_s": _LATE_S},
    "cost_spike": {"factor": st.integers(2, 100).map(float)},
    "message_delayed": {"by_s": _LATE_S},
    "other_version": {"version": st.sampled_from(["0", "2"])},
    "clock_skew": {"by_s": _LATE_S},
}
"""Parameters that are drawn; the others have their defaults."""


def _parameters(name: str, agents: Sequence[str]) -> Mapping[str, st.SearchStrategy[Any]]:
    """Parameters of a fault that are drawn; those that name members of a team are drawn where the team is known."""
    if len(agents) > 1:
        members = st.sampled_from(list(agents))
        if name == "message_misdirected":
            return {"goes_to": members}
        if name == "misrouting":
            return {"to": members}
        if name == "partition":
            sides = st.integers(1, len(agents) - 1)
            return {"groups": sides.map(lambda at: (tuple(agents[:at]), tuple(agents[at:])))}
    return _PARAMETERS.get(name, {})


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
        if missing := _not_drawn(name, agents):
            raise HarnessError(
                f"strategies.faults: {name!r} cannot be drawn, because nothing is known of its {' and '.join(missing)}\n"
                "  How to fix: name two agents or more for a fault that names some, or build it with "
                f"st.builds({FAULTS[name].__name__}, ...)"
            )
    chosen = [*names] if names is not None else [it for it in known if _is_plain(it, agents)]
    where: dict[str, st.SearchStrategy[Any]] = {"call": st.integers(1, calls)}
    if agents:
        where["agent"] = st.sampled_from(list(agents))

    def fields(name: str) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
        drawn = {**where, **_parameters(name, agents)}
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
        HarnessError: There is no fault of a name, or a field of it cannot be drawn.
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
        HarnessError: There is no fault of a name, or a field of it cannot be drawn.
    """
    one = faults(agents, names=names, calls=calls)
    several = st.lists(one, max_size=max_faults, unique_by=lambda fault: (fault.agent, fault.call))
    return several.map(tuple)


def _is_plain(name: str, agents: Sequence[str]) -> bool:
    """Whether a fault meets attempts and can be drawn, so that it is among those that nobody has named."""
    return issubclass(FAULTS[name], Fault) and not _not_drawn(name, agents)


def _not_drawn(name: str, agents: Sequence[str]) -> list[str]:
    """Fields of a fault that have no default and are not drawn."""
    drawn = _parameters(name, agents)
    return [
        field.name
        for field in dataclasses.fields(FAULTS[name])
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        and field.name not in drawn
    ]
