"""Commands that a program runs in other processes, and the simulated commands that answer them.

No process is started inside a run. When a program starts one, `harness.virtual.processes` asks the commands that are
set for this thread; a command that is not described is refused.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from harness.kernel.current_world import World, this_thread

_ADVICE = (
    'describe the command in the test, as in `sim.process("git push*", stdout="ok")`, an MCP server by '
    '`sim.mcp("files", command="npx *", tools=[...])`, or replace what runs it.'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that a program runs in a process of its own."""

    argv: tuple[str, ...]
    """The program and its arguments; of a shell's command `("/bin/sh", "-c", line)`."""
    line: str
    """As it is typed: the command of a shell as it is, and other arguments quoted as a shell needs it."""
    cwd: str | None = None
    """The working directory; None means the program's own."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Its environment variables."""
    stdin: bytes = b""
    """All of its standard input."""
    number: int = 1
    """1 for the first use of its description in a run."""

    @property
    def stdin_text(self) -> str:
        """Its standard input as text in UTF-8."""
        return self.stdin.decode("utf-8", errors="replace")


def command_of(args: object, shell: bool, cwd: object = None, env: object = None) -> Command:  # noqa: FBT001 - as Popen
    """The command that `subprocess.Popen` is told to run."""
    one = isinstance(args, str | bytes | os.PathLike)
    parts = [os.fsdecode(part) for part in ([args] if one else args)]  # type: ignore[attr-defined]  # a sequence
    given = os.environ if env is None else env
    return Command(
        argv=("/bin/sh", "-c", *parts) if shell else tuple(parts),
        line="".join(parts[:1]) if shell else shlex.join(parts),
        cwd=None if cwd is None else os.fsdecode(cwd),  # type: ignore[arg-type]  # as Popen wants it
        env={os.fsdecode(name): os.fsdecode(value) for name, value in given.items()},  # type: ignore[attr-defined]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a command."""

    returncode: int
    stdout: bytes = b""
    stderr: bytes = b""


class Running(Protocol):
    """A command from its beginning to its end."""

    latency_s: float
    """How long it takes [s]; infinity for one that hangs."""
    needs_input: bool
    """Whether it reads its standard input to the end before it answers."""

    def finish(self, stdin: bytes) -> Result:
        """End the command and set its result."""

    def stop(self, number: int) -> None:
        """A signal has ended it."""


class Talker(Protocol):
    """A process as what talks for it sees it."""

    def say(self, data: bytes) -> None:
        """Write to its standard output."""

    def leave(self, returncode: int) -> None:
        """End it now."""


@runtime_checkable
class Talk(Protocol):
    """A command that answers while it runs, such as a server on its standard input and output."""

    latency_s: float
    """How long it takes to start [s]."""

    def begin(self, talker: Talker) -> None:
        """It has started; what was written before comes next."""

    def hear(self, data: bytes) -> None:
        """Take what the program has written to its standard input; called by whoever writes, or at its start."""

    def end(self) -> None:
        """It has ended: its standard input did, or a signal came. May be called twice."""


class Commands(Protocol):
    """The simulated commands of a thread."""

    def begin(self, command: Command) -> Running | Talk | str:
        """Start a command, or raise an error that lists the described ones."""


@contextmanager
def answered_by(commands: Commands) -> Iterator[None]:
    """Context manager: commands that a program runs in this thread are answered for."""
    outer, this_thread.commands = this_thread.commands, commands
    try:
        yield
    finally:
        this_thread.commands = outer


def begin(world: World, command: Command) -> Running | Talk:
    """Begin a command.

    Raises:
        NotSimulated: The command is not described.
    """
    commands: Commands | None = this_thread.commands
    begun = "" if commands is None else commands.begin(command)
    if isinstance(begun, str):
        raise world.refuse(f"the command `{command.line}`", f"{_ADVICE}{begun}")
    return begun
