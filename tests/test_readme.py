"""The README's scenario runs, and prints what the README says it prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from harness.cli import run
from harness.sim import Sim

README = Path(__file__).parent.parent / "README.md"


def test_twenty_lines_print_what_the_readme_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = README.read_text(encoding="utf-8")
    (scenario,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    shown = next(
        block
        for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL)
        if "support-desk" in block
    )
    monkeypatch.chdir(tmp_path)
    Path("support.yaml").write_text(scenario, encoding="utf-8")
    assert run(["simulate", "support.yaml"]) == 1
    printed = capsys.readouterr().out
    assert [line.rstrip() for line in printed.splitlines()] == shown.splitlines()


def test_small_model_keeps_the_budget_as_the_readme_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scenario,) = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("support.yaml").write_text(scenario, encoding="utf-8")
    assert run(["simulate", "support.yaml", "--quiet", "--set", "agents.answer.model=fast"]) == 0


def test_program_of_the_readme_passes_its_test() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [block for block in blocks if "def test_" in block]
    names: dict[str, Any] = {}
    exec(compile(block, "README.md", "exec"), names)
    (test,) = [thing for name, thing in names.items() if name.startswith("test_")]
    sim = Sim()
    test(sim)
    sim.check()
