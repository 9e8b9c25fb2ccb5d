"""Agents by number: an entry of `agents` with a `count`, and `{all: NAME}` for its agents in a list of members.

Both are written out before a file is checked, so that nothing behind the loader knows of them.
"""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Le

MOST = 1_000_000
"""Most agents of one entry; a run keeps some ten kilobytes of each."""

AgentCount = Annotated[int, Ge(1), Le(MOST)]
"""A number of agents."""

_ALL = "all"
"""The key of a mapping that stands for all agents of an entry."""

_OF_PATTERNS = ("pattern", "bakeoff")


def counts_in(data: dict[str, Any]) -> dict[str, int]:
    """How many agents each entry of `agents` with a count stands for; a wrong count is left to be told as such.

    Args:
        data: The content of a scenario file.
    """
    return {
        name: part["count"]
        for name, part in _agents(data).items()
        if isinstance(part, dict) and _is_count(part.get("count"))
    }


def entries_of(counts: dict[str, int]) -> dict[str, str]:
    """The entry of each agent that is there by number.

    Args:
        counts: How many agents each entry stands for.
    """
    return {agent: name for name, count in counts.items() for agent in _names(name, count)}


def written_out(data: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    """The content of a scenario file without counts: each agent by itself, and all of them where a list says so.

    An entry that has the name of one of them says what is different of that one.

    Args:
        data: The content of the file.
        counts: How many agents each entry stands for.
    """
    if not isinstance(agents := data.get("agents"), dict):
        return data
    known = {name: _names(name, counts[name]) if name in counts else [name] for name in agents}
    spread = {key: _spread(part, known) for key, part in data.items() if key in _OF_PATTERNS}
    teams = {
        name: _spread(part, known) if isinstance(part, dict) and "pattern" in part else part
        for name, part in agents.items()
    }
    whole = {**data, **spread, "agents": _by_agent(teams, counts)}
    if isinstance(factors := data.get("latency_factors"), dict):
        whole["latency_factors"] = _by_agent(factors, counts)
    policies = data.get("policies")
    if isinstance(policies, dict) and isinstance(policies.get("agents"), dict):
        whole["policies"] = {**policies, "agents": _by_agent(policies["agents"], counts)}
    return whole


def _agents(data: dict[str, Any]) -> dict[str, Any]:
    agents = data.get("agents")
    return agents if isinstance(agents, dict) and "target" not in data else {}


def _is_count(value: object) -> bool:
    return type(value) is int and 1 <= value <= MOST


def _names(name: str, count: int) -> list[str]:
    return [f"{name}-{number}" for number in range(1, count + 1)]


def _by_agent(stated: dict[str, Any], counts: dict[str, int]) -> dict[str, Any]:
    """What is stated by agent, where what is stated of an entry with a count is stated of each of its agents."""
    found: dict[str, Any] = {}
    for name, value in stated.items():
        if name not in counts:
            found[name] = value
            continue
        one = value
        if isinstance(value, dict) and "count" in value:
            one = {key: inner for key, inner in value.items() if key != "count"}
        for agent in _names(name, counts[name]):
            found[agent] = stated.get(agent, one)
    return found


def _spread(value: Any, known: dict[str, list[str]]) -> Any:  # noqa: ANN401 - a YAML value
    if isinstance(value, dict):
        return {key: _spread(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [one for item in value for one in _spread_item(item, known)]
    return value


def _spread_item(item: Any, known: dict[str, list[str]]) -> list[Any]:  # noqa: ANN401 - a YAML value
    """What stands in a list for an item: the agents that it means, or a record for each of them."""
    if (meant := _all_of(item, known)) is not None:
        return [*meant]
    inner = _spread(item, known)
    if isinstance(item, dict):
        for key, value in item.items():
            if (meant := _all_of(value, known)) is not None:
                return [{**inner, key: agent} for agent in meant]
    return [inner]


def _all_of(value: object, known: dict[str, list[str]]) -> list[str] | None:
    """The agents that `{all: NAME}` means; None of anything else."""
    if not isinstance(value, dict) or value.keys() != {_ALL} or not isinstance(value[_ALL], str):
        return None
    return known.get(value[_ALL])
