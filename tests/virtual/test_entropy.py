"""Random values of a program: the same for one seed, others for another, and the real ones outside."""

# ruff: noqa: ANN401, PLW0108, TID251 - programs of the user's do all of this

from __future__ import annotations

import asyncio
import importlib
import os
import random
import secrets
import sys
import tempfile
import uuid
from collections.abc import Callable
from random import random as random_by_name
from types import ModuleType
from typing import Any

import pytest

from harness.chance.draws import Draws
from harness.kernel import Kernel
from harness.virtual.clocks import EPOCH_S
from harness.virtual.world import run_program

Source = Callable[[], object]

# Each looks its function up when it is called: a name in a dictionary is none that a world could find.

SOURCES: dict[str, Source] = {
    "os.urandom": lambda: os.urandom(100),
    "uuid.uuid4": lambda: uuid.uuid4(),
    "uuid.uuid1": lambda: uuid.uuid1(),
    "uuid.getnode": lambda: uuid.getnode(),
    "secrets.token_hex": lambda: secrets.token_hex(),
    "secrets.choice": lambda: secrets.choice(range(10**9)),
    "random.random": lambda: random.random(),
    "from random import random": lambda: random_by_name(),
    "random.shuffle": lambda: random.sample(range(1000), 1000),
    "random.seed() and random.random": lambda: (random.seed(), random.random()),
    "random.Random()": lambda: random.Random().random(),
    "random.SystemRandom()": lambda: random.SystemRandom().random(),
    "tempfile": lambda: tempfile.mktemp(),
}


def drawn(source: Source, seed: int) -> object:
    return run_program(Kernel(), source, seed=seed)


@pytest.mark.parametrize("name", SOURCES)
def test_same_seed_gives_the_same_values_and_another_seed_others(name: str) -> None:
    source = SOURCES[name]
    assert drawn(source, 1) == drawn(source, 1)
    assert drawn(source, 1) != drawn(source, 2)


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "uuid.getnode"])
def test_one_value_after_another_differs(name: str) -> None:
    source = SOURCES[name]
    first, second = run_program(Kernel(), lambda: (source(), source()), seed=1)
    assert first != second


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "uuid.getnode"])
def test_values_outside_are_as_unpredictable_as_before(name: str) -> None:
    source = SOURCES[name]
    drawn(source, 1)
    first = source()
    drawn(source, 1)
    assert source() != first


def test_given_seed_of_a_generator_counts() -> None:
    expected = random.Random(5).random()
    assert drawn(lambda: random.Random(5).random(), 1) == expected
    assert drawn(lambda: (random.seed(5), random.random())[1], 1) == expected
    assert drawn(lambda: random.Random(x=5).random(), 1) == expected


def test_shared_generator_goes_on_afterwards_where_it_was() -> None:
    random.seed(7)
    expected = [random.random() for _ in range(2)]
    random.seed(7)
    values = [random.random()]
    drawn(random.random, 1)
    values.append(random.random())
    assert values == expected


def test_old_generator_of_numpy_is_seeded_and_put_back() -> None:
    numpy_random: Any = pytest.importorskip("numpy.random")

    def draw() -> list[float]:
        return [float(numpy_random.random()), float(numpy_random.default_rng().random())]

    numpy_random.seed(7)
    expected = float(numpy_random.random())
    numpy_random.seed(7)
    assert drawn(draw, 1) == drawn(draw, 1)
    assert drawn(draw, 1) != drawn(draw, 2)
    assert float(numpy_random.random()) == expected


def test_uuid1_tells_virtual_time_and_never_the_same_twice() -> None:
    async def main() -> tuple[int, int, int]:
        first, second = uuid.uuid1(), uuid.uuid1()
        await asyncio.sleep(1)
        return first.version or 0, second.time - first.time, uuid.uuid1().time - first.time

    assert run_program(Kernel(), main, seed=1) == (1, 1, 10_000_000)


def test_one_value_more_in_one_task_changes_none_of_another() -> None:
    async def draw(count: int) -> list[bytes]:
        return [os.urandom(8) for _ in range(count)]

    async def main(count: int) -> list[bytes]:
        _, second = await asyncio.gather(draw(count), draw(3))
        return second

    assert run_program(Kernel(), main(1), seed=1) == run_program(Kernel(), main(9), seed=1)


def test_value_drawn_by_an_import_changes_no_other(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the first of several runs in a process imports it."""
    (tmp_path / "drawing_module.py").write_text("import os\nkey = os.urandom(32)\n")
    monkeypatch.syspath_prepend(tmp_path)

    def main() -> bytes:

        return os.urandom(8)

    assert "drawing_module" not in sys.modules
    assert drawn(main, 1) == drawn(main, 1)


def test_ids_of_uuid_utils_follow_the_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the package, which langchain brings along; the real one is not among what the tests need."""
    package: Any = ModuleType("uuid_utils")
    package.UUID = uuid.UUID
    for name in ("uuid4", "uuid7", "_uuid4_int", "_uuid7_int"):
        setattr(package, name, lambda name=name: pytest.fail(f"the real {name}"))
    monkeypatch.setitem(sys.modules, "uuid_utils", package)

    def main() -> list[uuid.UUID]:
        ids = [package.uuid4(), uuid.UUID(int=package._uuid4_int())]
        ids += [package.uuid7(), uuid.UUID(int=package._uuid7_int()), package.uuid7(10**9, 0)]
        return ids

    ids = drawn(main, 1)
    assert ids == drawn(main, 1)
    assert ids != drawn(main, 2)
    assert isinstance(ids, list)
    assert [each.version for each in ids] == [4, 4, 7, 7, 7]
    assert {each.variant for each in ids} == {uuid.RFC_4122}
    assert ids[2] < ids[3]
    assert [each.int >> 80 for each in ids[3:]] == [int(EPOCH_S) * 1000, 10**12]


def test_longer_values_begin_like_shorter_ones() -> None:
    draws = Draws(1)
    assert draws.octets(200, "key")[:70] == draws.octets(70, "key")
    assert len(draws.octets(200, "key")) == 200
    assert draws.octets(0, "key") == b""
    assert draws.octets(8, "key") != draws.octets(8, "other")


def test_value_drawn_by_a_loop_that_an_import_runs_changes_no_other(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "running_module.py").write_text(
        "import asyncio, os\nasync def draw(): return os.urandom(32)\nkey = asyncio.run(draw())\n"
    )

    async def draw() -> bytes:
        return os.urandom(8)

    def main() -> bytes:
        importlib.import_module("running_module")
        return asyncio.run(draw())  # in a task of the same name

    try:
        assert drawn(main, 1) == drawn(main, 1)
    finally:
        sys.modules.pop("running_module", None)
