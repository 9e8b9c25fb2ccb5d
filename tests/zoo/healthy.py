"""Programs without a bug, put together by chance: they survive what goes wrong, or fail cleanly and say so.

A step keeps its promises whatever one or two calls do: nothing is lost, nothing is done twice, nothing is left waiting. What
a step has to hold it notes as a fact, and the check of a program is that all facts are true.
"""

# ruff: noqa: TID251 - programs as users write them
from __future__ import annotations

import random
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from harness.sim import Sim
from tests.zoo.asking import Failed, Unusable, async_client, blocking_client, cleanly

AGENTS = ("planner", "worker", "critic", "writer", "clerk")

NUMBER = 300
"""How many there are."""


@dataclass
class Stage:
    """What the steps of one run share."""

    client: Any
    ledger: list[str] = field(default_factory=list)
    facts: list[tuple[str, bool]] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, holds: bool) -> None:
        """Note something that must hold."""
        with self.guard:
            self.facts.append((what, holds))


Step = Callable[[Stage], Awaitable[None]]
BlockingStep = Callable[[Stage, ThreadPoolExecutor], None]


@dataclass(frozen=True)
class Healthy:
    """A program, its surroundings, and what must hold of its output."""

    name: str
    program: Callable[[], Any]
    describe: Callable[[Sim], None]
    check: Callable[[Any], None]
    raises: bool
    """Whether it ends with the SDK's own error when a call fails for good; else it returns `Failed`."""


async def charge(ledger: list[str], key: str) -> str:
    """Charge somebody, once for each key; a simulated tool replaces it."""
    raise NotImplementedError(f"{ledger} {key}")


def charged(ledger: list[str], key: str) -> str:
    """What the tool does."""
    ledger.append(key)
    return f"charged {key}"


def describe(latencies_s: tuple[float, ...]) -> Callable[[Sim], None]:
    """The surroundings of a program, whose agents take so long."""

    def describe_in(sim: Sim) -> None:
        for agent, latency_s in zip(AGENTS, latencies_s, strict=True):
            sim.agent(
                agent,
                system=f"You are the {agent}.",
                reply=f"{agent} says so",
                latency_s=latency_s,
                allow_unused=True,
            )
        sim.tool("charge", result=charged, latency_s=0.7, replaces=f"{__name__}:charge")

    return describe_in


def check(output: Any) -> None:  # noqa: ANN401 - the program's
    """Raise an AssertionError if something does not hold."""
    if isinstance(output, Failed):
        return
    broken = [what for what, holds in output["facts"] if not holds]
    assert not broken, f"a healthy program broke its promise: {broken}"
    ledger = output["ledger"]
    assert len(ledger) == len(set(ledger)), f"a healthy program did something twice: {ledger}"


def healthy(seed: int) -> Healthy:
    """Put one together.

    Args:
        seed: Which; every fifth is of threads alone, and every third lets errors of the SDK out.
    """
    from tests.zoo.healthy_steps import MAKERS
    from tests.zoo.healthy_threads import BLOCKING_MAKERS

    rng = random.Random(seed)
    latencies_s = tuple(round(rng.uniform(0.5, 6.0), 3) for _ in AGENTS)
    timeout_s = 600.0 if seed % 10 == 7 else rng.choice([30.0, 40.0, 60.0])
    raises = seed % 3 == 0
    if seed % 5 == 0:
        makers = rng.choices(BLOCKING_MAKERS, k=rng.randint(1, 2))
        names = [it.__name__ for it in makers]
        whole = _blocking([make(rng) for make in makers], timeout_s)
    else:
        asynchronous = rng.choices(MAKERS, k=rng.randint(1, 3))
        names = [it.__name__ for it in asynchronous]
        whole = _async([make(rng) for make in asynchronous], timeout_s)
    name = f"healthy_{seed}_{'_'.join(names)}"
    program = whole if raises else cleanly(whole)
    program.__name__ = program.__qualname__ = name
    return Healthy(name, program, describe(latencies_s), check, raises)


def _async(steps: list[Step], timeout_s: float) -> Callable[[], Any]:
    async def program() -> dict[str, Any]:
        async with async_client(timeout=timeout_s) as client:
            stage = Stage(client)
            for step in steps:
                try:
                    await step(stage)
                except Unusable:  # cut off in the middle: this step has no result, and says so
                    stage.note("told", holds=True)
        return {"facts": stage.facts, "ledger": stage.ledger}

    return program


def _blocking(steps: list[BlockingStep], timeout_s: float) -> Callable[[], Any]:
    def program() -> dict[str, Any]:
        with blocking_client(timeout=timeout_s) as client, ThreadPoolExecutor(3) as pool:
            stage = Stage(client)
            for step in steps:
                try:
                    step(stage, pool)
                except Unusable:
                    stage.note("told", holds=True)
        return {"facts": stage.facts, "ledger": stage.ledger}

    return program
