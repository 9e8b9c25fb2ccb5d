"""Which fault of one kind an occurrence meets, and which of them have met something."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from harness.chance import Draws
from harness.faults.inject import PlannedFault
from harness.faults.selector import InjectedFault, Occurrence
from harness.spans import CALL, TOOL, Span, SpanLog

F = TypeVar("F", bound=InjectedFault)


class Chooser(Generic[F]):
    """The faults of one kind in a run; the first that applies to an occurrence decides.

    Args:
        planned: The whole plan.
        kind: The kind.
        draws: Source of random values.
        log: Where it is noted that one has met something.
    """

    def __init__(
        self, planned: Sequence[PlannedFault], kind: type[F], draws: Draws, log: SpanLog
    ) -> None:
        self._planned = [(one, one.fault) for one in planned if isinstance(one.fault, kind)]
        self._sort = kind.__name__.removesuffix("Fault").lower()
        self._draws = draws
        self.log = log
        self._counts: Counter[tuple[str, ...]] = Counter()
        self.met: set[int] = set()
        """The numbers of the faults that have met something."""

    def __bool__(self) -> bool:
        choices = self._draws.choices
        return bool(self._planned) or (choices is not None and self._sort in choices.meets)

    def __iter__(self) -> Iterator[F]:
        return (fault for _, fault in self._planned)

    @property
    def numbered(self) -> Sequence[tuple[int, F]]:
        """The faults, each with its place in the plan."""
        return [(planned.number, fault) for planned, fault in self._planned]

    def occurrence(self, agent: str, task: int, customer: str, key: str, *what: str) -> Occurrence:
        """A new occurrence, with its ordinal among those of the same agent and sort.

        Args:
            agent: Who does it.
            task: The number of its task.
            customer: Whom that is for.
            key: Names its draws.
            what: What it is counted with, such as the tool.
        """
        sort = (agent, *what)
        self._counts[sort] += 1
        return Occurrence(agent, task, customer, self._counts[sort], key)

    def choose(
        self, met: Occurrence, fits: Callable[[F], bool], span: Span | None = None
    ) -> F | None:
        """The first fault that applies to an occurrence, which is noted; None if none does.

        Args:
            met: The occurrence.
            fits: Whether the conditions of this kind hold.
            span: What it belongs to, for the note; None notes nothing.
        """
        chosen = self._overriding(met)
        if chosen is not None and fits(chosen[1]):
            self._tell(chosen[0], span, met.agent)
            return chosen[1]
        now_s = self.log.clock()
        for planned, fault in self._planned:
            if fits(fault) and fault.selects(met, now_s, self._draws, planned.key):
                self.note(planned.number, span, met.agent)
                return fault
        return None

    def _overriding(self, met: Occurrence) -> tuple[str, F] | None:
        choices = self._draws.choices
        if choices is None:
            return None
        return choices.choose_fault(self._sort, met.address or met.key)

    def next_after(
        self, met: Occurrence, now_s: float, fits: Callable[[F], bool]
    ) -> tuple[float, int] | None:
        """When the next window begins that an occurrence would meet [s], and the number of its fault; None if none does."""
        begins = [
            (fault.from_s, planned.number)
            for planned, fault in self._planned
            if fault.from_s > now_s
            and fits(fault)
            and fault.selects(met, fault.from_s, self._draws, planned.key)
        ]
        return min(begins, default=None)

    def note(self, number: int, span: Span | None, agent: str = "") -> None:
        """Note that a fault has met something.

        Args:
            number: Its place in the plan.
            span: What it has met; None notes no event.
            agent: Whom; empty for the agent of the span.
        """
        self.met.add(number)
        name = next(planned.name for planned, _ in self._planned if planned.number == number)
        self._tell(name, span, agent)

    def _tell(self, name: str, span: Span | None, agent: str) -> None:
        if span is None:
            return
        self.log.event("fault", span, name, agent)
        if span.kind in (TOOL, CALL):
            span.fault = name
