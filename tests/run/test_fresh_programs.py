"""A program that a scenario names is imported anew for each run: no run sees what another has changed in its modules.

The programs tell a number by sleeping for so many seconds, so that it is the latency of their task.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from harness import wall
from harness.errors import HarnessError, ScenarioError
from harness.run import Simulation, processes, simulate_many
from harness.scenario import load_scenario
from harness.spans import TASK, as_json_lines
from harness.virtual import patching

WriteProgram = Callable[..., Path]


def told(file: Path, seed: int = 1) -> list[float]:
    """What the tasks of a run told [s]."""
    rows = Simulation(file).run(seed).spans.rows("task", "kind", "status", "start_s", "end_s")
    tasks = sorted(row for row in rows if row[1] == TASK)
    assert {row[2] for row in tasks} == {"ok"}
    return [end_s - start_s for _, _, _, start_s, end_s in tasks]


def telling(expression: str, before: str = "") -> str:
    """A program that tells the value of an expression."""
    return f"import asyncio\n{before}\nasync def main(question):\n    await asyncio.sleep({expression})\n"


STATES = {
    "a limiter": telling(
        "turn()",
        "free_at = 0.0\ndef turn():\n    global free_at\n    free_at += 1\n    return free_at",
    ),
    "a list": telling("len([SEEN.append(1), *SEEN])", "SEEN = []"),
    "a cache": telling(
        "slow.cache_info().misses + 0 * slow(1) + slow.cache_info().misses",
        "import functools\n@functools.lru_cache\ndef slow(x): return x",
    ),
    "a closure": telling(
        "up()",
        "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n    return up\nup = make()",
    ),
    "a default": telling(
        "count()", "def count(seen=[]):\n    seen.append(1)\n    return len(seen)"
    ),
    "an attribute of a class": telling(
        "Tool().use()",
        "class Tool:\n    used = 0\n    def use(self):\n        Tool.used += 1\n        return Tool.used",
    ),
    "a generator": telling("next(NUMBERS)", "NUMBERS = (n for n in range(1, 100))"),
    "a counter": telling("next(NUMBERS)", "import itertools\nNUMBERS = itertools.count(1)"),
    "a database": telling(
        "count()",
        "import sqlite3\nDB = sqlite3.connect(':memory:')\nDB.execute('create table t (n)')\n"
        "def count():\n    DB.execute('insert into t values (1)')\n    return DB.execute('select count(*) from t').fetchone()[0]",
    ),
    "a semaphore": telling(
        "1 + (FREE._value < 1) + 0 * len([FREE.locked(), setattr(FREE, '_value', 0)])",
        "FREE = asyncio.Semaphore(1)",
    ),
    "a context variable": telling(
        "len(SEEN.get()) + 0 * len([SEEN.get().append(1)])",
        "import contextvars\nSEEN = contextvars.ContextVar('seen', default=[0])",
    ),
    "an enumeration that grows": telling(
        "len(Base.__subclasses__())",
        "class Base: pass\nclass One(Base): pass",
    ),
}


@pytest.mark.parametrize("kind", STATES)
def test_what_a_run_leaves_in_its_modules_is_gone_in_the_next(
    program: WriteProgram, kind: str
) -> None:
    file = program(STATES[kind], tasks=3)
    first = told(file)
    assert [told(file, seed) for seed in (2, 3)] == [first, first]


def test_subclasses_of_library_classes_do_not_add_up(program: WriteProgram) -> None:
    file = program(
        telling("sum(c.__name__ == 'Mine' for c in logging.Handler.__subclasses__())",
        "import logging\nclass Mine(logging.Handler): pass")
    )  # fmt: skip
    assert [told(file, seed) for seed in (1, 2, 3)] == [[1.0]] * 3


def test_state_of_packages_and_of_modules_imported_late_is_new(program: WriteProgram) -> None:
    files = {
        "app/__init__": "from .core import main",
        "app/core": "import asyncio\nfrom .state import SEEN\nasync def main(question):\n"
        "    from app import late\n    SEEN.append(1); late.SEEN.append(1)\n"
        "    await asyncio.sleep(len(SEEN) + len(late.SEEN))\n",
        "app/state": "SEEN = []",
        "app/late": "SEEN = []",
    }
    file = program(files, target="app:main", tasks=2)
    assert [told(file, seed) for seed in (1, 2)] == [[2.0, 4.0]] * 2


def test_a_namespace_package_and_a_folder_on_the_path_are_new(
    program: WriteProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "src/team/one": "from team.two import SEEN\n" + telling("len(SEEN)").replace("    await", "    SEEN.append(1)\n    await"),
        "src/team/two": "SEEN = []",
    }  # fmt: skip
    file = program(files, target="team.one:main", tasks=2)
    monkeypatch.syspath_prepend(file.parent / "src")
    assert [told(file, seed) for seed in (1, 2)] == [[1.0, 2.0]] * 2


def test_modules_keep_their_names_so_that_their_objects_are_pickled(program: WriteProgram) -> None:
    file = program(
        "import asyncio, pickle\nclass Note: at = 3\n"
        "async def main(question):\n"
        "    note = pickle.loads(pickle.dumps(Note()))\n"
        "    assert type(note) is Note and __name__ == 'prog'\n"
        "    await asyncio.sleep(note.at)\n"
    )
    assert told(file) == [3.0]


def test_any_number_of_jobs_gives_the_same_bytes(program: WriteProgram) -> None:
    scenario = load_scenario(program(STATES["a limiter"], tasks=3))
    seeds = range(1, 6)
    here = [as_json_lines(run.spans) for run in simulate_many(scenario, seeds)]
    with processes(2) as executor:
        apart = simulate_many(scenario, seeds, executor=executor, jobs=2)
        assert [as_json_lines(run.spans) for run in apart] == here
    with ThreadPoolExecutor(3) as threads:
        beside = simulate_many(scenario, seeds, executor=threads, jobs=3)
        assert [as_json_lines(run.spans) for run in beside] == here


# -- what is put back ---------------------------------------------------------------------------------------------


def test_everything_is_as_before_when_a_run_has_ended(program: WriteProgram) -> None:
    file = program(
        {
            "prog": "import os, sys, helper\nos.environ['FROM_PROGRAM'] = '1'\nsys.path.append('/nowhere')\n"
            "os.chdir('/')\nasync def main(question): os.environ['FROM_TASK'] = '1'",
            "helper": "",
        }
    )
    sys.modules["helper"] = mine = type(sys)("helper")
    mine.__file__ = str(file.with_name("elsewhere.py"))
    try:
        modules, path, environment = dict(sys.modules), sys.path[:], dict(os.environ)
        place = Path.cwd()
        Simulation(file).run_many()
        assert sys.modules["helper"] is mine
        assert not [
            name for name in sys.modules.keys() - modules.keys() if name in ("prog", "helper")
        ]
        assert all(sys.modules[name] is module for name, module in modules.items())
        assert (sys.path, dict(os.environ), Path.cwd()) == (path, environment, place)
    finally:
        del sys.modules["helper"]


def test_a_package_that_stays_gets_its_modules_back(program: WriteProgram) -> None:
    file = program({"email/mine": telling("2")}, target="email.mine:main")
    import email

    email.__path__.append(str(file.parent / "email"))
    try:
        assert told(file) == told(file) == [2.0]
        assert not hasattr(email, "mine")
        import email.mine as before  # type: ignore[import-not-found]  # made by this test

        assert told(file) == [2.0]
        assert email.mine is before
    finally:
        email.__path__.pop()
        sys.modules.pop("email.mine", None)
        vars(email).pop("mine", None)


def test_the_hundredth_run_holds_no_more_than_the_tenth(program: WriteProgram) -> None:
    file = program(
        "from time import time, monotonic, sleep\nfrom random import random\nimport logging\n"
        "class Mine(logging.Handler): pass\nKEPT = [object() for _ in range(1000)]\n"
        "async def main(question): time()"
    )
    simulation = Simulation(file)

    def held() -> tuple[int, int, int]:
        gc.collect()
        return len(gc.get_objects()), len(patching._places), len(patching._looked_at)

    for _ in range(10):
        simulation.run()
    objects, *captures = held()
    for _ in range(90):
        simulation.run()
    more, *kept = held()
    assert kept == captures
    assert more - objects < 90  # fewer than one a run


# -- time and threads at import -----------------------------------------------------------------------------------


def test_time_that_passes_at_import_does_not_count(
    program: WriteProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)  # when it is imported outside of any run
    text = telling("0.5", "import time\nBEGAN = time.monotonic()\nNAP\nREADY = time.monotonic()")
    text += "    assert time.monotonic() >= READY >= BEGAN, (BEGAN, READY)\n"
    waits = program(text.replace("NAP", "time.sleep(0.1); time.sleep(0.2)"), tasks=3)
    does_not = program(text.replace("NAP", ""), tasks=3, folder="other")
    runs = [Simulation(file).run() for file in (waits, does_not)]
    assert as_json_lines(runs[0].spans) == as_json_lines(runs[1].spans)
    assert min(runs[0].spans["arrival_s"]) == 0.0


def test_a_thread_that_is_started_at_import_is_told_by_name(program: WriteProgram) -> None:
    before = threading.enumerate()
    start = "threading.Thread(target=print, name='refresher').start()"
    file = program(f"import threading\n{start}\nasync def main(question): pass")
    with pytest.raises(HarnessError, match=r"started while a module is imported \(refresher\)"):
        Simulation(file).run()
    assert [thread for thread in threading.enumerate() if thread not in before] == []


# -- the right program ----------------------------------------------------------------------------------------------


def test_two_folders_with_programs_of_one_name_run_their_own(program: WriteProgram) -> None:
    one = program(telling("1"), folder="one")
    two = program(telling("2"), folder="two")
    assert [told(file) for file in (one, two, one)] == [[1.0], [2.0], [1.0]]
    assert load_scenario(one).digest != load_scenario(two).digest


def test_several_files_are_validated_each_with_its_own_program(
    program: WriteProgram, harness: Callable[..., CompletedProcess[str]]
) -> None:
    one = program("def first(question): pass", target="prog:first", folder="one")
    two = program("def second(question): pass", target="prog:second", folder="two")
    said = harness("validate", one, two)
    assert (said.returncode, said.stderr) == (0, "")


def test_the_program_beside_the_scenario_comes_before_that_of_the_present_folder(
    program: WriteProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = program(telling("1"))
    tmp_path.joinpath("prog.py").write_text(telling("2"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert told(file) == [1.0]


def test_the_digest_covers_every_own_module_that_is_imported(program: WriteProgram) -> None:
    files = {
        "prog": "import pkg.deep\nasync def main(question): pass",
        "pkg/deep": "N = 1",
        "other": "N = 1",
    }
    digests = [load_scenario(program(files)).digest]
    for name, text in {
        "other": "N = 20",
        "pkg/deep": "N = 300",
        "prog": files["prog"] + "\n",
    }.items():
        digests.append(load_scenario(program({**files, name: text})).digest)
        files[name] = text
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3
    assert load_scenario(program(files, folder="copy")).digest == digests[-1]


def test_stubs_of_a_pattern_are_found_beside_the_scenario_and_new_in_each_run(
    tmp_path: Path,
) -> None:
    texts = []
    for folder in ("one", "two"):
        place = tmp_path / folder
        place.mkdir()
        place.joinpath("answers.py").write_text(
            f"said = []\ndef reply(request):\n    said.append(1)\n    return '{folder} ' * len(said)\n"
        )
        place.joinpath("s.yaml").write_text(
            "scenario: stubs\nworkload: {tasks: 2, arrivals: {every_s: 5}}\n"
            "models: {m: {provider: p, name: claude-haiku-4-5}}\nproviders: {p: {}}\n"
            "agents: {writer: {model: m, stub: 'answers:reply'}}\npattern: {single: {agent: writer}}\n"
        )
        simulation = Simulation(place / "s.yaml")
        runs = [simulation.run(1) for _ in range(2)]
        assert as_json_lines(runs[0].spans) == as_json_lines(runs[1].spans)
        texts.append(simulation.scenario.digest)
    assert texts[0] != texts[1]
    assert "answers" not in sys.modules


def test_a_missing_module_is_told_with_its_name(program: WriteProgram) -> None:
    with pytest.raises(
        ScenarioError, match=r"s\.yaml:4:9: target: .*No module named 'not_here_at_all'"
    ):
        load_scenario(program("import not_here_at_all"))


def test_a_module_that_fails_when_it_is_imported_is_told_with_the_line(
    program: WriteProgram,
) -> None:
    file = program({"prog": "import helper", "helper": "def begin():\n    {}['model']\nbegin()"})
    with pytest.raises(ScenarioError) as told_:
        load_scenario(file)
    assert "KeyError('model')" in str(told_.value)
    assert "helper.py, line 2, in begin: {}['model']" in str(told_.value)


def test_a_program_is_imported_quickly(program: WriteProgram) -> None:
    simulation = Simulation(program("async def main(question): pass"))
    simulation.run()
    began_s = wall.elapsed_s()
    for _ in range(20):
        simulation.run()
    assert (wall.elapsed_s() - began_s) / 20 < 0.25
