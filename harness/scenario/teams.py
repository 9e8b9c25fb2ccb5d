"""Teams of a scenario file: patterns that stand where an agent could, and patterns of the user's own modules."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any, cast

from harness.errors import ScenarioError, StubError
from harness.patterns import PATTERNS, Pattern
from harness.patterns.own import patterns_known
from harness.registration import changed
from harness.scenario.functions import find_function, is_function_name
from harness.scenario.problems import dotted
from harness.scenario.yaml_file import Document, Path_

_KEYS = {"pattern", "name"}
"""What the mapping of a team within a pattern may hold."""


def with_names(data: dict[str, Any]) -> dict[str, Any]:
    """The content of a scenario file, with a name for each team within a pattern that states none.

    A team is named after its pattern; the second of a kind, and one whose name an agent has, gets a number.
    """
    inner = [(path, part) for path, part in _patterns(data) if _is_inner(path)]
    inner += [it for path, entry in _entries(data) for it in _inside(entry, path)]
    if not inner:
        return data
    named = copy.deepcopy(data)
    agents = data.get("agents")
    taken = set(agents) if isinstance(agents, dict) else set()
    taken |= {part["name"] for _, part in inner if isinstance(part.get("name"), str)}
    for path, part in inner:
        # The entry under `bakeoff` that is simulated is one object with what stands under `pattern`.
        if "name" not in _at(named, path):
            kind = next(iter(part["pattern"]), "team").rpartition(":")[2]
            name, number = kind, 1
            while name in taken:
                number += 1
                name = f"{kind}-{number}"
            taken.add(name)
            _at(named, path)["name"] = name
    return named


def own_patterns(data: dict[str, Any]) -> dict[str, Path_]:
    """The patterns that a scenario file names as `module:Class`, each with where it does so first."""
    found: dict[str, Path_] = {}
    # Those under `bakeoff` first: the one that is simulated stands under `pattern` too, where the file has nothing.
    named = [(path, entry) for path, entry in _entries(data) if path[-1] not in PATTERNS]
    teams = [it for path, entry in _entries(data) for it in _inside(entry, path)]
    named += [((*path, "pattern"), part["pattern"]) for path, part in (*teams, *_patterns(data))]
    for path, pattern in named:
        for key in pattern:
            if ":" in key:
                found.setdefault(key, (*path, key))
    return found


def teams_under_agents(data: dict[str, Any]) -> list[str]:
    """The entries of `agents` that are teams."""
    agents = data.get("agents")
    entries = agents.items() if isinstance(agents, dict) else ()
    return [name for name, part in entries if isinstance(part, dict) and "pattern" in part]


@contextmanager
def own_patterns_known(document: Document, folder: Path) -> Iterator[None]:
    """While inside, files may name the patterns of the user's own modules that this one names.

    Args:
        document: The file.
        folder: Where modules are looked for first.

    Raises:
        ScenarioError: There is no such class, it is no pattern, or a module fails when it is imported; says where.
    """
    own = {} if "target" in document.data else own_patterns(document.data)
    if not own:
        yield
        return
    from harness.rollback.fresh import imported_outside

    with imported_outside(folder):
        classes = {
            name: _class_at(f"{document.place(path, of_key=True)}: {dotted(path)}", name)
            for name, path in own.items()
        }
        with patterns_known(classes):
            changed()
            yield
    changed()


def _class_at(place: str, name: str) -> type[Pattern]:
    if not is_function_name(name):
        raise ScenarioError(f"{place}: {name!r} is no class as module:Class")
    try:
        kind: Any = find_function(name)
    except StubError as error:
        raise ScenarioError(f"{place}: {error}") from error
    if not (isinstance(kind, type) and is_dataclass(kind) and hasattr(kind, "run")):
        raise ScenarioError(
            f"{place}: {name!r} is no pattern: it must be a dataclass with an async method `run(task, team)`"
        )
    found: Any = kind
    return cast("type[Pattern]", found)


def _patterns(data: dict[str, Any]) -> Iterator[tuple[Path_, dict[str, Any]]]:
    """The mappings that hold a pattern, from the outside in: the file, teams under `agents`, and those within patterns."""
    agents = data.get("agents")
    tops: list[tuple[Path_, Any]] = [((), data)]
    if isinstance(agents, dict):
        tops += [(("agents", name), part) for name, part in agents.items()]
    for path, part in tops:
        if isinstance(part, dict) and isinstance(part.get("pattern"), dict):
            yield path, part
            yield from _inside(part["pattern"], (*path, "pattern"))


def _entries(data: dict[str, Any]) -> list[tuple[Path_, dict[str, Any]]]:
    """The entries under `bakeoff`: each a pattern, or what stands in one."""
    entries = data.get("bakeoff")
    found = entries.items() if isinstance(entries, dict) else ()
    return [(("bakeoff", name), entry) for name, entry in found if isinstance(entry, dict)]


def _inside(part: Any, path: Path_) -> Iterator[tuple[Path_, dict[str, Any]]]:  # noqa: ANN401 - a YAML value
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), dict) and part.keys() <= _KEYS:
            yield path, part
        for key, inner in part.items():
            yield from _inside(inner, (*path, key))
    elif isinstance(part, list):
        for place, inner in enumerate(part):
            yield from _inside(inner, (*path, place))


def _is_inner(path: Path_) -> bool:
    return bool(path) and not (len(path) == 2 and path[0] == "agents")


def _at(data: Any, path: Path_) -> Any:  # noqa: ANN401 - a YAML value
    for step in path:
        data = data[step]
    return data
