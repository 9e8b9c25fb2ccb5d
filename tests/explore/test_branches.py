# ruff: noqa: ANN401 - a module that a test has written
"""A search says which except-branches no run came to, and which faults no call could meet."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.explore.branches import IS_KNOWN, handlers_of, in_words
from harness.sim import Sim
from tests.explore.planted import ALL

APP = """\
import anthropic

async def ask():
    client = anthropic.AsyncAnthropic(api_key="test", max_retries=0)
    try:
        answer = await client.messages.create(
            model="claude-haiku-4-5", max_tokens=50, messages=[{"role": "user", "content": "Go."}]
        )
    except anthropic.APIStatusError:
        return "refused"
    except ValueError:
        return "damaged"
    except KeyError: return "one line"
    except LookupError:
        return "never"
    try:
        return answer.content[0].text
    except IndexError:
        return "empty"

async def unused():
    try:
        await ask()
    except OSError:
        return "never called"
"""


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (tmp_path / "branching_app.py").write_text(APP)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield importlib.import_module("branching_app")
    del sys.modules["branching_app"]


def test_the_branches_of_a_file_are_known_with_their_functions(app: Any) -> None:
    assert handlers_of(app.__file__) == ((3, 10), (3, 12), (3, 15), (3, 19), (21, 25))


@pytest.mark.skipif(not IS_KNOWN, reason="Python tells which lines run from 3.12 on")
@pytest.mark.parametrize("jobs", [1, 2])
def test_branches_that_no_run_came_to_are_named(app: Any, jobs: int) -> None:
    sim = Sim(1)
    sim.agent("x", reply="done")
    faults = ["overloaded", "truncated"]
    coverage = sim.explore(app.ask, runs=30, faults=faults, jobs=jobs).coverage
    assert coverage.branches == ("branching_app.py:12", "branching_app.py:15")
    assert "except-branches never run: branching_app.py:12, branching_app.py:15" in str(coverage)


@pytest.mark.skipif(IS_KNOWN, reason="Python tells which lines run from 3.12 on")
def test_without_such_a_python_it_is_said(app: Any) -> None:
    sim = Sim(1)
    sim.agent("x", reply="done")
    assert "known on Python 3.12 and later" in str(sim.explore(app.ask, runs=1).coverage)


def test_many_branches_are_counted() -> None:
    assert in_words(f"a.py:{line}" for line in range(14)).endswith("a.py:11 and 2 more")


def test_faults_that_no_call_could_meet_are_named_with_their_reason() -> None:
    found = next(one for one in ALL if one.name == "late draft").explore(runs=1)
    assert found.coverage.impossible["stall"] == "no call is streamed"
    assert "since no call is streamed: stall, cut_stream, error_event" in str(found.coverage)
    assert "no messages between members of a pattern" in str(found.coverage)
