"""A run begins with the modules of the program as they were before the runs that came first."""

from __future__ import annotations

import importlib
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.rollback.reach import Reach
from harness.sim import Sim
from harness.sim.undo import StateNotRestored, state_taken_back, undo

Program = Callable[..., Any]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """`program(text)` is a module of somebody's program with that text; more modules are named arguments."""
    monkeypatch.syspath_prepend(tmp_path)
    names = []

    def make(text: str, **others: str) -> Any:  # noqa: ANN401 - a module
        for name, source in {**others, "prog": text}.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
            names.append(name)
        importlib.invalidate_caches()
        return importlib.import_module("prog")

    with state_taken_back(frozenset()):
        yield make
    for name in names:
        module: Any = sys.modules.pop(name, None)
        for each in ("DB", "OTHER"):
            if hasattr(module, each):
                getattr(module, each).close()


STATE = {
    "a list": ("THING = []", "THING.append(1); return len(THING)"),
    "a dictionary": ("THING = {'a': 1}", "THING['b'] = THING.pop('a') + len(THING); return list(THING.items())"),
    "a set": ("THING = set()", "THING.add(len(THING)); return sorted(THING)"),
    "a deque": ("import collections\nTHING = collections.deque([1, 2], maxlen=2)", "THING.append(3); return list(THING)"),
    "an ordered dictionary": (
        "import collections\nTHING = collections.OrderedDict(a=1, b=2)",
        "THING.move_to_end(next(iter(THING))); return list(THING)",
    ),
    "a default dictionary": (
        "import collections\nTHING = collections.defaultdict(list)",
        "THING['x'].append(1); return dict(THING)",
    ),
    "a counter": ("import collections\nTHING = collections.Counter()", "THING['x'] += 1; return THING['x']"),
    "bytes": ("THING = bytearray()", "THING.extend(b'a'); return bytes(THING)"),
    "an array": ("import array\nTHING = array.array('d')", "THING.append(1.0); return list(THING)"),
    "numpy's array": ("import numpy\nTHING = numpy.zeros(2)", "THING[0] += 1; return list(THING)"),
    "numpy's generator": ("import numpy\nTHING = numpy.random.default_rng(3)", "return THING.random()"),
    "a global": ("THING = 0", "global THING; THING += 1; return THING"),
    "a new global": ("", "global THING; fresh = 'THING' not in globals(); THING = 1; return fresh"),
    "a class": (
        "class Tool:\n    used = 0\n    log = []",
        "Tool.used += 1; Tool.log.append(1); return Tool.used, len(Tool.log)",
    ),
    "an instance": (
        "class Tool: pass\nTOOL = Tool()",
        "TOOL.used = getattr(TOOL, 'used', 0) + 1; return TOOL.used",
    ),
    "slots": (
        "import dataclasses\n@dataclasses.dataclass(slots=True, frozen=True)\nclass Tool:\n    log: list\nTOOL = Tool([])",
        "TOOL.log.append(1); object.__setattr__(TOOL, 'log', [*TOOL.log]); return len(TOOL.log)",
    ),
    "a pydantic model": (
        "import pydantic\nclass Tool(pydantic.BaseModel):\n    used: int = 0\n    _n: int = pydantic.PrivateAttr(0)\nTOOL = Tool()",
        "TOOL.used += 1; TOOL._n += 1; return TOOL.used, TOOL._n, TOOL.model_fields_set",
    ),
    "a closure": (
        "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n        return n\n    return up\nup = make()",
        "return up()",
    ),
    "a default argument": (
        "def add(seen=[], *, more={}):\n    seen.append(1)\n    more[len(more)] = 1\n    return len(seen), len(more)",
        "return add()",
    ),
    "a cold cache": (
        "import functools\nUSED = []\n@functools.lru_cache\ndef slow(x):\n    USED.append(x)\n    return x",
        "slow(1); return len(USED)",
    ),
    "a warm cache": (
        "import functools\nUSED = []\n@functools.lru_cache(maxsize=2, typed=True)\ndef slow(x, *, by=1): USED.append(x); return [x]\nWARM = slow('warm', by=2)",
        "slow(1); return len(USED), slow('warm', by=2) is WARM, slow.cache_info().currsize",
    ),
    "a counter of ids": ("import itertools\nIDS = itertools.count(1)", "return next(IDS)"),
    "a kept next": ("import itertools\nnext_id = itertools.count(1).__next__", "return next_id()"),
    "a round robin": ("import itertools\nKEYS = itertools.cycle('abc')\nnext(KEYS)", "return next(KEYS)"),
    "an iterator": ("REPLIES = iter(['a', 'b'])", "return next(REPLIES)"),
    "a generator of random values": ("import random\nRNG = random.Random()", "return RNG.random()"),
    "a semaphore": (
        "import asyncio\nSLOTS = asyncio.Semaphore(1)",
        "import asyncio\n    async def hold():\n        await SLOTS.acquire()\n    asyncio.run(hold()); return SLOTS.locked()",
    ),
    "a lock of a closed loop": (
        "import asyncio\nLOCK = asyncio.Lock()",
        "import asyncio\n    async def one():\n        async with LOCK: await asyncio.sleep(1)\n    async def both(): await asyncio.gather(one(), one())\n    asyncio.run(both()); return True",
    ),
    "a queue": ("import asyncio\nQUEUE = asyncio.Queue()", "QUEUE.put_nowait(1); return QUEUE.qsize()"),
    "weak references": (
        "import weakref\nclass Key: pass\nKEY = Key()\nNOTES = weakref.WeakKeyDictionary()",
        "NOTES[KEY] = NOTES.get(KEY, 0) + 1; return NOTES[KEY]",
    ),
    "a context variable": (
        "import contextvars\nVAR = contextvars.ContextVar('VAR')\nVAR.set(1)",
        "VAR.set(VAR.get() + 1); return VAR.get()",
    ),
    "a partial": (
        "import functools\ndef add(to): to.append(1); return len(to)\nadd_one = functools.partial(add, [])",
        "return add_one()",
    ),
    "the first attribute of a function": (
        "def tool(): pass",
        "tool.used = getattr(tool, 'used', 0) + 1; return tool.used",
    ),
    "the first attribute of a method": (
        "class Tool:\n    def use(self): pass",
        "Tool.use.log = [*getattr(Tool.use, 'log', []), 1]; return len(Tool.use.log)",
    ),
    "a list in a tuple": ("PAIR = ([], 1)", "PAIR[0].append(1); return len(PAIR[0])"),
    "what a library holds": (
        "import types\nAPP = types.SimpleNamespace(cache={})",
        "APP.cache[len(APP.cache)] = 1; APP.more = len(APP.cache); return vars(APP)",
    ),
    "a database in memory": (
        "import sqlite3\nDB = sqlite3.connect(':memory:')\nDB.execute('create table t (x)')\nDB.commit()",
        "DB.execute('insert into t values (1)'); DB.commit(); return DB.execute('select count(*), max(rowid) from t').fetchall()",
    ),
    "a database without a table": (
        "import sqlite3\nDB = sqlite3.connect(':memory:')",
        "DB.execute('create table t (x)'); return DB.execute('select name from sqlite_master').fetchall()",
    ),
    "a database with a change that is not committed": (
        "import sqlite3\nDB = sqlite3.connect(':memory:', check_same_thread=False)\nDB.execute('create table t (x)')",
        "DB.execute('insert into t values (1)'); return DB.execute('select count(*) from t').fetchall()",
    ),
    "a database behind an object and a cursor": (
        ("import sqlite3\nclass Memory:\n    def __init__(self):\n        self.cursor = sqlite3.connect(':memory:').cursor()\n"
        "        self.cursor.execute('create table t (x)')\nMEMORY = Memory()"),
        "MEMORY.cursor.execute('insert into t values (1)'); return MEMORY.cursor.execute('select count(*) from t').fetchall()",
    ),
    "a database of two connections": (
        ("import sqlite3\nDB, OTHER = (sqlite3.connect('file:prog?mode=memory&cache=shared', uri=True) for _ in range(2))\n"
        "DB.execute('create table t (x)')\nDB.commit()"),
        "DB.execute('insert into t values (1)'); DB.commit(); return OTHER.execute('select count(*) from t').fetchall()",
    ),
    "a module that the run imports": ("", "import part; part.SEEN.append(1); return len(part.SEEN)"),
}  # fmt: skip


@pytest.mark.parametrize("kind", STATE)
def test_state_of_a_module_is_the_same_for_each_run(program: Program, kind: str) -> None:
    before, body = STATE[kind]
    module = program(f"{before}\ndef main():\n    {body}\n", part="SEEN = []")
    sim = Sim(1)
    first, second, third = (repr(sim.run(module.main).output) for _ in range(3))
    assert (second, third) == (first, first)


def test_identities_are_kept(program: Program) -> None:
    module = program("LOG = [[]]\ndef main(): LOG[0].append(1); LOG.append([])")
    log, inner = module.LOG, module.LOG[0]
    Sim(1).run(module.main)
    undo.take_back()
    assert module.LOG is log
    assert log == [[]]
    assert log[0] is inner


def test_a_test_looks_at_what_the_run_left_behind(program: Program) -> None:
    module = program(
        "HISTORY = []\nNEXT = 0\ndef main():\n    global NEXT\n    HISTORY.append('a'); NEXT += 1"
    )
    sim = Sim(1)
    for _ in range(2):
        sim.run(module.main)
        assert (module.HISTORY, module.NEXT) == (["a"], 1)


def test_what_a_test_changes_between_two_runs_stays(program: Program) -> None:
    module = program(
        "LOG, CONFIG, TAGS, MODE = [], {'a': 1, 'b': 2}, {'x'}, 'slow'\n"
        "def main():\n"
        "    LOG.append('run'); CONFIG['run'] = 1; del CONFIG['a']; TAGS.add('run')\n"
        "    return list(LOG), dict(CONFIG), sorted(TAGS), MODE\n"
    )
    sim = Sim(1)
    sim.run(module.main)
    module.LOG.append("test")
    module.CONFIG["test"] = 3
    del module.CONFIG["b"]
    module.TAGS.add("test")
    module.MODE = "fast"
    assert sim.run(module.main).output == (
        ["test", "run"],
        {"test": 3, "run": 1},
        ["run", "test", "x"],
        "fast",
    )


def test_modules_in_which_nothing_changes_are_walked_through_once(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = program("SEEN, KEPT = [], [[]]\ndef run():\n    SEEN.append(1)\n    return len(SEEN)")
    walked: list[set[str]] = []
    walk = Reach.__init__

    def counted(self: Reach, modules: Any, *args: Any) -> None:  # noqa: ANN401 - as it is
        walked.append(set(modules))
        walk(self, modules, *args)

    monkeypatch.setattr(Reach, "__init__", counted)
    sim = Sim()
    assert [sim.run(module.run).output for _ in range(3)] == [1, 1, 1]
    assert sum("prog" in modules for modules in walked) == 1
    module.KEPT.append([])
    sim.run(module.run)
    assert sum("prog" in modules for modules in walked) == 2


def test_what_a_test_adds_between_two_runs_is_restored_after_the_next(program: Program) -> None:
    module = program(
        "THINGS = []\ndef run():\n    for thing in THINGS: thing.append(1)\n    return [len(thing) for thing in THINGS]"
    )
    sim = Sim()
    assert sim.run(module.run).output == []
    module.THINGS.append([])
    assert [sim.run(module.run).output for _ in range(3)] == [[1], [1], [1]]


def test_rerun_under_a_fault_finds_what_the_run_found(program: Program) -> None:
    module = program(
        "import anthropic\nNOTES = []\n"
        "async def main(seen):\n"
        "    NOTES.append(1); seen.append(1)\n"
        "    client = anthropic.AsyncAnthropic(max_retries=2)\n"
        "    await client.messages.create(model='claude-sonnet-5', max_tokens=9, messages=[{'role': 'user', 'content': 'hi'}])\n"
        "    assert (len(NOTES), len(seen)) == (1, 1)\n"
    )
    seen: list[int] = []
    sim = Sim(1)
    run = sim.run(module.main, seen)
    run.assert_survives("overloaded", call=1, attempt=1)
    assert (module.NOTES, seen) == ([1], [1])
    run.assert_survives("overloaded", call=1, attempt=1)
    sim.run(module.main, [])
    assert module.NOTES == [1]


def test_what_was_done_to_a_mock_and_to_a_logger_stays(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    from unittest.mock import Mock

    module = program(
        "import logging\nlog = logging.getLogger('prog')\ndef send(text): ...\n"
        "def main(): log.warning('sent'); send('a')\n"
    )
    module.send = Mock()
    sim = Sim(1)
    for _ in range(2):
        sim.run(module.main)
    undo.take_back()
    assert module.send.call_count == 2
    assert caplog.messages == ["sent", "sent"]


def test_module_that_a_run_imports_can_be_looked_at_and_is_imported_anew(program: Program) -> None:
    module = program("def main():\n    import part\n    part.SEEN.append(1)", part="SEEN = []")
    sim = Sim(1)
    sim.run(module.main)
    assert sys.modules["part"].SEEN == [1]
    undo.take_back()
    assert "part" not in sys.modules


OPAQUE = {
    "a database in memory that is read while it is put back": (
        "import sqlite3\nDB = sqlite3.connect(':memory:')\nDB.execute('create table t (x)')\nDB.commit()",
        ("global ROWS; DB.executemany('insert into t values (?)', [(n,) for n in range(9)]); DB.commit(); "
        "ROWS = DB.execute('select * from t'); ROWS.fetchone()"),
        "prog.DB changed between seed 1 and 2",
    ),
    "a queue in C": (
        "import queue\nTIMES = queue.SimpleQueue()",
        "for n in range(10): TIMES.put(n)",
        "prog.TIMES grew from 0 to 10 items between seed 1 and 2",
    ),
    "a generator": ("def f():\n    while True: yield\nGEN = f()", "next(GEN)", "prog.GEN changed between seed 1 and 2"),
    "a database in a file": (
        "import sqlite3\nDB = sqlite3.connect(__file__ + '.db')\nDB.execute('create table t (x)')",
        "DB.execute('insert into t values (1)'); DB.commit()",
        "prog.DB changed between seed 1 and 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", OPAQUE)
def test_what_cannot_be_put_back_is_named_when_the_next_run_begins(
    program: Program, kind: str
) -> None:
    before, body, message = OPAQUE[kind]
    module = program(f"{before}\ndef main():\n    {body}\n")
    Sim(1).run(module.main)
    with pytest.warns(StateNotRestored, match=message) as caught:
        Sim(2).run(module.main)
    assert "sim.fresh('prog')" in str(caught[0].message)


@pytest.mark.parametrize("kind", OPAQUE)
def test_opaque_things_that_do_not_change_are_not_spoken_of(program: Program, kind: str) -> None:
    module = program(
        f"{OPAQUE[kind][0]}\nimport threading\nLOCK = threading.Lock()\ndef main(): ..."
    )
    with warnings.catch_warnings(action="error"):
        Sim(1).run(module.main)
        Sim(2).run(module.main)


def test_fresh_module_is_imported_anew_for_each_run(program: Program) -> None:
    module = program(
        "import limits\nfrom limits import COUNTS, Limiter\n"
        "LIMITER = Limiter\n"
        "def main(hold=Limiter):\n"
        "    next(COUNTS); assert limits.COUNTS is COUNTS and LIMITER is Limiter is limits.Limiter is hold\n"
        "    return next(COUNTS), Limiter.at",
        limits="import time\nclass Limiter:\n    at = time.time()\ndef f():\n    n = 0\n    while True:\n"
        "        yield n\n        n += 1\nCOUNTS = f()",
    )
    old = sys.modules["limits"], module.COUNTS, module.Limiter
    sim = Sim(1)
    sim.fresh("limits")
    with warnings.catch_warnings(action="error"):
        assert [sim.run(module.main).output for _ in range(3)] == [(1, 1_767_225_600.0)] * 3
    assert next(module.COUNTS) == 2  # what the run left behind
    undo.take_back()
    assert (sys.modules["limits"], module.COUNTS, module.Limiter, module.LIMITER) == (*old, old[2])


def test_fresh_program_runs_in_its_new_module(program: Program) -> None:
    module = program("SEEN = (n for n in range(9))\nasync def main(): return next(SEEN)")
    sim = Sim(1)
    sim.fresh("prog")
    assert [sim.run(module.main).output for _ in range(2)] == [0, 0]
    with pytest.raises(HarnessError, match=r"give sim\.run the function"):
        sim.run(module.main())


def test_fresh_module_that_is_not_there_is_refused() -> None:
    with pytest.raises(HarnessError, match=r"no module 'no_such\.module'"):
        Sim(1).fresh("no_such.module")
