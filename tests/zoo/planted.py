"""What a planted bug is, and the decorator that makes one of a program."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.sim import Sim
from tests.zoo.asking import Failed, cleanly

Kind = Literal[
    "latency race",
    "pair of faults",
    "pair of latencies",
    "fault and latency",
    "fault and cancellation",
    "tie",
    "outside cancellation",
    "permit leak",
    "repeated effect",
    "stale cache",
    "lost message",
    "thread race",
    "livelock",
    "silence in a stream",
]


@dataclass(frozen=True)
class Fault:
    """A fault of one call."""

    agent: str
    call: int
    kind: str = "overloaded"
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Late:
    """A call that is served in a stated time."""

    agent: str
    call: int
    for_s: float


@dataclass(frozen=True)
class Shift:
    """A sleep, or another timer, that fires later."""

    task: str
    number: int = 1
    kind: str = "sleep"
    by_s: float = 1e-9


@dataclass(frozen=True)
class Cancel:
    """A task that is cancelled from outside."""

    task: str
    at_s: float


@dataclass(frozen=True)
class Order:
    """Ready threads that run in the order which a seed chooses, and not in that of their arrival."""

    seed: int


@dataclass(frozen=True)
class Tool:
    """What one use of a simulated tool comes to."""

    use: str
    """The path of the task that uses it, the name of the tool, and which use."""
    outcome: Literal["fails", "lost", "dropped"]


Deviation = Fault | Late | Shift | Cancel | Order | Tool


@dataclass(frozen=True)
class Planted:
    """A program with a bug, its fixed twin, and the bad luck that shows the bug."""

    name: str
    kind: Kind
    program: Callable[..., Any]
    fixed: Callable[..., Any]
    describe: Callable[[Sim], None]
    check: Callable[[Any], None]
    minimum: tuple[Deviation, ...]
    """The smallest set of deviations under which `check` fails, or the run."""
    depth: int
    """2 if some call of `minimum` is only made under another of its deviations, else 1."""
    by_check: bool
    """Whether the check finds it; else the run itself fails: it hangs, or ends with an error that is not the provider's."""


ZOO: dict[str, Planted] = {}
"""All planted bugs, by name."""


def planted(
    kind: Kind,
    *minimum: Deviation,
    agents: Mapping[str, Mapping[str, Any]],
    check: Callable[[Any], None],
    tools: Mapping[str, Mapping[str, Any]] | None = None,
    depth: int = 1,
    by_check: bool = True,
) -> Callable[[Callable[[bool], Any]], Callable[[bool], Any]]:
    """Decorate a program that takes whether it is fixed, and put it into `ZOO`.

    Args:
        kind: What kind of bug it is.
        minimum: The planted deviations.
        agents: The settings of each agent; it is found by its system prompt.
        check: Raises an AssertionError if an output is wrong. It does not see outputs of runs that failed cleanly.
        tools: The settings of each function of the program's module that a simulated tool replaces.
        depth: See `Planted`.
        by_check: See `Planted`.
    """

    def put(program: Callable[[bool], Any]) -> Callable[[bool], Any]:
        def describe(sim: Sim) -> None:
            for agent, settings in agents.items():
                sim.agent(agent, system=f"You are the {agent}.", allow_unused=True, **settings)
            for tool, settings in (tools or {}).items():
                sim.tool(tool, replaces=f"{program.__module__}:{tool}", **settings)

        @functools.wraps(check)
        def check_unless_failed(output: Any) -> None:  # noqa: ANN401 - the program's
            if not isinstance(output, Failed):
                check(output)

        name = program.__name__
        assert name not in ZOO, f"two planted bugs are called {name}"
        ZOO[name] = Planted(
            name=name,
            kind=kind,
            program=_twin(program, fixed=False),
            fixed=_twin(program, fixed=True),
            describe=describe,
            check=check_unless_failed,
            minimum=minimum,
            depth=depth,
            by_check=by_check,
        )
        return program

    return put


def _twin(program: Callable[[bool], Any], *, fixed: bool) -> Callable[[], Any]:
    """The program without parameters, async if it is, under its own name."""
    twin: Callable[[], Any]
    if inspect.iscoroutinefunction(program):

        async def twin_async() -> Any:  # noqa: ANN401 - the program's
            return await program(fixed)

        twin = twin_async
    else:
        twin = functools.partial(program, fixed)
    twin = cleanly(twin)
    twin.__name__ = twin.__qualname__ = program.__name__
    return twin
