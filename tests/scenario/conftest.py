"""How tests say where a problem is to be reported: by the mark ¦, which is no part of the file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

MARK = "¦"
STORE = "runs.duckdb"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_STORE", STORE)


@pytest.fixture
def written() -> Callable[[str, str], str]:
    """Write a marked text into a file without its marks, and give the text back."""

    def write(file: str, marked: str) -> str:
        Path(file).write_text(marked.replace(MARK, ""), encoding="utf-8")
        return marked

    return write


@pytest.fixture
def check_refused() -> Callable[..., None]:
    """Check that a file was refused before anything ran, with one problem at each mark, in order."""

    def check(result: CompletedProcess[str], file: str, marked: str, *says: str) -> None:
        assert (result.returncode, result.stdout) == (2, ""), result.stderr
        assert "Traceback" not in result.stderr
        told = problems(result.stderr)
        expected = list(zip(places(marked), says, strict=True))
        assert len(told) == len(expected), result.stderr
        for problem, ((line, column), text) in zip(told, expected, strict=True):
            place = f"{file}:{line}:{column}: "
            assert problem.startswith(place), f"{problem!r} is told at {place}"
            assert text in problem
        assert not Path(STORE).exists(), "nothing ran, so nothing is kept"

    return check


@pytest.fixture
def told() -> Callable[[CompletedProcess[str]], list[str]]:
    """The problems of one message, without the lines of advice."""
    return lambda result: problems(result.stderr)


def problems(stderr: str) -> list[str]:
    assert stderr.startswith("error: ")
    assert len(re.findall("^error: ", stderr, flags=re.MULTILINE)) == 1, "one message"
    lines = stderr.removeprefix("error: ").rstrip("\n").split("\n")
    return [line for line in lines if not line.startswith("  ")]


def places(marked: str) -> list[tuple[int, int]]:
    """Line and column of each mark, as if the marks were not there."""
    found: list[tuple[int, int]] = []
    for number, line in enumerate(marked.split("\n"), 1):
        parts = line.split(MARK)
        found += [(number, len("".join(parts[: index + 1])) + 1) for index in range(len(parts) - 1)]
    return found
