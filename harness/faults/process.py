"""Faults of processes that a program starts, each at one use of a command. A tool that is no command just fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from annotated_types import Interval

from harness.faults.api import Mishap, ToolFault

ExitCode = Annotated[int, Interval(ge=1, le=255)]
"""The exit code of a process that fails."""

Signal = Literal["SIGHUP", "SIGINT", "SIGABRT", "SIGKILL", "SIGSEGV", "SIGPIPE", "SIGTERM"]
"""A signal that ends a process."""

_NUMBERS: Final[Mapping[Signal, int]] = {
    "SIGHUP": 1,
    "SIGINT": 2,
    "SIGABRT": 6,
    "SIGKILL": 9,
    "SIGSEGV": 11,
    "SIGPIPE": 13,
    "SIGTERM": 15,
}
"""As POSIX numbers them; `signal` lacks some on some systems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessExits(ToolFault):
    """The process ends with an exit code that tells of a failure, writes no output, and takes no effect."""

    code: ExitCode = 1
    """The exit code, such as 128 of git, or 127 of a shell that finds no such command."""
    message: str = ""
    """What it writes to its standard error; absent means its exit code."""

    def mishap(self) -> Mishap:
        """An exit code."""
        error = self.message or f"exit code {self.code}"
        return Mishap(0, error=error, breaks="server", returncode=self.code)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessKilled(ToolFault):
    """The process is killed by a signal at its end, as when memory is short; its output is lost, and it takes no effect.

    With `after_effect` it takes its effect, and crashes before it can say so.
    """

    signal: Signal = "SIGKILL"
    """The signal."""
    after_effect: bool = False
    """Whether the process takes its effect first."""

    def mishap(self) -> Mishap:
        """A signal."""
        return Mishap(
            effects=int(self.after_effect),
            error=f"killed by {self.signal}",
            breaks="server",
            returncode=-_NUMBERS[self.signal],
        )
