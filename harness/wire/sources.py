"""Earlier replies that are part of a text, for all tasks of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from harness.wire.provenance import Provenance


@dataclass(slots=True)
class Sources:
    """What was said in each task of the user's; the same words in another task are another story."""

    _of_tasks: dict[int, _OfTask] = field(default_factory=dict)

    def asked(self, task: int, call: int, texts: Iterable[str]) -> tuple[int, ...]:
        """Note a prompt, and give the numbers of the calls whose replies are in it."""
        of_task = self._of_tasks.setdefault(task, _OfTask())
        of_task.numbers.append(call)
        of_task.places[call] = len(of_task.numbers)
        return tuple(of_task.sources(texts))

    def said(self, task: int, call: int, texts: Iterable[str]) -> None:
        """Note what a call was answered."""
        of_task = self._of_tasks[task]
        for text in texts:
            of_task.provenance.said(of_task.places[call], text)

    def of(self, texts: Iterable[str]) -> list[int]:
        """Numbers of the calls, of any task, whose replies are in some texts."""
        texts = tuple(texts)
        return sorted(number for one in self._of_tasks.values() for number in one.sources(texts))


@dataclass(slots=True)
class _OfTask:
    provenance: Provenance = field(default_factory=Provenance)
    numbers: list[int] = field(default_factory=list)
    """The numbers of its calls, in their order."""
    places: dict[int, int] = field(default_factory=dict)
    """The place of each in that order, from 1."""

    def sources(self, texts: Iterable[str]) -> list[int]:
        return [self.numbers[place - 1] for place in self.provenance.sources(texts)]
