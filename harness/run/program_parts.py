"""The tools and processes that a scenario describes for a program, in one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

from harness.run.commands import SimProcess, described
from harness.run.program_world import ProgramWorld
from harness.run.replacing import replaced
from harness.run.tools import SimTool
from harness.scenario import TargetScenario
from harness.scenario.program_parts import ProgramProcess, ProgramTool


@contextmanager
def parts_in_place(spec: TargetScenario, world: ProgramWorld) -> Iterator[None]:
    """Context manager: functions are replaced by tools, and commands are answered for. The modules of the run must be imported.

    Args:
        spec: What describes them.
        world: The run.

    Raises:
        HarnessError: There is no function that a tool replaces.
    """
    tools = [_tool(name, part, world) for name, part in spec.tools.items()]
    processes = [_process(glob, part) for glob, part in spec.processes.items()]
    with replaced(tools), described(world, processes):
        yield


def _tool(name: str, part: ProgramTool, world: ProgramWorld) -> SimTool:
    def result(*_: object, **__: object) -> object:
        return deepcopy(part.result)  # the program may change it

    tool = SimTool(
        name,
        result,
        part.latency_s,
        part.failure_probability,
        part.replaces,
        part.idempotency_key,
    )
    tool.attach(lambda: world)
    return tool


def _process(glob: str, part: ProgramProcess) -> SimProcess:
    return SimProcess(
        glob,
        stdout=part.stdout,
        stderr=part.stderr,
        returncode=part.returncode,
        latency_s=part.latency_s,
        failure_probability=part.failure_probability,
        allow_unused=True,
    )
