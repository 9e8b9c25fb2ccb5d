"""A simulated child process: a program starts it, waits for it and reads from it in virtual time."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Protocol

from harness.kernel.current_world import World
from harness.kernel.process import Process, Steps
from harness.kernel.sim_thread import Waiter
from harness.units import whole_microseconds
from harness.virtual.commands import Command, Result, Running, Talk
from harness.virtual.pipes import Pipe

_FIRST_PID = 2**22 + 1
"""Linux numbers no process above 2**22, so such a number never belongs to a real process, even after the run."""

_HARMLESS = frozenset(
    getattr(signal, name)
    for name in [
        "SIGCHLD",
        "SIGCONT",
        "SIGURG",
        "SIGWINCH",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
    ]
    if hasattr(signal, name)
) | {0}
"""Signals that end no process. One that would be stopped just goes on."""


def _whole(latency_s: float) -> float:
    return latency_s if math.isinf(latency_s) else whole_microseconds(latency_s)


class Sink(Protocol):
    """Where the output of a process goes."""

    def write(self, data: bytes) -> None:
        """Put bytes in."""

    def end(self) -> None:
        """End the output; may be called twice."""


class Nowhere:
    """A `/dev/null`."""

    def write(self, data: bytes) -> None:
        """Forget them."""

    def end(self) -> None:
        """There is nothing to close."""


class ToFile:
    """A file that the program handed over; it has a descriptor of its own, since the program may close its one.

    Args:
        descriptor: Of the program's file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = os.dup(descriptor)
        self._open = True

    def write(self, data: bytes) -> None:
        """Write them all."""
        rest = memoryview(data)
        with suppress(BrokenPipeError):
            while rest and self._open:
                rest = rest[os.write(self._descriptor, rest) :]

    def end(self) -> None:
        """Close it."""
        if self._open:
            self._open = False
            os.close(self._descriptor)


class Child:
    """A simulated process; it ends by itself, or by a signal.

    Args:
        world: Where it runs.
        command: What it runs.
        running: Who answers for it.
        stdin: What it reads.
        fed: Whether the program itself writes what it reads.
        stdout: Where its output goes.
        stderr: Likewise.
    """

    def __init__(
        self,
        world: World,
        command: Command,
        running: Running | Talk,
        *,
        stdin: Pipe,
        fed: bool,
        stdout: Sink,
        stderr: Sink,
    ) -> None:
        self.world = world
        self.command = command
        self.pid = _FIRST_PID + len(world.children)
        self.returncode: int | None = None
        self.fed = fed
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self.when_it_ends: list[Callable[[], object]] = []
        """Called at its end."""
        self._running = running
        self._ends_s = world.kernel.now_s() + _whole(running.latency_s)
        """When it will end; infinity while it waits for its input, and for one that hangs."""
        self._told_of_the_end: Callable[[], None] = lambda: None
        world.children[self.pid] = self
        steps = self._talk(running) if isinstance(running, Talk) else self._steps(running)
        self._process = Process(world.kernel, steps)

    def _talk(self, talk: Talk) -> Steps:
        yield self._ends_s
        self._ends_s = math.inf
        talk.begin(self)
        self._hear(talk)
        self.stdin.changed = lambda: self._hear(talk)
        if not self.stdin.ended:
            yield self._when_it_hears_the_end
        yield self.world.kernel.now_s()  # what is answered at once is still answered
        talk.end()
        self._end(Result(returncode=0))

    def _hear(self, talk: Talk) -> None:
        if self.returncode is None:
            talk.hear(self.stdin.take(len(self.stdin.data)))
            if self.stdin.ended:
                self._told_of_the_end()

    def _when_it_hears_the_end(self, go_on: Callable[[], None]) -> None:
        self._told_of_the_end = go_on

    def say(self, data: bytes) -> None:
        """Write to the standard output."""
        if self.returncode is None:
            self.stdout.write(data)

    def leave(self, returncode: int) -> None:
        """End by itself, now."""
        if self.returncode is None:
            self._process.stop()
            self._end(Result(returncode=returncode))

    def _steps(self, running: Running) -> Steps:
        yield self._ends_s
        if running.needs_input and not self.stdin.ended:
            self._ends_s = math.inf
            yield self._when_input_ends
        try:
            result = running.finish(self.stdin.take(len(self.stdin.data)))
        except Exception as error:
            # A program that waits for a process may swallow it, as tools of agents do.
            self.world.kernel.fail(error, halt=False)
            raise
        self._end(result)

    def _when_input_ends(self, go_on: Callable[[], None]) -> None:
        def changed() -> None:
            if self.stdin.ended:
                go_on()

        self.stdin.changed = changed

    def signal(self, number: int) -> None:
        """Send it a signal, which ends it now or does nothing.

        Raises:
            ProcessLookupError: It has ended before.
        """
        if self.returncode is not None:
            raise ProcessLookupError(3, "No such process")
        if number not in _HARMLESS:
            self._process.stop()
            if isinstance(self._running, Talk):
                self._running.end()
            else:
                self._running.stop(number)
            self._end(Result(returncode=-number))

    def wait_until(
        self, ready: Callable[[], bool], told_by: Pipe | None = None, until_s: float = math.inf
    ) -> bool:
        """Let virtual time pass while the program waits.

        Args:
            ready: What it waits for; asked again at its end and when the pipe changes.
            told_by: The pipe.
            until_s: Latest time to wake [s].

        Returns:
            Whether it is ready.
        """
        kernel, thread = self.world.kernel, Waiter("a process")
        began_s = kernel.now_s()
        wake = partial(kernel.wake, thread)
        self.when_it_ends.append(wake)
        before = None if told_by is None else told_by.changed
        if told_by is not None:
            told_by.changed = wake
        try:
            while not ready():
                if (
                    not kernel.park(thread, min(until_s, self._ends_s))
                    and kernel.now_s() >= until_s
                ):
                    return ready()
            return True
        finally:
            if told_by is not None and before is not None:
                told_by.changed = before
            thread.woken = False  # or its next sleep would be short
            self.world.note_blocked(began_s)
            self.world.count_turn()
            if wake in self.when_it_ends:
                self.when_it_ends.remove(wake)

    def _end(self, result: Result) -> None:
        self.returncode = result.returncode
        self.stdout.write(result.stdout)
        self.stderr.write(result.stderr)
        self.stdout.end()
        self.stderr.end()
        for told in self.when_it_ends[:]:
            told()
