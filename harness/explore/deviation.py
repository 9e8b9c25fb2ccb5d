"""Deviations: the single ways in which a run may differ from the passing one.

A failing run is a seed and a set of deviations. Each is keyed by what it is for, so that taking one away does not move another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

from harness.errors import HarnessError

Fields = tuple[tuple[str, Any], ...]
"""The parameters of a fault, as pairs of name and value."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A call meets a fault."""

    kind: ClassVar[str] = "fault"
    call: str
    """The address of the call: path of its task, digest of its request, and which of several such."""
    name: str
    """The fault, as a scenario file calls it."""
    fields: Fields = ()
    """Its parameters."""
    attempt: int | None = None
    """Which attempt meets it; None means all of them."""


@dataclass(frozen=True, slots=True)
class Latency:
    """A call takes another time."""

    kind: ClassVar[str] = "latency"
    call: str
    """The address of the call."""
    takes_s: float
    """From its start to the last token [s]."""
    attempt: int | None = None
    """Which attempt; None means all of them."""


@dataclass(frozen=True, slots=True)
class Down:
    """All calls of an agent meet a fault."""

    kind: ClassVar[str] = "down"
    agent: str
    name: str = "overloaded"
    fields: Fields = ()


@dataclass(frozen=True, slots=True)
class SlowAgent:
    """All calls of an agent take another time."""

    kind: ClassVar[str] = "slow_agent"
    agent: str
    takes_s: float


@dataclass(frozen=True, slots=True)
class Heal:
    """All faults stop: no attempt that begins later meets one, or is late."""

    kind: ClassVar[str] = "heal"
    at_s: float
    """When [virtual s]."""


@dataclass(frozen=True, slots=True)
class Late:
    """A timer fires later; by a nanosecond, it gives precedence to what else is due at that instant."""

    kind: ClassVar[str] = "late"
    task: str
    """The path of the task or thread that set it."""
    timer: str
    """`sleep`, `timer` or `wait`."""
    number: int
    """Which of that kind the task has set."""
    by_s: float = 1e-9
    """How much later [s]."""


@dataclass(frozen=True, slots=True)
class Jitter:
    """Each timer of the program fires at its time or a nanosecond later, as a seed decides."""

    kind: ClassVar[str] = "jitter"
    seed: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """A task is cancelled from outside."""

    kind: ClassVar[str] = "cancel"
    task: str
    """Its path."""
    at_s: float
    """When [virtual s]."""


@dataclass(frozen=True, slots=True)
class ThreadGoes:
    """Of several threads that are ready, another one goes next."""

    kind: ClassVar[str] = "thread"
    ready: str
    """The paths of all that are ready."""
    number: int
    """How often they were ready together."""
    goes: str
    """The path of the one that goes."""


REVERSED = 0
"""The seed with which the thread goes next that was ready last."""


@dataclass(frozen=True, slots=True)
class ThreadJitter:
    """Whenever several threads are ready, a seed decides which goes next."""

    kind: ClassVar[str] = "thread_jitter"
    seed: int


@dataclass(frozen=True, slots=True)
class ThreadFirst:
    """A thread goes first whenever it is ready, or last."""

    kind: ClassVar[str] = "thread_first"
    thread: str
    """Its path."""
    last: bool = False


@dataclass(frozen=True, slots=True)
class Priorities:
    """Of several threads that are ready, the one of the highest priority goes next (PCT).

    Each thread has a priority that follows from the seed. At `depth` - 1 steps, which follow from it too, the thread that would
    go gets the lowest so far. With n threads and k steps a fault that takes d orderings is hit with a chance of at least
    1 / (n k^(d-1)) (Burckhardt et al., ASPLOS 2010).
    """

    kind: ClassVar[str] = "priorities"
    seed: int
    depth: int
    """How many orderings the fault takes that is looked for."""
    steps: int
    """How many choices a run has."""


@dataclass(frozen=True, slots=True)
class ToolFails:
    """One use of a simulated tool fails, before or after it has had its effect."""

    kind: ClassVar[str] = "tool"
    use: str
    """The path of the task that uses it, the name of the tool, and which use."""
    effect: bool = False
    """Whether it had its effect all the same: only the answer is lost."""


@dataclass(frozen=True, slots=True)
class ToolLatency:
    """One use of a simulated tool takes another time."""

    kind: ClassVar[str] = "tool_latency"
    use: str
    takes_s: float


@dataclass(frozen=True, slots=True)
class ToolTwice:
    """One use of a simulated tool is done twice, as a message that is delivered twice."""

    kind: ClassVar[str] = "tool_twice"
    use: str


@dataclass(frozen=True, slots=True)
class ToolDropped:
    """One use of a simulated tool is answered and has no effect, as a message that is accepted and lost."""

    kind: ClassVar[str] = "tool_dropped"
    use: str


@dataclass(frozen=True, slots=True)
class Meets:
    """Something that is no attempt meets a fault: a message, an agent at one of its calls, a use of a tool in a pattern."""

    kind: ClassVar[str] = "meets"
    sort: str
    """`message`, `agent` or `tool`."""
    at: str
    """What names it: `7/lead>worker/1` is the first message from lead to worker in task 7."""
    name: str
    """The fault, as a scenario file calls it."""
    fields: Fields = ()
    """Its parameters."""


Deviation = (
    Fault
    | Latency
    | Down
    | SlowAgent
    | Heal
    | Late
    | Jitter
    | Cancel
    | ThreadGoes
    | ThreadJitter
    | ThreadFirst
    | Priorities
    | ToolFails
    | ToolLatency
    | ToolTwice
    | ToolDropped
    | Meets
)
Deviations = tuple[Deviation, ...]

WIDE = (Down, SlowAgent, Jitter, ThreadJitter, Priorities)
"""Deviations that stand for many."""

_KINDS: dict[str, Any] = {
    kind.kind: kind
    for kind in (
        Fault,
        Latency,
        Down,
        SlowAgent,
        Heal,
        Late,
        Jitter,
        Cancel,
        ThreadGoes,
        ThreadJitter,
        ThreadFirst,
        Priorities,
        ToolFails,
        ToolLatency,
        ToolTwice,
        ToolDropped,
        Meets,
    )
}


def to_record(deviation: Deviation) -> dict[str, Any]:
    """A deviation as plain data for JSON and YAML; defaults are left out."""
    said: dict[str, Any] = {"deviation": deviation.kind}
    for field in fields(deviation):
        value = getattr(deviation, field.name)
        if value != field.default:
            said[field.name] = dict(value) if field.name == "fields" else value
    return said


def from_record(record: Mapping[str, Any]) -> Deviation:
    """The deviation that plain data describes.

    Raises:
        HarnessError: There is no such deviation, or a field is wrong.
    """
    said = dict(record)
    kind = _KINDS.get(str(said.pop("deviation", "")))
    if kind is None:
        raise HarnessError(f"{dict(record)!r} is not a deviation\n  Known: {', '.join(_KINDS)}")
    if "fields" in said:
        said["fields"] = tuple(dict(said["fields"]).items())
    try:
        made: Deviation = kind(**said)
    except TypeError as error:
        raise HarnessError(f"deviation {kind.kind!r}: {error}") from None
    return made


def size_key(deviation: Deviation) -> tuple[str, str]:
    """An order of deviations that does not depend on how they were found."""
    return (deviation.kind, repr(sorted(asdict(deviation).items())))
