"""What moved the time of a run, and who said what: `simulated`, `live` or `replayed`."""

from __future__ import annotations

from typing import Final, Literal

from harness.spans import RECORDED, Table

Engine = Literal["simulated", "live", "replayed"]

SIMULATED: Final = "simulated"
"""On the virtual clock; all replies are of stubs."""
REPLAYED: Final = "replayed"
"""On the virtual clock; at least one reply is of a cassette."""
LIVE: Final = "live"
"""On the real clock, with real APIs."""

ENGINES: Final[tuple[Engine, ...]] = (SIMULATED, LIVE, REPLAYED)


def engine_of(events: Table) -> Engine:
    """The engine of a run on the virtual clock, by its events."""
    return REPLAYED if RECORDED in events.texts else SIMULATED


def is_live(engine: str) -> bool:
    """Whether a run is on the real clock, so that its seed does not decide it; `wall clock` is the earlier name."""
    return engine in (LIVE, "wall clock")
