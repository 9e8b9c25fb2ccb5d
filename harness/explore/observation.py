"""What a search sees of one run, and of what it runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.chance.choices import TaskRecord, TimerRecord
from harness.explore.deviation import Deviation, Deviations
from harness.explore.spent import Spent
from harness.spans import OK

_ADDRESS = re.compile(r" at 0x[0-9a-f]+|\bid=\d+")


@dataclass(frozen=True, slots=True)
class Site:
    """One call that a run made."""

    number: int
    """1 for the first call of the run."""
    agent: str
    address: str
    """Path of its task, digest of its request, and which of several such."""
    path: str
    """The path of its task."""
    start_s: float
    end_s: float
    """The end of the run for a call that never ended."""
    prompt: str
    text: str
    """The answer; empty if there was none."""
    status: str
    attempts: int
    """How many attempts it took."""
    met: bool
    """Whether one of its attempts met a fault."""
    is_stream: bool
    calls_tools: bool
    """Whether the reply asks for tools."""
    heard: tuple[int, ...]
    """Numbers of the calls whose replies are part of its prompt."""


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a simulated tool."""

    key: str
    """Path of its task, name, and which use."""
    tool: str
    path: str
    start_s: float
    end_s: float


@dataclass(slots=True, kw_only=True)
class Observation:
    """One run, as far as a search looks at it."""

    output: object
    error: BaseException | None
    latency_s: float
    sites: Sequence[Site]
    uses: Sequence[Use] = ()
    timers: Sequence[TimerRecord] = ()
    tasks: Sequence[TaskRecord] = ()
    effects: Sequence[tuple[str, str]] = ()
    """What tools did: the name of the tool and its arguments."""
    tasks_ended: Sequence[Any] = ()
    """How each task of a scenario ended."""
    spent: Sequence[Spent] = ()
    """What each task took; a program is one task."""
    harmed_until_s: float = 0.0
    """When the last fault was over [virtual s]; infinite if it never was, and 0 if there was none."""
    kept: frozenset[int] = frozenset()
    """Numbers of the calls whose replies are in the output."""
    deaths: Sequence[BaseException] = ()
    """The errors of tasks and threads that nobody asked for."""
    died: bool = False
    """Whether there were any."""
    leaks: Sequence[str] = ()
    """Locks and permits that were never given back."""
    stuck: str = ""
    """What every task was doing when the run could not go on."""
    events: str = ""
    """A digest of all that happened, in order and with times."""
    applied: Mapping[Deviation, None] = field(default_factory=dict)
    """The deviations that had an effect, in the order in which they had it."""
    parts: dict[Deviation, Deviations] = field(default_factory=dict)
    """For each wide deviation, the narrow ones that it stood for in this run."""
    orders: int = 0
    """How often several threads were ready at once."""
    threads: Sequence[str] = ()
    """The paths of threads that were ready together with others, in the order in which they first were."""
    occurrences: Sequence[tuple[str, str]] = ()
    """The sort and the name of all messages, of agents at each of their calls, and of uses of tools in a pattern, in order."""
    timeline: Callable[[], Sequence[str]] = tuple
    """The lines of its timeline."""

    @property
    def printed(self) -> str:
        """The output as text, without addresses."""
        return _ADDRESS.sub("", repr(self.output))

    def release(self) -> None:
        """Let go of what the program made, of which only the text is needed from now on."""
        self.output = _Printed(self.printed)
        self.error = None
        self.deaths = ()

    def story(self) -> str:
        """A digest of what the program did, without times and without the status of calls that met a fault."""
        told = sorted(
            (site.agent, site.prompt, "" if site.met else site.status) for site in self.sites
        )
        used = sorted(self.effects)
        return _digest(self.printed, told, used)

    def order(self, irrelevant: Container[str] = ()) -> str:
        """A digest of the order in which calls began and ended, but for those of some agents."""
        sites = [site for site in self.sites if site.agent not in irrelevant]
        moments = [(site.start_s, 0, site.number, site.address) for site in sites]
        moments += [(site.end_s, 1, site.number, site.address) for site in sites]
        return _digest([(kind, address) for _, kind, _, address in sorted(moments)])

    @property
    def failed_calls(self) -> int:
        """How many calls did not end with a reply."""
        return sum(site.status != OK for site in self.sites)


class _Printed:
    """An output of which only the text is kept."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _digest(*parts: object) -> str:
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a run may go."""

    horizon_s: float
    """Virtual time [s]."""
    calls: int
    """Calls of the program."""
    idle_instants: int
    """Steps of time in a row while no call is open and none is made."""
    steps: int
    """Steps at one instant."""

    def times(self, factor: int, but: Container[str] = ()) -> Bounds:
        """The same bounds, wider.

        Args:
            factor: How many times as wide.
            but: The names of bounds that stay, as `LimitExceeded.limit` has them.
        """

        def of(limit: str) -> int:
            return 1 if limit in but else factor

        return Bounds(
            self.horizon_s * of("horizon_s"),
            self.calls * of("calls_per_task"),
            self.idle_instants * of("idle_instants"),
            self.steps * of("steps_per_instant"),
        )


class Subject(Protocol):
    """What is explored: a program or a scenario that can run under deviations."""

    def run(self, deviations: Deviations, bounds: Bounds | None = None) -> Observation:
        """Run once; errors of the program are in the observation.

        Args:
            deviations: How the run differs from the passing one.
            bounds: How far it may go; None means as far as without a search.
        """
