"""Event loops of a user's program: created by the kernel wherever the program asks asyncio for one."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from asyncio import events
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from types import ModuleType
from typing import Any, TypeVarTuple

from harness.errors import NotSimulated
from harness.kernel.choosing import ChoosingLoop
from harness.kernel.current_world import World, this_thread
from harness.kernel.loop import SimLoop, running
from harness.kernel.watcher import death_of
from harness.virtual import subprocesses
from harness.virtual.importing import is_importing
from harness.virtual.patching import Attribute, StandIn, method, stand_in
from harness.virtual.pipes import ReadEnd, WriteEnd
from harness.virtual.servers import Listener, listen

Ts = TypeVarTuple("Ts")

_NO_REAL_SOCKETS = "give the server a host and a port; it listens in memory."
_NO_REAL_PIPES = (
    "use asyncio.create_subprocess_exec, or keep real input and output out of a simulated run."
)


class ProgramLoop(SimLoop):
    """A simulated loop for a program that may use threads."""

    runs_in_import = False
    """Whether a module that is being imported runs it."""

    def __init__(self, world: World) -> None:
        super().__init__(world.kernel)
        self.world = world
        world.loops.append(self)

    def _run_once(self) -> None:
        super()._run_once()
        self.world.count_turn()

    def run_until_complete(self, future: Any) -> Any:  # noqa: ANN401 - as asyncio's
        """Run until a future is done, and report the tasks that still run."""
        try:
            return super().run_until_complete(future)
        finally:
            self.kernel.watcher.ended()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Record tasks whose exception was never retrieved, then call asyncio's handler; a handler of the program counts as retrieval."""
        if self.get_exception_handler() is None and "never retrieved" in context.get("message", ""):
            death = death_of(context["future"])
            if death is not None:
                self.world.deaths.append(death)
        super().call_exception_handler(context)

    # A program's loop does what a pattern's refuses: its threads are simulated.
    run_in_executor = asyncio.BaseEventLoop.run_in_executor  # type: ignore[assignment]

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Any = None,  # noqa: ANN401 - a Context
    ) -> asyncio.Handle:
        """Call back in the next turn; refused from a thread that is not the loop's own.

        Raises:
            NotSimulated: A real thread calls, at a moment that no seed decides; or the loop is one of an earlier run.
        """
        if this_thread.world is None:
            raise NotSimulated(
                f"a call from another thread into the loop ({threading.current_thread().name})",
                "keep what runs in other threads apart from the program under test. If a library calls from a thread of its "
                'own, in C or Rust, let the call that it answers stay real: `sim.real("module:function")`.',
            )
        if this_thread.world is not self.world:
            raise NotSimulated(
                "a loop of an earlier run, which is over",
                "make the loop inside of the run. If a library starts one when it is imported, import it before the run.",
            )
        return super().call_soon_threadsafe(callback, *args, context=context)

    # -- servers ------------------------------------------------------------------------------------------------

    async def create_server(  # type: ignore[override]  # asyncio's has four overloads
        self,
        protocol_factory: Callable[[], Any],
        host: Any = None,  # noqa: ANN401 - as asyncio's
        port: Any = None,  # noqa: ANN401 - likewise
        *,
        sock: object = None,
        start_serving: bool = True,
        **_: object,
    ) -> Listener:
        """Begin a server, which listens in memory; TLS is left out, as below clients. A socket of the program's own is refused.

        Raises:
            NotSimulated: It is to listen on a real socket.
            OSError: The port is taken.
        """
        if sock is not None:
            raise self.world.refuse("loop.create_server(sock=...)", _NO_REAL_SOCKETS)
        return listen(self, self.world, protocol_factory, host, port, at_once=start_serving)

    # -- processes and signals ----------------------------------------------------------------------------------

    subprocess_exec = asyncio.BaseEventLoop.subprocess_exec
    subprocess_shell = asyncio.BaseEventLoop.subprocess_shell

    async def _make_subprocess_transport(
        self,
        *args: Any,  # noqa: ANN401 - as asyncio calls it
        **kwargs: Any,  # noqa: ANN401 - likewise
    ) -> subprocesses.ProcessTransport:
        return await subprocesses.started(self, args, kwargs)

    async def connect_read_pipe(self, protocol_factory: Callable[[], Any], pipe: Any) -> Any:  # noqa: ANN401 - as asyncio
        """Read from a simulated process; a real pipe is refused."""
        if not isinstance(pipe, ReadEnd):
            raise self.world.refuse("loop.connect_read_pipe", _NO_REAL_PIPES)
        protocol = protocol_factory()
        return await subprocesses.connected(
            lambda: subprocesses.ReadTransport(self, pipe, protocol), protocol
        )

    async def connect_write_pipe(self, protocol_factory: Callable[[], Any], pipe: Any) -> Any:  # noqa: ANN401 - as asyncio
        """Write to a simulated process; a real pipe is refused."""
        if not isinstance(pipe, WriteEnd):
            raise self.world.refuse("loop.connect_write_pipe", _NO_REAL_PIPES)
        protocol = protocol_factory()
        return await subprocesses.connected(
            lambda: subprocesses.WriteTransport(self, pipe, protocol), protocol
        )

    def add_signal_handler(self, sig: int, callback: Callable[..., object], *args: object) -> None:
        """Set a handler, which is never called (`harness.virtual.signals`)."""
        signal.signal(sig, partial(_call_handler, callback, args))

    def remove_signal_handler(self, sig: int) -> bool:
        """Forget a handler; returns whether there was one."""
        return self.world.signal_handlers.pop(sig, None) is not None


class LoopAside(ProgramLoop):
    """The loop of async functions that are called beside the program (`harness.virtual.aside`)."""

    is_aside = True

    # Nothing of the program ends with it.
    run_until_complete = SimLoop.run_until_complete


class _ChoosingProgramLoop(ChoosingLoop, ProgramLoop):
    """A program's loop in a recorded run."""


def program_loop(world: World) -> ProgramLoop:
    """Make a loop for a program, one that chooses where the world's kernel does."""
    if world.kernel.choices is None:
        return ProgramLoop(world)
    return _ChoosingProgramLoop(world)


def _call_handler(callback: Callable[..., object], args: tuple[object, ...], *_: object) -> None:
    callback(*args)


class _Policy:
    """asyncio's policy, which in a world makes simulated loops and elsewhere is the one that was there."""

    def __init__(self, stock: asyncio.AbstractEventLoopPolicy) -> None:
        self.stock = stock

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the other policy has
        return getattr(self.stock, name)

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        world = this_thread.world
        return self.stock.new_event_loop() if world is None else program_loop(world)

    def set_event_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        world = this_thread.world
        if world is None:
            self.stock.set_event_loop(loop)
        else:
            this_thread.current_loop = loop

    def get_event_loop(self) -> asyncio.AbstractEventLoop:
        world = this_thread.world
        if world is None:
            return self.stock.get_event_loop()
        if this_thread.current_loop is None:
            this_thread.current_loop = program_loop(world)
        return this_thread.current_loop


@contextmanager
def simulated_loops() -> Iterator[None]:
    """Context manager: `asyncio.run`, `Runner`, `new_event_loop` and `get_event_loop` give simulated loops in a world."""
    stock = asyncio.get_event_loop_policy()
    policy = _Policy(stock)
    events._event_loop_policy = policy  # type: ignore[attr-defined]  # noqa: SLF001 - C asks here, and nowhere else
    try:
        yield
    finally:
        if events._event_loop_policy is policy:  # type: ignore[attr-defined]  # noqa: SLF001
            events._event_loop_policy = stock  # type: ignore[attr-defined]  # noqa: SLF001


def _run_forever(_: World, loop: asyncio.BaseEventLoop) -> None:
    if not isinstance(loop, SimLoop):
        raise NotSimulated(
            f"an event loop of your own ({type(loop).__name__})",
            "let asyncio.run, asyncio.Runner or asyncio.new_event_loop make it.",
        )
    if isinstance(loop, ProgramLoop):
        loop.runs_in_import = is_importing(sys._getframe(1))  # noqa: SLF001 - see `harness.virtual.entropy`
    _stock_run_forever(loop)


def _make_runner(
    _: World,
    runner: asyncio.Runner,
    *,
    debug: bool | None = None,
    loop_factory: object = None,  # such as uvloop's, which is written in C and knows no other clock
) -> None:
    _stock_make_runner(runner, debug=debug)


def _current_task(loop: asyncio.AbstractEventLoop | None = None) -> asyncio.Task[object] | None:
    """The same, without asking the operating system for the process; HTTP clients ask at every step."""
    loop = running.loop if loop is None else loop
    return _stock_current_task() if loop is None else _current_tasks.get(loop)


def _set_policy(_: World, __: object) -> None:
    """A program may ask for uvloop, and has a simulated loop all the same."""


_stock_current_task = asyncio.current_task
_current_tasks = asyncio.tasks._current_tasks  # type: ignore[attr-defined]  # noqa: SLF001 - where the stock one looks
_stock_run_forever = asyncio.BaseEventLoop.run_forever
_stock_make_runner = asyncio.Runner.__init__

STAND_INS: tuple[StandIn, ...] = (
    stand_in(asyncio.set_event_loop_policy, _set_policy),
    # Not gated: outside of a world there is no loop here, and the original is asked as ever.
    StandIn(asyncio.current_task, _current_task),
)
ATTRIBUTES: tuple[Attribute, ...] = (
    method(asyncio.BaseEventLoop, "run_forever", _run_forever),
    method(asyncio.Runner, "__init__", _make_runner),
)


# -- uvloop -------------------------------------------------------------------------------------------------


def stand_ins_if_loaded() -> tuple[StandIn, ...]:
    """Stand-ins for uvloop's own functions, if it is loaded."""
    uvloop = sys.modules.get("uvloop")
    return () if uvloop is None else _uvloop_stand_ins(uvloop)


@lru_cache(1)
def _uvloop_stand_ins(uvloop: ModuleType) -> tuple[StandIn, ...]:
    return (
        stand_in(uvloop.run, _uvloop_run),
        stand_in(uvloop.new_event_loop, program_loop),
    )


def _uvloop_run(
    _: World, main: Coroutine[object, None, Any], *, debug: bool | None = None, **__: object
) -> Any:  # noqa: ANN401 - whatever the program returns
    with asyncio.Runner(debug=debug) as runner:
        return runner.run(main)
