"""Run a user's program in a simulated world.

While a world is open, the thread that opened it has virtual clocks (`clocks.py`), random values of the seed
(`entropy.py`), simulated loops (`program_loop.py`), simulated threads (`threads.py`), no processes but simulated ones
(`processes.py`), no signals (`signals.py`) and no network (`sockets.py`). Other threads have what they always had.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from typing import Any, TypeVar, overload

from harness.chance.choices import Choices
from harness.chance.draws import Draws
from harness.errors import LimitExceeded, NotSimulated
from harness.kernel.current_world import World, this_thread
from harness.kernel.deterministic_asyncio import deterministic_asyncio
from harness.kernel.kernel import Halt, Kernel, no_circle, not_known
from harness.kernel.lock_holders import held_for_ever
from harness.kernel.program import end, ended_quietly, refuse_nesting, virtual_sleep
from harness.kernel.shared_patch import SharedChange
from harness.kernel.sim_thread import Waiter
from harness.kernel.watcher import unseen_deaths
from harness.virtual import (
    audit,
    clocks,
    entropy,
    kept_methods,
    locks,
    process_locks,
    processes,
    program_loop,
    signals,
    sockets,
    terminal,
    thread_circle,
    thread_report,
    threads,
    transports,
    waits,
)
from harness.virtual.garbage import no_collections
from harness.virtual.patching import StandIn, in_all_modules, on_their_owners
from harness.virtual.reality import close_real_loop
from harness.virtual.ticking import nothing_reached
from harness.virtual.unrun import refuse_unrun

T = TypeVar("T")

_STAND_INS = (
    *clocks.STAND_INS,
    *entropy.STAND_INS,
    *processes.STAND_INS,
    *program_loop.STAND_INS,
    *signals.STAND_INS,
    *sockets.STAND_INS,
    *threads.STAND_INS,
    *waits.STAND_INS,
)
_ATTRIBUTES = (
    *clocks.ATTRIBUTES,
    *entropy.ATTRIBUTES,
    *process_locks.ATTRIBUTES,
    *processes.ATTRIBUTES,
    *program_loop.ATTRIBUTES,
    *sockets.ATTRIBUTES,
    *thread_circle.ATTRIBUTES,
    *threads.ATTRIBUTES,
    *transports.ATTRIBUTES,
    *waits.ATTRIBUTES,
)
_EVENTS = {**processes.EVENTS, **sockets.EVENTS, **terminal.EVENTS}


@overload
def run_program(
    kernel: Kernel,
    program: Coroutine[object, None, T] | Callable[[], Coroutine[object, None, T]],
    *,
    seed: int | Draws,
) -> T: ...
@overload
def run_program(kernel: Kernel, program: Callable[[], T], *, seed: int | Draws) -> T: ...
def run_program(kernel: Kernel, program: Any, *, seed: int | Draws) -> Any:
    """Run a program of the user in a simulated world of its own.

    Args:
        kernel: The clock to run on.
        program: A coroutine, or a function without arguments: an `async` one, or one that starts its loops itself.
        seed: What all random values of the program follow from; the draws of the run around it, where there is one.

    Returns:
        What the program returned.

    Raises:
        Deadlock: Nothing can run again; lists what every task waits for.
        LimitExceeded: A bound of the kernel was passed.
        NotSimulated: There is a run around this one, or the program touched something that is not simulated.
    """
    with _closed_if_refused(program), simulated_world(kernel, seed=seed):
        return run_here(program)


def choose_order(kernel: Kernel, seed: int | Draws) -> None:
    """Let the seed decide which thread goes next, wherever several may; without this it is the one that came first.

    Args:
        kernel: The clock of the run.
        seed: What the choices follow from; the draws of the run, where they are at hand.
    """
    draws, numbers = Draws.of(seed), count()

    def choose(ready: Sequence[Waiter]) -> int:
        place = int(draws.uniform("thread order", next(numbers)) * len(ready))
        if draws.choices is None:
            return place
        return draws.choices.next_thread([_path_of(waiter) for waiter in ready], place)

    kernel.baton.choose = choose


def record_order(kernel: Kernel, choices: Choices) -> None:
    """Let the thread that came first go first, unless choices say otherwise.

    Args:
        kernel: The clock of the run.
        choices: The object that overrides and records the choices of the run.
    """
    kernel.baton.choose = lambda ready: choices.next_thread([_path_of(one) for one in ready], 0)


def _path_of(waiter: Waiter) -> str:
    assert waiter.thread is not None, "only what a thread is parked with is in line"
    return waiter.thread.identity.path


@contextmanager
def simulated_world(kernel: Kernel, *, seed: int | Draws) -> Iterator[None]:
    """Context manager: this thread sees a simulated world; `run_here` runs programs in it.

    Args:
        kernel: Its clock.
        seed: What all random values follow from; the draws of the run, where they are at hand.

    Raises:
        NotSimulated: The thread is already in a world or in a running loop.
    """
    refuse_nesting()
    audit.watch(_EVENTS)
    with deterministic_asyncio(virtual_sleep), _changed_process():
        world = World(kernel, Draws.of(seed))
        entropy.seed_generators(world)
        this_thread.world = world
        try:
            yield
        finally:
            close_real_loop(world)
            this_thread.world = None


@overload
def run_here(
    program: Coroutine[object, None, T] | Callable[[], Coroutine[object, None, T]],
) -> T: ...
@overload
def run_here(program: Callable[[], T]) -> T: ...
def run_here(program: object) -> Any:
    """Run a program of the user in the world that this thread is in; see `run_program`."""
    world = this_thread.world
    assert world is not None, "simulated_world is entered first"
    with _closed_if_refused(program):
        if world.running:
            raise NotSimulated("a run inside a run", "await the program, or call it")
    kernel = world.kernel
    world.running = True
    kernel.failure = kernel.limit = None
    kernel.halted = False
    kernel.describe_stuck = partial(thread_report.report, world)
    kernel.find_circle = partial(thread_report.circle_beside_timers, world)
    kernel.nothing_reached = partial(nothing_reached, world)
    try:
        return _run(world, program)
    except Halt:
        raise kernel.why_halted() from None
    except Exception as error:
        _raise_failure(kernel, error)
        raise
    finally:
        kernel.describe_stuck, kernel.find_circle = str, no_circle
        kernel.nothing_reached = not_known
        world.running = False


def _run(world: World, program: Any) -> Any:  # noqa: ANN401 - see `run_program`
    try:
        result = program if _is_coroutine(program) else program()
        if _is_coroutine(result):
            result = program_loop.program_loop(world).run_until_complete(result)
        refuse_unrun(result)
    except BaseException:
        with ended_quietly():
            _end_loops(world)
        raise
    _end_loops(world)
    _raise_failure(world.kernel, None)
    return result


def _is_coroutine(thing: object) -> bool:
    """Without the generators that asyncio takes for coroutines on Python 3.11."""
    return asyncio.iscoroutine(thing) and inspect.isawaitable(thing)


def _end_loops(world: World) -> None:
    _tell_watcher(world)
    this_thread.current_loop = None
    with ExitStack() as ends:
        for loop in world.loops:
            if not loop.is_closed():
                ends.callback(end, loop)
        ends.callback(threads.end_threads, world)
    world.loops.clear()


def _tell_watcher(world: World) -> None:
    """Tell of what the program leaves behind, before it is cleared away."""
    watcher = world.kernel.watcher
    watcher.ended()
    if world.kernel.choices is not None:
        world.kernel.choices.leaks = held_for_ever()
    deaths, world.deaths = world.deaths, []
    for loop in world.loops:
        if loop.get_exception_handler() is None:
            deaths += unseen_deaths(loop)
    for death in sorted(deaths, key=lambda death: (death.order, death.task)):
        watcher.died(death)
        if world.kernel.choices is not None:
            world.kernel.choices.deaths.append(death.error)


def stand_ins() -> tuple[StandIn, ...]:
    """Everything that takes the place of a function while a world is open."""
    return (
        *_STAND_INS,
        *entropy.stand_ins_if_loaded(),
        *program_loop.stand_ins_if_loaded(),
    )


@contextmanager
def _changed_process_alone() -> Iterator[None]:
    processes.know_this_computer()
    with (
        no_collections(),
        entropy.generators_put_back(),
        in_all_modules(stand_ins()),
        on_their_owners((*_ATTRIBUTES, *sockets.attributes_if_loaded())),
        kept_methods.led_through_their_class(),
        clocks.virtual_datetime(),
        locks.parking_locks(),
        process_locks.parking_process_locks(),
        threads.ordered_sets(),
        threads.silent_ends(),
        program_loop.simulated_loops(),
    ):
        yield


_changed_process = SharedChange(_changed_process_alone)


@contextmanager
def _closed_if_refused(program: object) -> Iterator[None]:
    """A coroutine that never starts would warn that it was never awaited."""
    try:
        yield
    except NotSimulated:
        if (
            inspect.iscoroutine(program)
            and inspect.getcoroutinestate(program) == inspect.CORO_CREATED
        ):
            program.close()
        raise


def _raise_failure(kernel: Kernel, error: BaseException | None) -> None:
    """Let a run fail whose program swallows what it fails with, or a bound that was passed: its result would be wrong."""
    if kernel.halted and kernel.failure is not None and error is not kernel.failure:
        raise kernel.failure from None  # whatever the program made of it
    for unseen in (kernel.failure, kernel.limit):
        if unseen is not None and not _tells_of(unseen, error):
            raise unseen from error if isinstance(error, Exception) else None


def _tells_of(unseen: Exception, error: BaseException | None) -> bool:
    kind = type(unseen) if isinstance(unseen, NotSimulated | LimitExceeded) else ()
    todo, seen = [error], set()
    while todo:
        one = todo.pop()
        if one is unseen or isinstance(one, kind):
            return True
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            todo += [one.__cause__, one.__context__]
            todo += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
    return False
