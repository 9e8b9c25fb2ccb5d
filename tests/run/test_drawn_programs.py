"""Programs drawn at random give the same bytes alone, after others, in other processes and beside others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run.drawn_programs import digests, digests_in_processes, write_program

HOUSE = Path(__file__).parents[2]


def digests_of_another_process(files: list[str], hash_seed: str) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.run.drawn_programs", *files],
        cwd=HOUSE,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def check(folder: Path, numbers: range) -> None:
    files = [str(write_program(folder, number)) for number in numbers]
    first = digests(files)
    assert len({digest for both in first.values() for digest in both}) > len(files)
    assert digests(files[::-1]) == first
    alone = files[len(files) // 2]
    assert digests_of_another_process([alone], "7") == {alone: first[alone]}
    assert digests_of_another_process(files[::-1], "99") == first
    assert digests_in_processes(files, jobs=2) == first


def test_drawn_programs_give_the_same_bytes_wherever_they_run(tmp_path: Path) -> None:
    check(tmp_path, range(12))


@pytest.mark.slow
def test_two_hundred_drawn_programs_give_the_same_bytes_wherever_they_run(tmp_path: Path) -> None:
    check(tmp_path, range(12, 212))
