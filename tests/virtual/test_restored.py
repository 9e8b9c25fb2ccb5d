"""What a world changes in the process is put back however it ends, and other threads never see it."""

# ruff: noqa: ANN401, TID251 - programs of the user's do all of this

from __future__ import annotations

import asyncio
import datetime
import gc
import os
import random
import socket
import sys
import tempfile
import threading
import time
import uuid
import weakref
from asyncio import events
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import ProcessPoolExecutor
from multiprocessing.process import BaseProcess
from time import monotonic
from types import ModuleType
from typing import Any

import pytest

from harness.errors import Deadlock, LimitExceeded, NotSimulated
from harness.kernel import Kernel
from harness.kernel.current_world import TURNS_BETWEEN_COLLECTIONS, this_thread
from harness.kernel.loop import running
from harness.virtual import patching
from harness.virtual.clocks import EPOCH_S
from harness.virtual.world import _STAND_INS, run_program, simulated_world


def process_as_it_stands() -> list[object]:
    owners: list[Any] = [time, os, random, uuid, socket, tempfile, asyncio, asyncio.tasks]
    owners += [ThreadPoolExecutor, ProcessPoolExecutor, BaseProcess, threading.Thread]
    owners += [threading.Condition, socket.socket, random.Random, asyncio.BaseEventLoop]
    owners += [asyncio.Runner, asyncio.Lock, datetime.datetime]
    things: list[object] = [
        (owner.__name__, name, id(value))
        for owner in owners
        for name, value in vars(owner).items()
        if callable(value) or isinstance(value, classmethod)
    ]
    # The default policy is made when it is first asked for.
    things += [events.get_event_loop_policy(), monotonic, random.getstate(), gc.isenabled()]
    return [*things, gc.get_threshold(), gc.get_freeze_count(), this_thread.world, running.loop]


async def succeed() -> None:
    await asyncio.sleep(1)


async def fail() -> None:
    raise LookupError("planned")


async def get_stuck() -> None:
    await asyncio.Event().wait()


async def go_too_far() -> None:
    await asyncio.sleep(1e12)


async def exit_early() -> None:
    raise SystemExit(3)


def interrupted() -> None:
    raise KeyboardInterrupt


def touch_the_network() -> None:
    socket.create_connection(("example.com", 80))


def change_everything() -> None:
    gc.enable()
    random.seed(3)
    asyncio.set_event_loop(asyncio.new_event_loop())


ENDS: list[tuple[Callable[[], Any], type[BaseException] | None]] = [
    (succeed, None),
    (fail, LookupError),
    (get_stuck, Deadlock),
    (go_too_far, LimitExceeded),
    (exit_early, SystemExit),
    (interrupted, KeyboardInterrupt),
    (touch_the_network, NotSimulated),
    (change_everything, None),
]


@pytest.mark.parametrize(("program", "error"), ENDS)
def test_everything_is_put_back(
    program: Callable[[], Any], error: type[BaseException] | None
) -> None:
    run_program(Kernel(), succeed, seed=1)  # what is imported once is imported
    before = process_as_it_stands()
    if error is None:
        run_program(Kernel(), program, seed=1)
    else:
        with pytest.raises(error):
            run_program(Kernel(), program, seed=1)
    assert process_as_it_stands() == before


# -- other threads ----------------------------------------------------------------------------------


def real_things() -> list[bool]:
    """What another thread finds while a world is open here."""
    began_s = time.perf_counter()
    time.sleep(0.01)
    condition = threading.Condition()
    with condition:
        condition.wait(0.01)
    thread = threading.Thread(target=print, args=("",), kwargs={"end": ""})
    thread.start()
    thread.join()
    with ThreadPoolExecutor() as pool:
        elsewhere = pool.submit(threading.get_ident).result() != threading.get_ident()
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    now = datetime.datetime.now(datetime.UTC)
    return [
        time.perf_counter() - began_s >= 0.019,
        time.time() > EPOCH_S + 86_400,
        abs(now.timestamp() - time.time()) < 5,
        monotonic() == pytest.approx(time.monotonic(), abs=5),
        os.urandom(8) != os.urandom(8),
        elsewhere,
        asyncio.run(real_loop()),
    ]


async def real_loop() -> bool:
    await asyncio.sleep(0.01)
    return type(asyncio.get_running_loop()).__module__.startswith("asyncio.")


def test_other_threads_have_the_real_functions_while_a_world_is_open() -> None:
    found: list[bool] = []
    entered, done = threading.Event(), threading.Event()

    def other_thread() -> None:
        entered.wait(10)
        try:
            found.extend(real_things())
        finally:
            done.set()

    thread = threading.Thread(target=other_thread)
    thread.start()
    with simulated_world(Kernel(), seed=1):
        assert time.time() == EPOCH_S
        entered.set()
        while not done.is_set():  # a wait would be a virtual one
            pass
        assert time.time() == EPOCH_S
    thread.join()
    assert found == [True] * 7


def test_worlds_in_two_threads_at_once_each_see_their_own() -> None:
    """The first to open is the first to close, so the second must not find the process put back under its feet."""
    before = process_as_it_stands()
    steps = [threading.Lock() for _ in range(2)]
    for step in steps:
        step.acquire()
    results: list[object] = []

    def first() -> None:
        with simulated_world(Kernel(), seed=1):
            steps[0].release()  # the second may begin
            time.sleep(100)
            while steps[1].locked():  # until the second is in
                pass
            results.append(time.monotonic())

    def second() -> None:
        steps[0].acquire()
        with simulated_world(Kernel(), seed=2):
            steps[1].release()
            time.sleep(7)
            while thread.is_alive():
                pass
            results.append((time.monotonic(), str(uuid.uuid4())))

    expected = run_program(Kernel(), lambda: str(uuid.uuid4()), seed=2)
    thread = threading.Thread(target=first)
    other = threading.Thread(target=second)
    for each in (thread, other):
        each.start()
    for each in (thread, other):
        each.join(20)
    assert results == [100, (7, expected)]
    assert process_as_it_stands() == before


# -- captured names ---------------------------------------------------------------------------------


@pytest.fixture
def clock_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("clock_module")
    module.clock = time.monotonic  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "clock_module", module)
    return module


def test_name_that_a_program_changed_meanwhile_is_left_as_it_is(clock_module: Any) -> None:
    def main() -> None:
        clock_module.clock = max

    run_program(Kernel(), main, seed=1)
    assert clock_module.clock is max
    assert run_program(Kernel(), lambda: clock_module.clock, seed=1) is max


def test_modules_are_looked_through_once() -> None:
    run_program(Kernel(), lambda: None, seed=1)
    places = len(patching._places)
    assert (
        patching._loaded.if_changed() is None
    )  # to look takes 34 ms with 4500 modules, and what else opens a world 1 ms
    run_program(Kernel(), lambda: None, seed=1)
    assert len(patching._places) == places


def test_every_stand_in_stands_for_another_function() -> None:
    originals = [stand_in.original for stand_in in _STAND_INS]
    assert len({id(original) for original in originals}) == len(originals)


def test_harness_keeps_the_real_clock() -> None:
    assert not [
        place for place in patching._places if place.namespace["__name__"].startswith("harness")
    ]


# -- garbage ----------------------------------------------------------------------------------------


class Circle:
    def __init__(self) -> None:
        self.itself = self


def test_garbage_is_found_at_a_fixed_turn_and_at_no_other() -> None:
    async def main() -> int:
        gone: list[int] = []
        circle = Circle()
        turns = 0
        weakref.finalize(circle, lambda: gone.append(turns))
        del circle
        kept = [[] for _ in range(100_000)]  # type: ignore[var-annotated]
        while not gone:
            kept.append([])
            await asyncio.sleep(0.001)
            turns += 1
        return gone[0]

    turns = {run_program(Kernel(), main, seed=1) for _ in range(3)}
    assert len(turns) == 1
    assert turns.pop() == pytest.approx(TURNS_BETWEEN_COLLECTIONS, abs=10)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # what tests before left open
def test_garbage_from_before_is_not_looked_at_in_a_run() -> None:
    gone: list[str] = []
    circle = Circle()
    weakref.finalize(circle, gone.append, "gone")
    del circle

    def main() -> list[str]:
        gc.collect()
        return list(gone)

    gc.disable()
    try:
        assert run_program(Kernel(), main, seed=1) == []
        gc.collect()
        assert gone == ["gone"]
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_heap_that_was_frozen_before_stays_frozen() -> None:
    gc.freeze()
    try:
        count = gc.get_freeze_count()
        run_program(Kernel(), succeed, seed=1)
        assert gc.get_freeze_count() == pytest.approx(count, abs=100)  # some die meanwhile
    finally:
        gc.unfreeze()
