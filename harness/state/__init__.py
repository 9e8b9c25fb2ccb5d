"""State that agents share: four disciplines behind one Protocol. Read `api.py`, then `last_writer_wins.py`."""

from __future__ import annotations

from typing import Annotated

from harness.fields import Tagged
from harness.state.api import (
    Change,
    Discipline,
    Fold,
    LockTimeout,
    Reading,
    SharedState,
    StateConflict,
    StateError,
    joined,
    replaced,
)
from harness.state.event_sourced import EventSourced, EventSourcedState, StateEvent
from harness.state.last_writer_wins import LastWriterWins
from harness.state.optimistic import Optimistic
from harness.state.pessimistic import Pessimistic

DISCIPLINES: dict[str, type[Discipline]] = {
    "last_writer_wins": LastWriterWins,
    "optimistic": Optimistic,
    "pessimistic": Pessimistic,
    "event_sourced": EventSourced,
}
"""The name of each discipline in a scenario file."""

AnyDiscipline = Annotated[Discipline, Tagged(DISCIPLINES)]
"""One of the disciplines, as a scenario file says it."""

__all__ = [
    "DISCIPLINES",
    "AnyDiscipline",
    "Change",
    "Discipline",
    "EventSourced",
    "EventSourcedState",
    "Fold",
    "LastWriterWins",
    "LockTimeout",
    "Optimistic",
    "Pessimistic",
    "Reading",
    "SharedState",
    "StateConflict",
    "StateError",
    "StateEvent",
    "joined",
    "replaced",
]
