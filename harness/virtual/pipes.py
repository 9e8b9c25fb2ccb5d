"""In-memory pipes between a program and a simulated process."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from harness.kernel.current_world import World, this_thread
from harness.virtual.commands import Command


class Owner(Protocol):
    """The simulated process at the other end of a pipe."""

    world: World
    command: Command
    returncode: int | None
    when_it_ends: list[Callable[[], object]]

    def wait_until(
        self, ready: Callable[[], bool], told_by: Pipe | None = None, until_s: float = math.inf
    ) -> bool:
        """Let virtual time pass while the program stands still; see `harness.virtual.child`."""


def _nobody() -> None:
    pass


class Pipe:
    """Unread bytes, without a limit, so that a writer never waits."""

    def __init__(self) -> None:
        self.data = bytearray()
        """What was written and not read yet."""
        self.ended = False
        """Whether nothing more will be written."""
        self.changed: Callable[[], object] = _nobody
        """Told of every change; set by the reader."""

    def write(self, data: bytes) -> None:
        """Put bytes in; those that come after the end are lost."""
        if data and not self.ended:
            self.data += data
            self.changed()

    def end(self) -> None:
        """Put nothing more in."""
        if not self.ended:
            self.ended = True
            self.changed()

    def take(self, most: int) -> bytes:
        """The next bytes, at most so many."""
        taken = bytes(self.data[:most])
        del self.data[:most]
        return taken


class _End(io.RawIOBase):
    """A program's end of a pipe, as a file without a descriptor."""

    def __init__(self, pipe: Pipe, child: Owner) -> None:
        super().__init__()
        self.pipe = pipe
        self.child = child

    def fileno(self) -> NoReturn:
        """Refused: a simulated pipe has no descriptor."""
        raise self.child.world.refuse(
            f"the file descriptor of a pipe of the simulated command `{self.child.command.line}`",
            "read and write the file object, call communicate(), or use asyncio.create_subprocess_exec.",
        )


class ReadEnd(_End):
    """Where a program reads what a simulated process writes; waits in virtual time."""

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - collections.abc.Buffer, from Python 3.12 on
        """Wait until there is something, or the end."""
        view = memoryview(buffer).cast("B")
        if this_thread.world is self.child.world:
            self.child.wait_until(lambda: bool(self.pipe.data) or self.pipe.ended, self.pipe)
        data = self.pipe.take(len(view))
        view[: len(data)] = data
        return len(data)


class WriteEnd(_End):
    """Where a program writes what a simulated process reads."""

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def write(self, data: Any) -> int:  # noqa: ANN401 - likewise
        """Put bytes in.

        Raises:
            BrokenPipeError: The process has ended.
        """
        if self.child.returncode is not None:
            raise BrokenPipeError(32, "Broken pipe")
        taken = bytes(data)
        self.pipe.write(taken)
        return len(taken)

    def close(self) -> None:
        """End the input of the process."""
        if not self.closed:
            self.pipe.end()
        super().close()
