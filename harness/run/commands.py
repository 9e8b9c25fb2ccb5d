"""Simulated commands that a test describes: their output, exit code and duration."""

from __future__ import annotations

import difflib
import fnmatch
import shlex
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from harness.chance.distributions import AnyDistribution
from harness.errors import HarnessError
from harness.run.process_faults import fate_of
from harness.run.program_world import ProgramWorld
from harness.spans import CANCELLED, ERROR, OK, TOOL
from harness.virtual.commands import Command, Result, Talk, answered_by
from harness.wire.routing import scope_here

Output = str | bytes | Callable[[Command], str | bytes]
"""What a command writes, or a function of the command that says it."""
Code = int | Callable[[Command], int]
"""How a command ends, or a function of the command that says it."""

_FAILED = 1
"""The return code of a use that fails by chance."""


class SimProcess:
    """A command as a test describes it.

    Args:
        command: A glob for the command line.
        stdout: What it writes to its standard output.
        stderr: What it writes to its standard error.
        returncode: How it ends.
        latency_s: How long it takes [s].
        failure_probability: Share of uses that fail, after their latency.
        allow_unused: Whether it may remain unused without an error.
    """

    def __init__(
        self,
        command: str,
        *,
        stdout: Output,
        stderr: Output,
        returncode: Code,
        latency_s: AnyDistribution,
        failure_probability: float,
        allow_unused: bool,
    ) -> None:
        if not str(command).strip():
            raise HarnessError(
                f"a process is described by a glob for its command line (got {command!r})\n"
                '  How to fix: sim.process("git push*", stdout="ok")'
            )
        self.command = command
        self.uses: list[Command] = []
        """The commands that were run, each with its standard input once it has ended."""
        self.allow_unused = allow_unused
        self.stdout, self.stderr, self.returncode = stdout, stderr, returncode
        self.latency_s = latency_s
        self.failure_probability = failure_probability
        for what, value in (("stdout", stdout), ("stderr", stderr)):
            if not callable(value):
                _output(command, what, value)
        if not callable(returncode):
            _code(command, returncode)

    def __repr__(self) -> str:
        return f"<process {self.command!r}: {len(self.uses)} uses>"

    def meets(self, command: Command) -> bool:
        """Whether it describes a command; the folder of the program, as in `/usr/bin/git push`, may be left out."""
        return is_of(self.command, command)

    @property
    def needs_input(self) -> bool:
        """Whether what it answers may depend on its standard input."""
        return any(map(callable, (self.stdout, self.stderr, self.returncode)))

    def answer(self, command: Command) -> Result:
        """The result of a command."""
        stdout, stderr, code = (
            value(command) if callable(value) else value
            for value in (self.stdout, self.stderr, self.returncode)
        )
        return Result(
            returncode=_code(self.command, code),
            stdout=_output(self.command, "stdout", stdout),
            stderr=_output(self.command, "stderr", stderr),
        )


def is_of(glob: str, command: Command) -> bool:
    """Whether a command line matches a glob, with or without the folder of its program."""
    lines = [command.line]
    if command.line == shlex.join(command.argv):
        program, *arguments = command.argv
        lines.append(shlex.join([Path(program).name, *arguments]))
    return any(fnmatch.fnmatchcase(line, glob) for line in lines)


def _output(command: str, what: str, value: object) -> bytes:
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, bytes):
        return value
    raise HarnessError(
        f"process {command!r}: {what} is text, bytes, or a function of the command that gives one (got {value!r})"
    )


def _code(command: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and -64 <= value <= 255:
        return value
    raise HarnessError(
        f"process {command!r}: returncode is a whole number from 0 to 255, or below 0 for a signal, or a function of "
        f"the command that gives one (got {value!r})"
    )


class _Use:
    """One run of a command.

    Args:
        world: The run.
        process: The description of the command.
        command: The command.
        last: The last result of each description in the run; this one is added at its end.
    """

    def __init__(
        self, world: ProgramWorld, process: SimProcess, command: Command, last: dict[str, Result]
    ) -> None:
        number, self._asked = world.begin_use(process.command)
        scope = scope_here(world.root)
        key = f"{scope.span.task}/process/{process.command}/{number}"
        self._world, self._process, self._last = world, process, last
        self._command = replace(command, number=number)
        self._place = len(process.uses)
        process.uses.append(self._command)
        self._span = world.log.open(
            TOOL, process.command, scope.span, scope.agent or "", ordinal=number
        )
        self._mishap = world.mishap(
            process.command, self._span, key, used_before=process.command in last
        )
        self._fails = world.draws.uniform(key, "failure") < process.failure_probability
        wait_s = 0.0 if self._mishap is None else self._mishap.wait_s
        self.latency_s = process.latency_s.sample(world.draws, key, "latency") + wait_s
        self.needs_input = process.needs_input and not self._fails
        self.ended = False

    def finish(self, stdin: bytes) -> Result:
        command = replace(self._command, stdin=stdin)
        self._process.uses[self._place] = command
        before = self._last.get(self._process.command)
        try:
            if self._fails:
                result, effects = self._failure(), 0
            else:
                result, effects = fate_of(
                    self._mishap, lambda: self._process.answer(command), before
                )
        except Exception as error:
            self._close(ERROR, 0, type(error).__name__)
            raise
        if result.returncode == 0:
            self._last[self._process.command] = result
            self._close(OK, effects)
        else:
            self._close(ERROR, effects, f"returncode {result.returncode}")
        return result

    def stop(self, number: int) -> None:
        self.cut_off(signal.Signals(number).name)

    def cut_off(self, error: str = "") -> None:
        """End it before its time; it may have done its work."""
        self._close(CANCELLED, 1 if self._mishap is None else self._mishap.effects, error)

    def _close(self, status: str, effects: int, error: str = "") -> None:
        if not self.ended:
            self.ended = True
            self._span.error = error
            self._world.log.close(self._span, status)
            command = self._process.command
            self._world.end_use(command, self._command.line, self._span, self._asked)
            for _ in range(effects):
                self._world.note_effect(self._process.command, None, [self._command.line])

    def _failure(self) -> Result:
        said = f"{self._process.command}: failed, as it was described\n"
        return Result(returncode=_FAILED, stderr=said.encode())


class Servers(Protocol):
    """Servers that run as commands."""

    @property
    def commands(self) -> list[str]:
        """The globs of their command lines."""

    def begin(self, command: Command) -> Talk | None:
        """The server that a command starts; None if it starts none."""


class _Described:
    """All commands that a test describes, in one run."""

    def __init__(
        self, world: ProgramWorld, processes: Sequence[SimProcess], servers: Servers | None
    ) -> None:
        self._world = world
        self._processes = processes
        self._servers = servers
        self.uses: list[_Use] = []
        self._last: dict[str, Result] = {}

    def begin(self, command: Command) -> _Use | Talk | str:
        process = next((one for one in self._processes if one.meets(command)), None)
        if process is None:
            globs = [one.command for one in self._processes]
            if self._servers is None:
                return _nearest(command, globs)
            return self._servers.begin(command) or _nearest(command, globs + self._servers.commands)
        use = _Use(self._world, process, command, self._last)
        self.uses.append(use)
        return use


def _nearest(command: Command, described: Sequence[str]) -> str:
    if not described:
        return ""
    near = max(described, key=lambda one: difflib.SequenceMatcher(None, one, command.line).ratio())
    return f"\n  The nearest of {len(described)} described: {near!r}"


@contextmanager
def described(
    world: ProgramWorld, processes: Sequence[SimProcess], servers: Servers | None = None
) -> Iterator[None]:
    """Context manager: the commands that a test describes are answered for; those that still run at the end are cut off.

    Args:
        world: The run.
        processes: The commands, in the order in which they are asked.
        servers: Asked after them; None for none.
    """
    commands = _Described(world, processes, servers)
    try:
        with answered_by(commands):
            yield
    finally:
        for use in commands.uses:
            use.cut_off()
