"""What tools did to the world, where that may differ from how often they were used."""

from __future__ import annotations

from dataclasses import dataclass

from harness.spans import EFFECT, Table


@dataclass(slots=True)
class EffectTally:
    """The effects of tools in some tasks."""

    effects: int = 0
    """0 where none are noted, so that there is nothing to say of them."""
    repeated: int = 0
    """Those that repeat one of the same task: the same tool, with equal arguments."""

    def add(self, other: EffectTally) -> None:
        """Count another tally in."""
        self.effects += other.effects
        self.repeated += other.repeated


def tally_effects(events: Table, warmup_tasks: int = 0) -> EffectTally:
    """Count what one run's events say.

    Args:
        events: The events of the run.
        warmup_tasks: How many of the first tasks are left out.
    """
    if EFFECT not in events.texts:
        return EffectTally()
    done = [
        (task, detail)
        for name, task, detail in events.rows("name", "task", "detail")
        if name == EFFECT and task > warmup_tasks
    ]
    return EffectTally(len(done), len(done) - len(set(done)))
