"""One seed, one run of a program with real clients: here, in fresh processes, and on other versions of Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PROGRAMS = [Path(__file__).with_name(f"{name}.py") for name in ("busy_program", "busy_threads")]
OTHER_PYTHONS = [path for path in os.environ.get("HARNESS_OTHER_PYTHONS", "").split(":") if path]


@pytest.fixture(params=PROGRAMS, ids=lambda path: path.stem)
def busy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(request.param.parent))
    import importlib

    return importlib.import_module(request.param.stem)


def printed_by(python: str, hash_seed: str, busy: ModuleType) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [python, "-W", "ignore", str(busy.__file__)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_run_is_the_same_twice_and_in_processes_with_other_hash_seeds(busy: ModuleType) -> None:
    first = busy.run()
    assert len(first.calls()) >= 20
    assert first.retries > 0
    assert any(word.startswith("Timeout") or "Error" in word for word in first.output)
    digest = busy.digest(first)
    garbage = [object() for _ in range(10_000)]
    del garbage[::2]
    assert busy.digest(busy.run()) == digest
    assert {printed_by(sys.executable, seed, busy) for seed in ("0", "77")} == {digest}


@pytest.mark.skipif(not OTHER_PYTHONS, reason="HARNESS_OTHER_PYTHONS names no other Python")
@pytest.mark.parametrize("python", OTHER_PYTHONS)
def test_run_is_the_same_on_another_python(python: str, busy: ModuleType) -> None:
    assert printed_by(python, "1", busy) == busy.digest(busy.run())
