"""The scenario that a command is about when it names none."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from harness.errors import HarnessError
from harness.store import Store, queries

SCENARIOS: Final = Path("scenarios")
"""Where scenarios are looked for if no run tells of one."""

_SUFFIXES: Final = (".yaml", ".yml")


def default_scenario(store: Path) -> Path:
    """The scenario that was simulated last, or else the only one in `scenarios`.

    Args:
        store: The DuckDB file with the runs; it need not exist.

    Raises:
        HarnessError: No run is of a scenario file that is there, and `scenarios` holds none or several.
    """
    last = queries.runs(Store(store), last=1) if store.exists() else []
    for run in last:
        file = Path(run["source"] or "")
        if file.suffix in _SUFFIXES and file.is_file():
            return file
    found = sorted(it for it in SCENARIOS.glob("*") if it.suffix in _SUFFIXES)
    if len(found) == 1:
        return found[0]
    why = "several stand" if found else "none stands"
    candidates = "".join(f"\n  {it}" for it in found)
    raise HarnessError(
        f"no scenario is named, the newest run in {store} is of none of the files, and {why} in {SCENARIOS}/{candidates}\n"
        "  How to fix: name one, such as: harness baseline save scenario.yaml"
    )
