"""Wherever a program keeps a clock, a random generator or another source, it is virtual under `target:`.

Its modules are imported inside the world, so that what they keep is what the world has put there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.run import Simulation
from harness.virtual.clocks import EPOCH_S

WriteProgram = Callable[..., Path]

CLOCKS = {
    "a name of its own": ("from time import time as now", "now()"),
    "a default argument": ("def at(clock=time.time): return clock()", "at()"),
    "a default of a keyword": ("def at(*, clock=time.time): return clock()", "at()"),
    "a closure": ("def make(clock):\n    return lambda: clock()\nat = make(time.time)", "at()"),
    "a partial": ("at = functools.partial(time.time)", "at()"),
    "a partial of a call": (
        "at = functools.partial(lambda clock: clock(), time.time)", "at()"),
    "a list": ("CLOCKS = [time.time]", "CLOCKS[0]()"),
    "a tuple": ("CLOCKS = (time.time,)", "CLOCKS[0]()"),
    "a dict": ("CLOCKS = {'wall': time.time}", "CLOCKS['wall']()"),
    "a dict by function": ("CLOCKS = {time.time: 'wall'}", "next(iter(CLOCKS))()"),
    "a frozen set": ("CLOCKS = frozenset([time.time])", "next(iter(CLOCKS))()"),
    "a read-only mapping": (
        "import types\nCLOCKS = types.MappingProxyType({'wall': time.time})", "CLOCKS['wall']()"),
    "an attribute of a class": ("class Clock: now = staticmethod(time.time)", "Clock.now()"),
    "a built-in function in a class": ("class Clock: now = time.time", "Clock().now()"),
    "an attribute of an object": (
        "class Clock:\n    def __init__(self): self.now = time.time\nclock = Clock()", "clock.now()"),
    "a slot": (
        "class Clock:\n    __slots__ = ('now',)\n    def __init__(self): self.now = time.time\nclock = Clock()", "clock.now()"),
    "a property": ("class Clock:\n    now = property(lambda self, clock=time.time: clock())", "Clock().now"),
    "a field of a dataclass": (
        "@dataclasses.dataclass\nclass Note:\n    at: float = dataclasses.field(default_factory=time.time)", "Note().at"),
    "a default of a dataclass": (
        "import typing\n@dataclasses.dataclass\nclass Note:\n    clock: typing.Any = time.time", "Note().clock()"),
    "a field of pydantic": (
        "class Note(pydantic.BaseModel):\n    at: float = pydantic.Field(default_factory=time.time)", "Note().at"),
    "a private field of pydantic": (
        "class Note(pydantic.BaseModel):\n    _at: float = pydantic.PrivateAttr(default_factory=time.time)", "Note()._at"),
    "a date in a field of pydantic": (
        ("class Note(pydantic.BaseModel):\n"
        "    at: datetime.datetime = pydantic.Field(default_factory=lambda: datetime.datetime.now(datetime.UTC))"),
        "Note().at.timestamp()"),
    "a kept method": ("now = datetime.datetime.now", "now(datetime.UTC).timestamp()"),
    "a partial of a method": (
        "now = functools.partial(datetime.datetime.now, datetime.UTC)", "now().timestamp()"),
    "a default dict": ("SEEN = collections.defaultdict(time.time)", "SEEN['a']"),
    "a generator": (
        "def ticks(clock):\n    while True: yield clock()\nTICKS = ticks(time.time)", "next(TICKS)"),
    "an iterator of map": ("TICKS = map(lambda clock: clock(), itertools.repeat(time.time))", "next(TICKS)"),
    "an iterator of iter": ("TICKS = iter(time.time, None)", "next(TICKS)"),
    "a wrapped function": (
        ("def timed(function, clock=time.time):\n    @functools.wraps(function)\n    def call(): return function() + clock()\n"
        "    return call\n@timed\ndef zero(): return 0"), "zero()"),
    "an enumeration": ("import enum\nclass Clock(enum.Enum):\n    WALL = (time.time,)", "Clock.WALL.value[0]()"),
    "an operator": ("import operator\nat = operator.methodcaller('__call__')", "at(time.time)"),
    "an object's bound method": (
        ("class Clock:\n    def __init__(self, clock): self.clock = clock\n    def now(self): return self.clock()\n"
        "now = Clock(time.time).now"), "now()"),
    "a context variable": (
        "import contextvars\nCLOCK = contextvars.ContextVar('clock', default=time.time)", "CLOCK.get()()"),
    "a value read at import": ("AT = time.time()", "AT"),
    "a default read at import": ("def at(begun=time.time()): return begun", "at()"),
}  # fmt: skip

IMPORTS = (
    "import asyncio, collections, dataclasses, datetime, functools, itertools, time, pydantic\n"
)


@pytest.mark.parametrize("kind", CLOCKS)
def test_a_clock_is_virtual_wherever_it_is_kept(program: WriteProgram, kind: str) -> None:
    before, expression = CLOCKS[kind]
    file = program(
        f"{IMPORTS}{before}\nasync def main(question):\n    await asyncio.sleep({expression} - {EPOCH_S} + 1)\n"
    )
    result = Simulation(file).run()
    assert result.tracebacks == {}
    assert list(result.spans["end_s"]) == [1.0]


ENTROPY = {
    "a generator of its own": ("import random\nrng = random.Random()", "rng.random()"),
    "a kept method": ("from random import random", "random()"),
    "a method of its own generator": ("import random\ndraw = random.Random().random", "draw()"),
    "a field of a dataclass": (
        ("import random, dataclasses\n@dataclasses.dataclass\nclass Note:\n"
        "    n: float = dataclasses.field(default_factory=random.random)"), "Note().n"),
    "an identifier": (
        ("import uuid, dataclasses\n@dataclasses.dataclass\nclass Note:\n"
        "    id: uuid.UUID = dataclasses.field(default_factory=uuid.uuid4)"), "Note().id.int / 2**128"),
    "an identifier of the process": ("import uuid\nID = uuid.uuid4()", "ID.int / 2**128"),
    "random bytes": ("import os\nread = os.urandom", "int.from_bytes(read(4), 'big') / 2**32"),
    "a token": ("import secrets\nTOKENS = {'new': secrets.token_bytes}", "TOKENS['new'](4)[0] / 256"),
    "a system generator": ("import random\nrng = random.SystemRandom()", "rng.random()"),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENTROPY)
def test_entropy_follows_from_the_seed_wherever_it_is_kept(
    program: WriteProgram, kind: str
) -> None:
    before, expression = ENTROPY[kind]
    simulation = Simulation(
        program(
            f"import asyncio\n{before}\nasync def main(question): await asyncio.sleep({expression})"
        )
    )
    ends_s = [simulation.run(seed).spans["end_s"][0] for seed in (1, 2, 1, 2)]
    assert ends_s[:2] == ends_s[2:]
    assert ends_s[0] != ends_s[1]
