"""Apply deviations to a run: they are turned into the choices of the run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.chance.choices import Choices, Key, TimerKind, TimerRecord
from harness.chance.draws import Draws
from harness.explore.deviation import (
    Cancel,
    Deviation,
    Deviations,
    Down,
    Fault,
    Jitter,
    Late,
    Latency,
    SlowAgent,
    ThreadGoes,
    ThreadJitter,
    ToolFails,
    ToolLatency,
)
from harness.faults import FAULTS
from harness.faults.stated import StatedDuration

_HALF = 0.5

NANOSECOND_S = 1e-9
"""What breaks a tie."""

SHORTEST_S = 1e-6
"""The least that a call can take [s]."""


class DeviatedChoices(Choices):
    """The choices of a run under deviations.

    Args:
        deviations: How it differs from the passing run.
    """

    orders_threads = True

    def __init__(self, deviations: Deviations) -> None:
        self.applied: dict[Deviation, None] = {}
        """The deviations that had an effect, in the order in which they had it."""
        self.parts: dict[Deviation, dict[Deviation, None]] = {}
        """For each wide deviation, the narrow ones that it stood for."""
        self.orders = 0
        """How often several threads were ready at once."""
        self._calls: dict[tuple[str, int | None], list[Fault | Latency]] = {}
        self._agents: dict[str, list[Down | SlowAgent]] = {}
        self._keyed: dict[Key, Deviation] = {}
        self._jitters: list[Jitter] = []
        self._thread_jitters: list[ThreadJitter] = []
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
            case ToolFails(use=use):
                self._keyed["tool", use, "outcome"] = deviation
            case ToolLatency(use=use):
                self._keyed["tool", use, "latency"] = deviation
            case Jitter():
                self._jitters.append(deviation)
            case ThreadJitter():
                self._thread_jitters.append(deviation)

    def choose(self, key: Key, otherwise: object) -> Any:  # noqa: ANN401 - of the kind
        """Return the override of a choice, or its default; see `Choices.choose`."""
        if key in self._keyed:
            self.applied[self._keyed[key]] = None
        return super().choose(key, otherwise)

    def choose_attempt(self, key: Key, agent: str, otherwise: object) -> Any:  # noqa: ANN401 - as above
        """Return the faults that an attempt meets: latencies first, since the others come as late then."""
        _, call, attempt = key
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
            return super().choose_attempt(key, agent, otherwise)
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
        self.orders += 1
        together = " | ".join(ready)
        number = self._counts.get(("thread", together), 0) + 1
        key = ("thread", together, str(number))
        if self._thread_jitters and key not in self._keyed:
            jitter = self._thread_jitters[0]
            place = int(Draws(jitter.seed).uniform(*key) * len(ready))
            if place != otherwise:
                self.applied[jitter] = None
                goes = ThreadGoes(together, number, ready[place])
                self.parts.setdefault(jitter, {})[goes] = None
            self._count("thread", together)
            self.made[key] = ready[place]
            return place
        if self.overrides.get(key, ready[otherwise]) not in ready:
            self._count("thread", together)
            return otherwise
        return super().next_thread(ready, otherwise)


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
        case ToolLatency(takes_s=takes_s):
            return takes_s
        case _:
            raise AssertionError(f"{deviation} is not keyed")
