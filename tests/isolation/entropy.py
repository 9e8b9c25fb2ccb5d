"""Ways to random values that do not follow from the seed."""

# ruff: noqa: PLW0108 - a program looks the function up in the run, where it finds another

from __future__ import annotations

import email.utils
import os
import platform
import random  # noqa: TID251 - what programs do is tried here
import secrets
import ssl
import tempfile
import threading
import uuid  # noqa: TID251 - likewise
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy

from harness.kernel import Kernel
from harness.virtual.world import run_program
from tests.isolation.made import module_with
from tests.isolation.way import Way

Draw = Callable[[], Any]


def _drawn_before(draw: Draw) -> Callable[[], AbstractContextManager[Any]]:
    """Prepares the value that another run of the seed of all ways has drawn."""

    @contextmanager
    def prepare() -> Iterator[Any]:
        yield run_program(Kernel(), draw, seed=1)

    return prepare


def _follows_from_the_seed(what: str, draw: Draw, consequence: str = "") -> Way:
    return Way(
        what=what,
        outcome="virtual",
        program=lambda before: bool(draw() == before),
        prepare=_drawn_before(draw),
        consequence=consequence,
    )


def _is_of_the_process(what: str, draw: Draw, consequence: str) -> Way:
    """A value that stays the same in a process and differs from that of another."""

    @contextmanager
    def prepare() -> Iterator[Any]:
        yield draw()

    return Way(what=what, outcome="real", program=lambda real: bool(draw() == real), prepare=prepare, consequence=consequence)  # fmt: skip


def _temporary_name() -> str:
    with tempfile.TemporaryDirectory() as folder:
        return folder


@contextmanager
def _module_and_bytes() -> Iterator[tuple[Any, bytes]]:
    with module_with("import os\nDRAW = {'bytes': [os.urandom]}\n")() as module:
        yield module, run_program(Kernel(), lambda: os.urandom(8), seed=1)


_RNG = "import random, numpy\nRNG = random.Random()\nNUMPY = numpy.random.default_rng()\n"

WAYS = (
    _follows_from_the_seed("`os.urandom`", lambda: os.urandom(8), "By task, and by how often the task has asked."),
    _follows_from_the_seed("`os.getrandom`", lambda: os.getrandom(8)),
    _follows_from_the_seed("`secrets`", lambda: secrets.token_hex()),
    _follows_from_the_seed("`random.SystemRandom`", lambda: random.SystemRandom().random()),
    _follows_from_the_seed("`ssl.RAND_bytes`", lambda: ssl.RAND_bytes(8)),
    _follows_from_the_seed("`uuid.uuid1`", lambda: uuid.uuid1()),
    _follows_from_the_seed("`uuid.uuid4`", lambda: uuid.uuid4()),
    _follows_from_the_seed("`uuid.getnode`", lambda: uuid.getnode()),
    _follows_from_the_seed("`random.random` and its siblings", lambda: [random.random(), random.gauss(0, 1)], "One stream: a draw more in one task changes what the next task draws."),
    _follows_from_the_seed("`random.seed()`", lambda: [random.seed(), random.random()]),
    _follows_from_the_seed("`random.Random()` made in the run", lambda: random.Random().random()),
    _follows_from_the_seed("`numpy.random.rand`", lambda: numpy.random.rand()),  # noqa: NPY002 - see above
    _follows_from_the_seed("`numpy.random.default_rng()` made in the run", lambda: numpy.random.default_rng().random()),
    _follows_from_the_seed("names of `tempfile`", _temporary_name, "Two processes that run one seed at once in one folder get different names."),
    Way(what="`os.urandom` and others that the program's modules keep", outcome="virtual",
        prepare=_module_and_bytes, program=lambda prepared: prepared[0].DRAW["bytes"][0](8) == prepared[1],
        consequence="Found by a walk through the modules, as clocks are."),
    Way(what="`random.Random()` and `numpy.random.default_rng()` made when a module is imported", outcome="real", prepare=module_with(_RNG),
        program=lambda module: module.RNG.random() != module.NUMPY.random(),
        consequence="Each run begins with the same state, which differs from process to process: `harness check` and `--sim-check` find it. A `target:` and `sim.fresh` import the module in the world, and `sim_patch_early = true` seeds the first of the two; or give it a seed."),
    _is_of_the_process("`os.getpid`", os.getpid, "An idempotency key or a log line with it differs from run to run."),
    _is_of_the_process("`threading.get_ident`, `get_native_id`", threading.get_ident, "It is an address; name threads instead."),
    _is_of_the_process("`id(x)`, the default `repr` and `hash` of an object", lambda: id(os), "They are addresses. A prompt that holds `<Tool object at 0x7f...>` differs from process to process."),
    _is_of_the_process("`hash` of a text", lambda: hash("a text"), "It follows from `PYTHONHASHSEED`. Use `hashlib`."),
    _is_of_the_process("`email.utils.make_msgid`", lambda: email.utils.make_msgid(domain="x").split(".")[1] == str(os.getpid()), "It has the process id in it."),
    _is_of_the_process("`os.environ`, `platform`", lambda: (os.environ["PATH"], platform.node()), "The environment is the computer's; API keys are made up."),
    Way(what="`os.cpu_count`", outcome="virtual", program=lambda _: os.cpu_count() == 8, consequence="The size of a pool follows from it."),
)  # fmt: skip
