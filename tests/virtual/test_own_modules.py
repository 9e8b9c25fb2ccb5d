"""A program that is installed as a wheel is the program, and no library."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import Simulation
from harness.virtual.own_modules import count_as_own, own_modules

PROGRAM = """\
import asyncio
from {name}.state import SEEN

async def main(question):
    SEEN.append(1)
    await asyncio.sleep(len(SEEN))
"""

SCENARIO = """\
scenario: installed
workload: {tasks: 2, arrivals: {every_s: 10}}
target: NAME.main:main
"""


def installed(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, *more: str) -> Path:
    """Install a package that keeps something in a module."""
    place = folder / "site-packages"
    package = place / name
    package.mkdir(parents=True)
    for file, text in {"__init__": "", "state": "SEEN = []", "main": PROGRAM}.items():
        (package / f"{file}.py").write_text(text.replace("{name}", name), encoding="utf-8")
    for file in more:
        (package / file).touch()
    monkeypatch.syspath_prepend(place)
    return package


def latencies_s(file: Path, seed: int) -> list[float]:
    spans = Simulation(file).run(seed).spans
    return sorted(
        end_s - start_s
        for kind, start_s, end_s in spans.rows("kind", "start_s", "end_s")
        if kind == "task"
    )


def test_each_run_of_an_installed_program_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, tmp_path, "desk_from_a_wheel")
    file = tmp_path / "s.yaml"
    file.write_text(SCENARIO.replace("NAME", "desk_from_a_wheel"), encoding="utf-8")
    assert [latencies_s(file, seed) for seed in (1, 2, 1)] == [[1.0, 2.0]] * 3


def test_a_change_of_any_module_of_an_installed_program_makes_it_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = installed(monkeypatch, tmp_path, "desk_of_versions")
    file = tmp_path / "s.yaml"
    file.write_text(SCENARIO.replace("NAME", "desk_of_versions"), encoding="utf-8")
    before = Simulation(file).scenario.digest
    assert Simulation(file).scenario.digest == before
    (package / "state.py").write_text("SEEN = [0]", encoding="utf-8")
    assert Simulation(file).scenario.digest != before


def test_a_compiled_package_and_the_standard_library_stay_libraries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, tmp_path, "compiled_desk", "fast.abi3.so")
    import compiled_desk.state  # type: ignore[import-not-found]  # made by this test

    assert compiled_desk.state.SEEN == []
    for name in ("compiled_desk.state", "json", "nowhere", "harness"):
        count_as_own(name)
    own = own_modules()
    assert not {"compiled_desk", "compiled_desk.state", "json", "harness"} & set(own)
