"""Clocks and sources of entropy that the program's modules keep are those of the run, wherever they are kept."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator

import pytest

from harness.sim import Sim
from harness.sim.undo import undo
from harness.virtual.clocks import EPOCH_S

NOW = EPOCH_S + 5

HOLDERS = {
    "a global": ("from time import time as now", "now()"),
    "a default argument": ("def now(clock=time.time): return clock()", "now()"),
    "a default argument by name": ("def now(*, clock=time.time): return clock()", "now()"),
    "a default of a method": ("class A:\n    def now(self, clock=time.time): return clock()", "A().now()"),
    "a closure": ("def make(clock):\n    def now(): return clock()\n    return now\nnow = make(time.time)", "now()"),
    "a partial": ("now = functools.partial(time.time)", "now()"),
    "a partial's argument": ("def call(f): return f()\nnow = functools.partial(call, time.time)", "now()"),
    "a lambda's default": ("now = lambda clock=time.time: clock()", "now()"),
    "a list": ("CLOCKS = [time.time]", "CLOCKS[0]()"),
    "a tuple": ("CLOCKS = (1, time.time)", "CLOCKS[1]()"),
    "a named tuple": ("Clock = collections.namedtuple('Clock', 'now')\nCLOCK = Clock(time.time)", "CLOCK.now()"),
    "a dictionary": ("CLOCKS = {'wall': {'now': time.time}}", "CLOCKS['wall']['now']()"),
    "a set": ("CLOCKS = {time.time}", "next(iter(CLOCKS))()"),
    "a frozenset": ("CLOCKS = frozenset([time.time])", "next(iter(CLOCKS))()"),
    "a class attribute": ("class A:\n    now = time.time", "A.now()"),
    "a static method": ("class A:\n    now = staticmethod(time.time)", "A().now()"),
    "an attribute": ("CLOCK = types.SimpleNamespace(now=time.time)", "CLOCK.now()"),
    "a slot": (
        "class A:\n    __slots__ = ('now',)\n    def __init__(self): self.now = time.time\nCLOCK = A()",
        "CLOCK.now()",
    ),
    "a dataclass": ("@dataclasses.dataclass\nclass A:\n    at: float = dataclasses.field(default_factory=time.time)", "A().at"),
    "a dataclass with slots": (
        "@dataclasses.dataclass(slots=True, frozen=True)\nclass A:\n    at: float = dataclasses.field(default_factory=time.time)",
        "A().at",
    ),
    "a default dictionary": ("TIMES = collections.defaultdict(time.time)", "TIMES['x']"),
    "attrs": ("import attrs\n@attrs.define\nclass A:\n    at: float = attrs.field(factory=time.time)", "A().at"),
    "a pydantic model": ("class A(pydantic.BaseModel):\n    at: float = pydantic.Field(default_factory=time.time)", "A().at"),
    "a pydantic model in another": (
        "class A(pydantic.BaseModel):\n    at: float = pydantic.Field(default_factory=time.time)\nclass B(pydantic.BaseModel):\n    a: A",
        "B.model_validate({'a': {}}).a.at",
    ),
    "a pydantic dataclass": (
        "import pydantic.dataclasses\n@pydantic.dataclasses.dataclass\nclass A:\n    at: float = pydantic.Field(default_factory=time.time)",
        "A().at",
    ),
    "a pydantic adapter": (
        "class A(pydantic.BaseModel):\n    at: float = pydantic.Field(default_factory=time.time)\nTA = pydantic.TypeAdapter(list[A])",
        "TA.validate_python([{}])[0].at",
    ),
    "a kept datetime.now": ("now = datetime.datetime.now", "now(datetime.UTC).timestamp()"),
    "a partial of datetime.now": ("now = functools.partial(datetime.datetime.now, datetime.UTC)", "now().timestamp()"),
    "a model of datetime.now": (
        "class A(pydantic.BaseModel):\n    at: datetime.datetime = pydantic.Field(default_factory=datetime.datetime.now)",
        "A().at.timestamp()",
    ),
    "a decorated function": (
        "def timed(f):\n    clock = time.time\n    @functools.wraps(f)\n    def inner(): return f(clock)\n    return inner\n@timed\ndef now(clock): return clock()",
        "now()",
    ),
    "a property": ("class A:\n    @property\n    def now(self, clock=time.time): return clock()", "A().now"),
    "an enumeration": (
        "class Clock(enum.Enum):\n    WALL = (time.time,)\n    @property\n    def now(self): return self.value[0]()",
        "Clock.WALL.now",
    ),
}  # fmt: skip

IMPORTS = (
    "import collections, dataclasses, datetime, enum, functools, time, types\nimport pydantic\n"
)


@pytest.fixture
def module(request: pytest.FixtureRequest) -> Iterator[types.ModuleType]:
    """A module of somebody's program, made from the two texts that the test is given."""
    before, expression = request.param
    made = types.ModuleType("kept_program")
    made.__file__ = "/somewhere/kept_program.py"
    sys.modules[made.__name__] = made
    text = f"{IMPORTS}{before}\ndef main():\n    time.sleep(5)\n    return {expression}\n"
    exec(compile(text, made.__file__, "exec"), vars(made))
    yield made
    del sys.modules[made.__name__]


@pytest.mark.parametrize("module", HOLDERS.values(), ids=HOLDERS, indirect=True)
def test_kept_clock_is_virtual_in_a_run_and_real_afterwards(module: types.ModuleType) -> None:
    real = module.main.__globals__["time"].time()
    sim = Sim(1)
    assert [sim.run(module.main).output for _ in range(2)] == [NOW, NOW]
    undo.take_back()
    vars(module)["time"] = types.SimpleNamespace(sleep=lambda _: None, time=lambda: real)
    assert abs(module.main() - real) < 1000


@pytest.mark.parametrize(
    "module",
    [
        ("import os\nDRAW = {'x': os.urandom}", "DRAW['x'](4)"),
        ("import uuid\nclass A:\n    make = uuid.uuid1", "str(A.make())"),
        (
            "import uuid\n@dataclasses.dataclass\nclass A:\n    id: str = dataclasses.field(default_factory=uuid.uuid1)",
            "str(A().id)",
        ),
        ("import os\nDRAW = functools.partial(os.getrandom, 4)", "DRAW()"),
        ("import ssl\nDRAW = [ssl.RAND_bytes]", "DRAW[0](4)"),
    ],
    ids=["urandom", "uuid1", "dataclass", "getrandom", "RAND_bytes"],
    indirect=True,
)
def test_kept_entropy_follows_from_the_seed(module: types.ModuleType) -> None:
    first, again, other = (Sim(seed).run(module.main).output for seed in (1, 1, 2))
    assert first == again != other
