"""Small programs with their scenarios, for tests of scenarios with a `target`."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

_SCENARIO = """\
scenario: program
runs: 3
workload: {tasks: %d, arrivals: %s}
target: %s
"""

WriteProgram = Callable[..., Path]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteProgram:
    """Write files, by name without their suffix, and a scenario beside them; returns the scenario."""
    monkeypatch.chdir(tmp_path)  # where a store is written

    def write(
        files: dict[str, str] | str,
        *,
        folder: str = "program",
        target: str = "prog:main",
        tasks: int = 1,
        arrivals: str = "{every_s: 10}",
        more: str = "",
    ) -> Path:
        place = tmp_path / folder
        for name, text in ({"prog": files} if isinstance(files, str) else files).items():
            file = place / f"{name}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text), encoding="utf-8")
        scenario = place / "s.yaml"
        scenario.write_text(_SCENARIO % (tasks, arrivals, target) + more, encoding="utf-8")
        return scenario

    return write
