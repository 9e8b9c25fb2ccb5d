"""Strategies for workloads, and for whole scenarios."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from harness.errors import HarnessError, did_you_mean
from harness.strategies.faults import fault_settings
from harness.strategies.latencies import distributions, latencies

Json = dict[str, Any]

_SHAPES: Mapping[str, Callable[[list[str]], Json]] = {
    "single": lambda who: {"agent": who[0]},
    "pipeline": lambda who: {"stages": who},
    "parallel": lambda who: {"members": who},
    "orchestrator_worker": lambda who: {"orchestrator": who[0], "workers": who[1:]},
    "refine": lambda who: {"generator": who[0], "critic": who[1], "on_exhausted": "last"},
    "consensus": lambda who: {"proposer": who[0], "voters": who[1:], "on_unreadable": "abstain"},
    "hierarchical": lambda who: {"manager": who[0], "reports": who[1:]},
    "mesh": lambda who: {"peers": who, "max_rounds": 2},
    "blackboard": lambda who: {"members": who, "max_rounds": 2, "on_exhausted": "board"},
}
"""How agents take part in each pattern."""

_SIZES: Mapping[str, tuple[int, int | None]] = {
    "single": (1, 1),
    "pipeline": (1, None),
    "parallel": (1, None),
    "refine": (2, 2),
}
"""The least and the most agents of a pattern; of the others at least two."""


def workloads(max_tasks: int = 10) -> st.SearchStrategy[Json]:
    """The section `workload` of a scenario; shrinks towards one task.

    Args:
        max_tasks: How many tasks at most.
    """
    arrivals = st.one_of(
        st.just({"closed": {"users": 1}}),
        st.integers(2, 4).map(lambda users: {"closed": {"users": users}}),
        latencies(0.001, 30.0).map(lambda every_s: {"every_s": every_s}),
        st.sampled_from([0.1, 1.0, 5.0]).map(lambda rate: {"poisson": {"rate_per_s": rate}}),
    )
    return st.fixed_dictionaries({"tasks": st.integers(1, max_tasks), "arrivals": arrivals})


def scenarios(
    *,
    patterns: Sequence[str] | None = None,
    max_agents: int = 4,
    max_faults: int = 2,
    max_tasks: int = 5,
) -> st.SearchStrategy[Json]:
    """Whole scenarios, for `Simulation.from_spec`; shrinks towards one agent, one task, no limits and no fault.

    Args:
        patterns: Names of patterns, the plainest first; None means all that are known here.
        max_agents: How many agents at most.
        max_faults: How many faults at most.
        max_tasks: How many tasks at most.

    Raises:
        HarnessError: A pattern is not known here, or needs more agents.
    """
    for name in patterns or ():
        if name not in _SHAPES:
            raise HarnessError(
                f"strategies.scenarios: pattern {name!r} is not known here{did_you_mean(name, _SHAPES)}\n"
                f"  Known: {', '.join(_SHAPES)}"
            )
    names = [name for name in patterns or _SHAPES if _least(name) <= max_agents]
    if not names:
        raise HarnessError(
            f"strategies.scenarios: no pattern of {', '.join(patterns or _SHAPES)} has at most {max_agents} agents"
        )
    team = st.sampled_from(names).flatmap(lambda name: _team(name, max_agents))
    return team.flatmap(lambda one: _scenario(*one, max_faults, max_tasks))


def _least(pattern: str) -> int:
    return _SIZES.get(pattern, (2, None))[0]


def _team(pattern: str, max_agents: int) -> st.SearchStrategy[tuple[str, list[str]]]:
    least, most = _SIZES.get(pattern, (2, None))
    sizes = st.integers(least, min(most or max_agents, max_agents))
    return sizes.map(lambda size: (pattern, [f"agent-{place}" for place in range(1, size + 1)]))


def _scenario(
    pattern: str, team: list[str], max_faults: int, max_tasks: int
) -> st.SearchStrategy[Json]:
    agents = st.fixed_dictionaries({name: _agents() for name in team})
    faults = st.lists(
        fault_settings(team),
        max_size=max_faults,
        unique_by=lambda one: (one[1]["agent"], one[1]["call"]),
    )
    policies: st.SearchStrategy[Json] = st.just({}) | st.sampled_from(
        [
            {"retry": {"attempts": 3}},
            {"timeout_s": 30.0},
            {"timeout_s": 30.0, "retry": {"attempts": 2}},
        ]
    ).map(lambda default: {"policies": {"default": default}})

    def whole(
        workload: Json,
        provider: Json,
        latency: object,
        members: Json,
        drawn: list[tuple[str, Json]],
        more: Json,
    ) -> Json:
        model = {"provider": "provider", "name": "claude-haiku-4-5"}
        return {
            "scenario": "drawn",
            "workload": workload,
            "providers": {"provider": provider},
            "models": {"model": {**model, "latency": {"ttft_s": latency, "itl_s": 0.0}}},
            "agents": members,
            "pattern": {pattern: _SHAPES[pattern](team)},
            **({"faults": [{name: fields} for name, fields in drawn]} if drawn else {}),
            **more,
        }

    return st.builds(
        whole, workloads(max_tasks), _providers(), distributions(), agents, faults, policies
    )


def _agents() -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({"model": st.just("model")}).flatmap(
        lambda agent: (
            st.just(agent)
            | st.integers(1, 500).map(lambda tokens: {**agent, "output_tokens": tokens})
        )
    )


def _providers() -> st.SearchStrategy[Json]:
    return st.just({}) | st.fixed_dictionaries(
        {},
        optional={
            "concurrency": st.integers(1, 4),
            "limits": st.integers(1, 600).map(lambda number: {"requests_per_min": number}),
        },
    )
