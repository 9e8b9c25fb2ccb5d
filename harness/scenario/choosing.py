"""Which of the entries under `bakeoff` a file is simulated with: the one that `pattern` names, or the first."""

from __future__ import annotations

import glob
from typing import Any

from harness.apis import AGENT_HEADER, vendor_of
from harness.errors import ScenarioError
from harness.patterns import PATTERNS
from harness.scenario.contestants import is_program
from harness.scenario.problems import allowed, nearest
from harness.scenario.schema import DEFAULT_HORIZON_S, WireAgentSpec
from harness.scenario.yaml_file import Document

_OF_PATTERNS = ("pattern", "bakeoff", "policies", "tools")
"""What a program brings along itself."""

_API = "anthropic"
"""What a provider speaks whose name is none of a known one."""


def choose(document: Document) -> bool:
    """Put the chosen entry in place, as if the file said nothing else.

    A `target` beside `bakeoff`, or as an override of a file with a pattern, is that program with the file's agents around it.

    Returns:
        Whether what is wrong with the pattern is wrong under `bakeoff`.

    Raises:
        ScenarioError: `pattern` names no entry.
    """
    data = document.data
    entries = data.get("bakeoff")
    has_entries = isinstance(entries, dict) and bool(entries)
    if "target" in data and (has_entries or ("target",) in document.overrides):
        if "pattern" in data or has_entries:
            _make_program(data, {"target": data["target"]})
        return False
    if not has_entries:
        # What is wrong with the section is said there; without any, a pattern is missing.
        return "bakeoff" in data and not isinstance(data.get("pattern"), dict)
    name = data.get("pattern", next(iter(entries)))
    if not isinstance(name, str):
        return False
    if name not in entries:
        known = nearest(name, entries) or allowed(entries)
        raise ScenarioError(
            f"{document.place(('pattern',))}: pattern: there is no {name!r} under bakeoff{known}"
        )
    entry = entries[name]
    if name not in PATTERNS and is_program(entry):
        _make_program(data, entry)
        return False
    data["pattern"] = {name: entry} if name in PATTERNS else entry
    return True


def _make_program(data: dict[str, Any], program: dict[str, Any]) -> None:
    """Turn what a file says of a pattern into what it would say of a program with the same agents."""
    for key in _OF_PATTERNS:
        data.pop(key, None)
    data.update(program)
    data.setdefault("horizon_s", DEFAULT_HORIZON_S)
    if isinstance(agents := data.get("agents"), dict):
        data["agents"] = {name: _wired(name, part) for name, part in agents.items()}
    if isinstance(providers := data.get("providers"), dict):
        data["providers"] = {
            name: {"api": _API, **part}
            if isinstance(part, dict) and vendor_of(name) is None
            else part
            for name, part in providers.items()
        }


def _wired(name: str, part: Any) -> Any:  # noqa: ANN401 - a YAML value
    """An agent of a pattern, as one of a program: known by its system prompt, or by the header that names it."""
    if not isinstance(part, dict):
        return part
    system = part.get("system")
    match = {"system": glob.escape(system)} if system else {"headers": {AGENT_HEADER: name}}
    return {
        "match": match,
        **{key: value for key, value in part.items() if key in WireAgentSpec.model_fields},
    }
