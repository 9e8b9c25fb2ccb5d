"""Apply deviations to a run: they are turned into the choices of the run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from harness.chance.choices import Choices, Key, TimerKind, TimerRecord
from harness.chance.draws import Draws
from harness.explore.deviation import (
    REVERSED,
    Cancel,
    Deviation,
    Deviations,
    Down,
    Fault,
    Heal,
    Jitter,
    Late,
    Latency,
    Meets,
    Priorities,
    SlowAgent,
    ThreadFirst,
    ThreadGoes,
    ThreadJitter,
    ToolDropped,
    ToolFails,
    ToolLatency,
    ToolTwice,
)
from harness.faults import FAULTS
from harness.faults.stated import StatedDuration

_HALF = 0.5

_IDLE_WORKER = re.compile(r"(asyncio|ThreadPoolExecutor-\d+)_\d+$")
"""The path of a worker of a pool that has no work: its turn changes nothing."""

_OF_PROGRAMS = frozenset({"agent"})
_OF_PATTERNS = frozenset({"agent", "message", "tool"})

NANOSECOND_S = 1e-9
"""What breaks a tie."""

SHORTEST_S = 1e-6
"""The least that a call can take [s]."""


class DeviatedChoices(Choices):
    """The choices of a run under deviations.

    Args:
        deviations: How it differs from the passing run.
        is_pattern: Whether it is a run of a pattern: all timers count as those of the program, and it has messages and tools.
    """

    orders_threads = True

    def __init__(self, deviations: Deviations, *, is_pattern: bool = False) -> None:
        self._any_timer = is_pattern
        self.meets = _OF_PATTERNS if is_pattern else _OF_PROGRAMS
        self.applied: dict[Deviation, None] = {}
        """The deviations that had an effect, in the order in which they had it."""
        self.parts: dict[Deviation, dict[Deviation, None]] = {}
        """For each wide deviation, the narrow ones that it stood for."""
        self.attempts: dict[int, str] = {}
        """The address of the call of each attempt, by the attempt's span."""
        self.orders = 0
        """How often several threads were ready at once."""
        self.threads: dict[str, None] = {}
        """The paths of threads that were ready together with others."""
        self._calls: dict[tuple[str, int | None], list[Fault | Latency]] = {}
        self._agents: dict[str, list[Down | SlowAgent]] = {}
        self._keyed: dict[Key, Deviation] = {}
        self._jitters: list[Jitter] = []
        self._orders: list[ThreadJitter | Priorities] = []
        self._firsts: list[ThreadFirst] = []
        self._heal: Heal | None = None
        self._priorities: dict[str, float] = {}
        for deviation in deviations:
            self._take(deviation)
        super().__init__({key: _value(one) for key, one in self._keyed.items()})

    def _take(self, deviation: Deviation) -> None:
        match deviation:
            case Fault(call=call, attempt=attempt) | Latency(call=call, attempt=attempt):
                self._calls.setdefault((call, attempt), []).append(deviation)
            case Down(agent=agent) | SlowAgent(agent=agent):
                self._agents.setdefault(agent, []).append(deviation)
            case Late(task=task, timer=timer, number=number):
                self._keyed["timer", task, timer, str(number)] = deviation
            case Cancel(task=task):
                self._keyed["cancel", task] = deviation
            case ThreadGoes(ready=ready, number=number):
                self._keyed["thread", ready, str(number)] = deviation
            case ToolFails(use=use) | ToolTwice(use=use) | ToolDropped(use=use):
                self._keyed["tool", use, "outcome"] = deviation
            case Meets(sort=sort, at=at):
                self._keyed["fault", sort, at] = deviation
            case ToolLatency(use=use):
                self._keyed["tool", use, "latency"] = deviation
            case Jitter():
                self._jitters.append(deviation)
            case Heal():
                self._heal = deviation
            case ThreadFirst():
                self._firsts.append(deviation)
            case ThreadJitter() | Priorities():
                self._orders.append(deviation)

    def occurrences(self) -> Sequence[tuple[str, str]]:
        """The sort and the name of everything that could have met a fault, in order."""
        return [(key[1], key[2]) for key in self.made if key[0] == "fault"]

    def choose(self, key: Key, otherwise: object) -> Any:  # noqa: ANN401 - of the kind
        """Return the override of a choice, or its default; see `Choices.choose`."""
        if key in self._keyed:
            self.applied[self._keyed[key]] = None
        return super().choose(key, otherwise)

    def choose_attempt(
        self, key: Key, agent: str, span_id: int, now_s: float, otherwise: object
    ) -> Any:  # noqa: ANN401 - as above
        """Return the faults that an attempt meets: latencies first, since the others come as late then."""
        _, call, attempt = key
        self.attempts[span_id] = call
        if self._heal is not None and now_s >= self._heal.at_s:
            self.applied[self._heal] = None
            return super().choose_attempt(key, agent, span_id, now_s, ())
        met: list[Fault | Latency | Down | SlowAgent] = [
            *self._calls.get((call, int(attempt)), ()),
            *self._calls.get((call, None), ()),
        ]
        for wide in self._agents.get(agent, ()):
            narrow: Deviation = (
                Fault(call, wide.name, wide.fields)
                if isinstance(wide, Down)
                else Latency(call, wide.takes_s)
            )
            self.parts.setdefault(wide, {})[narrow] = None
            met.append(wide)
        if not met:
            return super().choose_attempt(key, agent, span_id, now_s, otherwise)
        self.applied.update(dict.fromkeys(met))
        late = [one for one in met if isinstance(one, Latency | SlowAgent)][:1]
        wrong = [one for one in met if isinstance(one, Fault | Down)][:1]
        chosen: list[object] = [StatedDuration(for_s=max(one.takes_s, SHORTEST_S)) for one in late]
        chosen += [FAULTS[one.name](**dict(one.fields)) for one in wrong]
        if not wrong and isinstance(otherwise, tuple):
            chosen += otherwise
        self.made[key] = tuple(chosen)
        return tuple(chosen)

    def set_timer(
        self, task: str, kind: TimerKind, set_s: float, due_s: float, *, of_program: bool = True
    ) -> TimerRecord:
        """Record a timer, with its chosen delay; see `Choices.set_timer`."""
        of_program = of_program or self._any_timer
        record = super().set_timer(task, kind, set_s, due_s, of_program=of_program)
        if of_program and record.key not in self._keyed:
            for jitter in self._jitters:
                if Draws(jitter.seed).uniform(*record.key) < _HALF:
                    self.applied[jitter] = None
                    late = Late(task, kind, record.number, NANOSECOND_S)
                    self.parts.setdefault(jitter, {})[late] = None
                    record.due_s += NANOSECOND_S
                    break
        return record

    def next_thread(self, ready: Sequence[str], otherwise: int) -> int:
        """Return the place of the thread that goes next; see `Choices.next_thread`."""
        if sum(_IDLE_WORKER.search(path) is None for path in ready) > 1:
            self.orders += 1
            self.threads.update(dict.fromkeys(ready))
        together = " | ".join(ready)
        number = self._counts.get(("thread", together), 0) + 1
        key = ("thread", together, str(number))
        if self._firsts and key not in self._keyed:
            otherwise = self._preferred(ready, otherwise)
        if self._orders and key not in self._keyed:
            wide = self._orders[0]
            place = self._place(wide, key, ready)
            if place != otherwise:
                self.applied[wide] = None
                goes = ThreadGoes(together, number, ready[place])
                self.parts.setdefault(wide, {})[goes] = None
            self._count("thread", together)
            self.made[key] = ready[place]
            return place
        if self.overrides.get(key, ready[otherwise]) not in ready:
            self._count("thread", together)
            return otherwise
        return super().next_thread(ready, otherwise)

    def _preferred(self, ready: Sequence[str], otherwise: int) -> int:
        """The place of the thread that goes next if some go first or last."""
        rank = {one.thread: (-1 if one.last else 1) for one in self._firsts}
        best = max(
            range(len(ready)),
            key=lambda place: (rank.get(ready[place], 0), place == otherwise, -place),
        )
        if best != otherwise:
            for one in self._firsts:
                if one.thread in (ready[best], ready[otherwise]):
                    self.applied[one] = None
        return best

    def _place(self, wide: ThreadJitter | Priorities, key: Key, ready: Sequence[str]) -> int:
        """The place of the thread that goes next in an order that deviates as a whole."""
        draws = Draws(wide.seed)
        if isinstance(wide, ThreadJitter):
            drawn = 1 - NANOSECOND_S if wide.seed == REVERSED else draws.uniform(*key)
            return int(drawn * len(ready))
        step = self._count("step")
        for path in ready:
            self._priorities.setdefault(path, 1 + draws.uniform("priority", path))
        for change in range(1, wide.depth):
            if step == 1 + int(draws.uniform("change", change) * wide.steps):
                highest = max(ready, key=self._priorities.__getitem__)
                self._priorities[highest] = 1 - change / wide.depth
        return max(range(len(ready)), key=lambda place: self._priorities[ready[place]])


def _value(deviation: Deviation) -> object:
    match deviation:
        case Late(by_s=by_s):
            return by_s
        case Cancel(at_s=at_s):
            return at_s
        case ThreadGoes(goes=goes):
            return goes
        case ToolFails(effect=effect):
            return "lost" if effect else "fails"
        case ToolTwice():
            return "twice"
        case ToolDropped():
            return "dropped"
        case ToolLatency(takes_s=takes_s):
            return takes_s
        case Meets(name=name, fields=fields):
            return name, FAULTS[name](**dict(fields))
        case _:
            raise AssertionError(f"{deviation} is not keyed")
