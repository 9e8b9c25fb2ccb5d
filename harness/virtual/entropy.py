"""Random values of a program, derived from the seed of its run.

`os.urandom` gives keyed bytes, and what is made of it follows: `uuid4`, `secrets`, `random.SystemRandom`. The key is the
task that asks and how often it asked before, so that one call more in one task changes no value of another. The
generators that a program shares (`random`, and numpy's old one) are seeded, and put back afterwards; there is one of
each in the process, so two worlds at the same time, in two threads, draw from the same.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import random  # noqa: TID251 - to seed it
import sys
import tempfile
import uuid  # noqa: TID251 - to put a stand-in in its place
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import FrameType, ModuleType
from typing import Any

from harness.kernel.current_world import World, this_thread
from harness.kernel.loop import running
from harness.virtual.clocks import wall_ns
from harness.virtual.importing import is_importing
from harness.virtual.own_modules import own_modules
from harness.virtual.patching import Attribute, StandIn, method, on_their_owners, stand_in

_UUID_EPOCH = 0x01B21DD213814000
"""Of 1970, counted from 1582 as a `uuid1` does [100 ns]."""
_MULTICAST = 1 << 40
"""The bit that says of a `uuid1` that its node is none of the world's network cards (RFC 9562, section 6.10)."""


def _urandom(world: World, size: int) -> bytes:
    key = ("os.urandom", _who_asks())
    return world.draws.octets(size, *key, world.next_count(*key))


def _getrandom(world: World, size: int, flags: int = 0) -> bytes:
    del flags  # whether to wait, and for which source
    return _urandom(world, size)


def _openssl_bytes(world: World, n: int) -> bytes:
    return _urandom(world, n)


def _who_asks() -> str:
    """The task that runs; or the import, which only the first of several runs in a process has to make."""
    if is_importing(sys._getframe(2)):  # noqa: SLF001 - `inspect` has it from there, at a hundred times the price
        return "import"
    task = None if running.loop is None else asyncio.current_task(running.loop)
    asks = "" if task is None else task.get_name()
    baton = None if this_thread.world is None else this_thread.world.kernel.baton
    return asks if baton is None or baton.current is baton.main else f"{baton.current.name}/{asks}"


def _uuid1(world: World, node: int | None = None, clock_seq: int | None = None) -> uuid.UUID:
    world.last_uuid1 = max(wall_ns(world) // 100 + _UUID_EPOCH, world.last_uuid1 + 1)
    moment = world.last_uuid1
    if clock_seq is None:
        clock_seq = int.from_bytes(world.draws.octets(2, "uuid1"))
    return uuid.UUID(
        fields=(
            moment & 0xFFFFFFFF,
            moment >> 32 & 0xFFFF,
            moment >> 48 & 0x0FFF,
            clock_seq & 0xFF,
            clock_seq >> 8 & 0x3F,
            _node(world) if node is None else node,
        ),
        version=1,
    )


def _node(world: World) -> int:
    return int.from_bytes(world.draws.octets(6, "uuid.getnode")) | _MULTICAST


def _seed(world: World, generator: random.Random, *args: object, **kwargs: object) -> None:
    if (not args or args[0] is None) and kwargs.get("a") is None:
        _stock_seed(generator, int.from_bytes(_urandom(world, 32)))
    else:
        _stock_seed(generator, *args, **kwargs)  # type: ignore[arg-type]


def _seed_shared(world: World, *args: object, **kwargs: object) -> None:
    _seed(world, _shared, *args, **kwargs)


def _temporary_names(world: World) -> Iterator[str]:
    if world.temporary_names is None:
        world.temporary_names = tempfile._RandomNameSequence()  # type: ignore[attr-defined]  # noqa: SLF001
    return world.temporary_names


_shared: random.Random = random._inst  # noqa: SLF001 - what `random.random` draws from
_stock_seed = random.Random.seed

STAND_INS: tuple[StandIn, ...] = (
    stand_in(os.urandom, _urandom),
    *(stand_in(getattr(os, name), _getrandom) for name in ("getrandom",) if hasattr(os, name)),
    stand_in(uuid.uuid1, _uuid1),
    stand_in(uuid.getnode, _node),
    stand_in(random.seed, _seed_shared),
    stand_in(tempfile._get_candidate_names, _temporary_names),  # type: ignore[attr-defined]  # noqa: SLF001
)
ATTRIBUTES: tuple[Attribute, ...] = (method(random.Random, "seed", _seed),)


_seeded_by_chance: dict[str, list[weakref.ref[random.Random]]] = {}
"""Generators that a module made without a seed while it was watched, by the name of the module."""


@contextmanager
def unseeded_generators_noted() -> Iterator[None]:
    """Context manager: each `random.Random()` of a module is noted, so that the runs to come seed it."""

    def seed(generator: random.Random, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - see `random.seed`
        _stock_seed(generator, *args, **kwargs)
        module = _who_makes(sys._getframe(1))  # noqa: SLF001 - see `_who_asks`
        if (not args or args[0] is None) and kwargs.get("a") is None and this_thread.world is None:
            _seeded_by_chance.setdefault(module, []).append(weakref.ref(generator))

    with on_their_owners([Attribute(random.Random, "seed", seed)]):
        yield
    _seeded_by_chance.clear()


def _who_makes(frame: FrameType | None) -> str:
    """The module that made a generator; `random` itself calls `seed`."""
    while frame is not None and frame.f_globals.get("__name__") == "random":
        frame = frame.f_back
    return "" if frame is None else str(frame.f_globals.get("__name__"))


@contextmanager
def generators_put_back() -> Iterator[None]:
    """The shared generators are afterwards as they were before."""
    tempfile.gettempdir()  # the first to ask in a process draws names to try the folders with
    state = random.getstate()
    numpy_random = _numpy_random()
    numpy_state = None if numpy_random is None else numpy_random.get_state()
    try:
        yield
    finally:
        random.setstate(state)
        if numpy_random is not None:
            numpy_random.set_state(numpy_state)


def seed_generators(world: World) -> None:
    """Seed the shared generators from the seed of the world."""
    random.seed(int.from_bytes(world.draws.octets(8, "random")))
    for module in own_modules() if _seeded_by_chance else ():
        for number, reference in enumerate(_seeded_by_chance.get(module, ())):
            generator = reference()
            if generator is not None:
                _stock_seed(
                    generator,
                    int.from_bytes(world.draws.octets(8, "random.Random", module, number)),
                )
    numpy_random = _numpy_random()
    if numpy_random is not None:
        numpy_random.seed(int.from_bytes(world.draws.octets(4, "numpy.random")))


def _numpy_random() -> ModuleType | None:
    return importlib.import_module("numpy.random") if "numpy" in sys.modules else None


# -- what is written in C or Rust ---------------------------------------------------------------------------------------------


def stand_ins_if_loaded() -> tuple[StandIn, ...]:
    """Stand-ins for what OpenSSL and `uuid_utils` make, if they are loaded; neither asks Python.

    langchain has its ids from `uuid_utils`.
    """
    openssl = sys.modules.get("_ssl")
    uuid_utils = sys.modules.get("uuid_utils")
    return (
        *(() if openssl is None else _openssl_stand_ins(openssl)),
        *(() if uuid_utils is None else _uuid_utils_stand_ins(uuid_utils)),
    )


@lru_cache(1)
def _openssl_stand_ins(openssl: Any) -> tuple[StandIn, ...]:  # noqa: ANN401 - it may be missing
    return (stand_in(openssl.RAND_bytes, _openssl_bytes),)


@lru_cache(1)
def _uuid_utils_stand_ins(uuid_utils: Any) -> tuple[StandIn, ...]:  # noqa: ANN401 - it may not be installed
    def uuid4(world: World) -> Any:  # noqa: ANN401 - see above
        return uuid_utils.UUID(int=_uuid4_int(world))

    def uuid7(world: World, *args: int, **kwargs: int) -> Any:  # noqa: ANN401 - see above
        return uuid_utils.UUID(int=_uuid7_int(world, *args, **kwargs))

    return (
        stand_in(uuid_utils.uuid4, uuid4),
        stand_in(uuid_utils.uuid7, uuid7),
        stand_in(uuid_utils._uuid4_int, _uuid4_int),  # noqa: SLF001 - what its `compat` calls
        stand_in(uuid_utils._uuid7_int, _uuid7_int),  # noqa: SLF001
    )


def _uuid4_int(world: World) -> int:
    return uuid.UUID(bytes=_urandom(world, 16), version=4).int


def _uuid7_int(world: World, timestamp: int | None = None, nanos: int | None = None) -> int:
    """Milliseconds, a counter that keeps ids of one millisecond in order, and chance (RFC 9562, section 5.7)."""
    if timestamp is None:
        moment_ms = wall_ns(world) // 10**6
    else:
        moment_ms = timestamp * 1000 + (nanos or 0) // 10**6
    counter = world.next_count("uuid7") & 0xFFF
    chance = int.from_bytes(_urandom(world, 8)) & (1 << 62) - 1
    return moment_ms << 80 | 7 << 76 | counter << 64 | 2 << 62 | chance
