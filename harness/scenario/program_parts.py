"""What a program of your own uses besides models: functions that are replaced, and commands that it runs."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le
from pydantic import JsonValue

from harness.chance.distributions import AnyDistribution, Constant
from harness.scenario.section import Section
from harness.units import Probability


class ProgramTool(Section):
    """A function of your program that is replaced by a simulated tool."""

    replaces: str
    """The function, as `module:function`, where the program looks it up. It is async or plain as that function is."""
    result: JsonValue = "done"
    """What it returns."""
    latency_s: AnyDistribution = Constant(0.0)
    """How long one use takes [s]."""
    failure_probability: Probability = 0.0
    """Share of uses that raise a `ToolError`, after their latency; they take no effect."""
    idempotency_key: str | None = None
    """The argument that is its idempotency key: a use whose key is known takes no effect again, and is answered like the first.
    Absent means that each use has a key of its own."""


class ProgramProcess(Section):
    """A command that your program runs in another process; none is started. Its name is a glob for the command line."""

    stdout: str = ""
    """What it writes to its standard output."""
    stderr: str = ""
    """What it writes to its standard error."""
    returncode: Annotated[int, Ge(-64), Le(255)] = 0
    """How it ends; below 0 for a signal."""
    latency_s: AnyDistribution = Constant(0.0)
    """How long it takes [s]."""
    failure_probability: Probability = 0.0
    """Share of uses that end with return code 1, after their latency; they take no effect."""
