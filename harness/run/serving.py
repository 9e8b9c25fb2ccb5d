"""The servers of a scenario on a real socket, and the calls they served."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from harness import wall
from harness.metrics import tally
from harness.run.functions import modules_of_run
from harness.run.one import RunResult
from harness.run.program_world import ProgramWorld
from harness.run.wiring import surroundings
from harness.scenario import LoadedScenario
from harness.scenario.functions import find_function
from harness.spans import OK
from harness.wire.serve import serve


def serve_scenario(
    scenario: LoadedScenario,
    *,
    host: str,
    port: int,
    speed: float,
    ready: Callable[[int], None],
    tell: Callable[[str], None],
) -> RunResult:
    """Answer on a socket until SIGINT or SIGTERM comes.

    Args:
        scenario: Says who is there.
        host: The address to listen at.
        port: The port; 0 means any that is free.
        speed: Virtual seconds in a real one.
        ready: Called with the port as soon as clients may come.
        tell: Writes a line on the server's terminal, about requests that could not be answered.

    Returns:
        What was asked and answered, as one task.

    Raises:
        OSError: The port cannot be had.
    """
    with modules_of_run(scenario):
        return _served(scenario, host, port, speed, ready, tell)


def _served(
    scenario: LoadedScenario,
    host: str,
    port: int,
    speed: float,
    ready: Callable[[int], None],
    tell: Callable[[str], None],
) -> RunResult:
    began_s = wall.elapsed_s()
    found = surroundings(scenario, find_function)
    world = ProgramWorld(
        scenario.spec.seed,
        providers=found.providers,
        roles=found.roles,
        faults=found.faults,
        latency_factors=found.latency_factors,
        horizon_s=math.inf,  # a server has no end
        calls_per_task=math.inf,
        repeats_per_task=math.inf,
        allow_unmatched=True,  # there is no test to fail, and other clients to answer
    )
    world.kernel.instants_without_call = math.inf
    try:
        asyncio.run(serve(world.server, host, port, speed, ready, tell))  # noqa: TID251 - the real clock is what is wanted
    finally:
        world.end()
        world.log.close(world.root.span, OK)
    return RunResult(
        seed=scenario.spec.seed,
        status="done",
        spans=world.log.spans,
        events=world.log.events,
        tally=tally(world.log.spans, agents=scenario.spec.agents),
        faults_met=world.faults_met,
        wall_s=wall.elapsed_s() - began_s,
    )
