"""Tests of somebody's program that keeps state in its modules: each begins with what was there before the first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]

INI = """
[pytest]
addopts = -p no:cacheprovider
asyncio_default_fixture_loop_scope = function
"""
LIMITS = """
import asyncio, functools, logging

log = logging.getLogger(__name__)
TIMES, CACHE, HISTORY = [], {}, []
SLOTS = asyncio.Semaphore(2)
_client = None


@functools.lru_cache
def settings():
    return {"retries": 1}


async def limited(ask, text):
    global _client
    first, _client = _client is None, object()
    log.warning("asking")
    settings()["retries"] += 1
    HISTORY.append(text)
    async with SLOTS:
        await asyncio.sleep(len(TIMES))
        TIMES.append(1)
        CACHE[text] = await ask(text)
    return first, len(TIMES), len(CACHE), settings()["retries"], len(HISTORY)
"""

TESTS = """
import limits
from limits import HISTORY, limited

async def both():
    return [await limited(ask, "a"), await limited(ask, "b")]

WANTED = [(True, 1, 1, 2, 1), (False, 2, 2, 3, 2)]

@pytest.mark.sim(runs=3)
def test_runs(sim):
    sim.agent("one", latency_s=1.0)
    run = sim.run(both)
    assert run.output == WANTED
    assert run.latency_s == 3.0
    assert HISTORY == ["a", "b"]
    assert limits.HISTORY is HISTORY

def test_rerun(sim):
    run = sim.run(both)
    assert run.output == WANTED
    run.assert_survives("overloaded", call=1, attempt=1)
    assert HISTORY == ["a", "b"]

async def test_async(sim):
    assert await both() == WANTED

def test_fixture(sim, caplog, monkeypatch):
    monkeypatch.setitem(limits.CACHE, "b", "known")
    HISTORY.append("by a test")
    assert sim.run(both).output == [(True, 1, 2, 2, 2), (False, 2, 2, 3, 3)]
    assert caplog.messages == ["asking", "asking"]
    HISTORY.remove("by a test")

SEEN = []

@pytest.mark.sim(runs=2)
def test_state_of_the_tests_is_theirs(sim):
    async def main():
        SEEN.append(sim.seed)
        await ask("a")
    sim.run(main)
    assert SEEN == list(range(1, sim.seed + 1))

def test_without_sim():
    assert (HISTORY, limits.TIMES, limits.CACHE, limits.settings()) == ([], [], {}, {"retries": 1})
    limits.settings.cache_clear()
"""


@pytest.mark.parametrize("options", [(), ("--import-mode=importlib",), ("--assert=plain",)])
def test_each_test_begins_with_the_same_state(
    project: Project, pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    pytester.makepyfile(limits=LIMITS)
    pytester.makeini(INI + "pythonpath = .\n")
    project(TESTS, *options).assert_outcomes(passed=9)


def test_what_cannot_be_put_back_is_a_warning(project: Project, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        limits="import queue\nTIMES = queue.SimpleQueue()\ndef main():\n    for n in range(10): TIMES.put(n)\n"
    )
    tests = (
        "import limits\n@pytest.mark.sim(runs=2)\ndef test_it(sim):\n    {}sim.run(limits.main)\n"
    )
    warned = project(tests.format(""), "-Wdefault")
    warned.assert_outcomes(passed=2, warnings=1)
    warned.stdout.fnmatch_lines(["*limits.TIMES grew from 0 to 10 items between seed 1 and 2*"])
    project(tests.format("sim.fresh('limits'); ")).assert_outcomes(passed=2)


KEPT = """
import random, time
RNG = random.Random()

def clock():
    now = time.time
    while True:
        yield now()

CLOCK = clock()

def main():
    time.sleep(5)
    return next(CLOCK), RNG.random()
"""


def test_stand_ins_before_collection_reach_what_no_search_does(
    project: Project, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(kept=KEPT)
    tests = """
import kept, random, time

@pytest.mark.sim(seed=7)
def test_kept(sim):
    at, value = sim.run(kept.main).output
    assert at == 1767225605.0
    print("value", value)

def test_real():
    assert next(kept.CLOCK) > 1767225605.0 + 1000
    assert type(time.time()) is float
"""
    pytester.makeini(INI + "sim_patch_early = true\n")
    values = []
    for _ in range(2):
        result = project(tests, "-s")
        result.assert_outcomes(passed=2)
        values += [line[line.index("value") :] for line in result.outlines if "value" in line]
    assert len(values) == 2
    assert values[0] == values[1]


@pytest.mark.parametrize("name", ["desk-in-a-wheel", "another"])
def test_the_project_itself_may_be_installed(
    project: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    there = pytester.mkdir("site-packages")
    there.joinpath("desk_in_a_wheel.py").write_text(
        "SEEN = []\ndef main(): SEEN.append(1)", "utf-8"
    )
    about = there / "desk_in_a_wheel-1.dist-info"
    about.mkdir()
    about.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: desk-in-a-wheel\nVersion: 1\n", "utf-8")  # fmt: skip
    about.joinpath("RECORD").write_text("desk_in_a_wheel.py,,\n", "utf-8")
    pytester.makepyprojecttoml(f'[project]\nname = "{name}"\n')
    monkeypatch.syspath_prepend(there)
    result = project(
        "import desk_in_a_wheel as desk\n"
        "@pytest.mark.sim(runs=3)\ndef test_it(sim):\n    sim.run(desk.main)\n    assert desk.SEEN == [1]\n"
    )
    if name == "another":
        result.assert_outcomes(passed=1, failed=2)
    else:
        result.assert_outcomes(passed=3)
