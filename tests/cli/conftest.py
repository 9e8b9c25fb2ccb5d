"""Every test of the command line stands in an empty folder with one scenario, `scenario.yaml`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

BASE = Path(__file__).parents[1] / "scenario" / "base.yaml"


@pytest.fixture(autouse=True)
def _beside_a_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_STORE", raising=False)
    shutil.copy(BASE, "scenario.yaml")
