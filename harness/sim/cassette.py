"""The cassette of a test: what is replayed, what may be recorded, and whether it is stale."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from harness.cassettes import Cassette, CassetteError, load_cassette
from harness.cassettes.matching import Matching, Recordings
from harness.errors import HarnessError, did_you_mean
from harness.models.recorded import ReplayLatency
from harness.wire.replay import Replay

Mode = Literal["none", "new", "all", "once", "drift"]
"""What may be recorded: nothing; what is not there; everything anew; everything if there is no file; what changed."""

_LATENCIES = get_args(ReplayLatency)


@dataclass(slots=True, kw_only=True)
class SimCassette:
    """A cassette in a test."""

    path: Path
    mode: Mode
    matching: Matching
    latency: ReplayLatency
    _recordings: Recordings | None = None
    used: set[int] = field(default_factory=set)
    """Numbers of the interactions that any run was given."""
    missing: list[str] = field(default_factory=list)
    """What runs asked that is not recorded, in words."""

    @property
    def recordings(self) -> Recordings:
        """What is recorded."""
        if self._recordings is None:
            self._recordings = Recordings(self._load(), self.matching)
        return self._recordings

    def _load(self) -> Cassette:
        return load_cassette(self.path)

    def begin_run(self) -> Replay:
        """The cassette of a new run, of which nothing was given."""
        self.recordings.begin_anew()
        return Replay(self.recordings, self.latency, missing=self.missing)

    def end_run(self) -> None:
        """Note what the run was given."""
        self.used |= self.recordings.used


def cassette(
    path: str | Path,
    *,
    mode: str,
    ignore: Sequence[str],
    match_on: Sequence[Callable[[Any], object]],
    latency: str,
) -> SimCassette:
    """The cassette that a test describes.

    Raises:
        HarnessError: A value is wrong.
        CassetteError: There is no such file, and nothing may be recorded.
    """
    _one_of("mode", mode, get_args(Mode))
    _one_of("latency", latency, _LATENCIES)
    if isinstance(ignore, str) or not all(isinstance(each, str) for each in ignore):
        raise HarnessError(
            f"sim.cassette: `ignore` is a list of fields of JSON bodies, not {ignore!r}"
        )
    if callable(match_on) or not all(map(callable, match_on)):
        raise HarnessError(
            f"sim.cassette: `match_on` is a list of functions of a request, not {match_on!r}"
        )
    made = SimCassette(
        path=Path(path),
        mode=mode,  # type: ignore[arg-type]  # checked above
        matching=Matching(ignore=tuple(ignore), by=tuple(match_on)),
        latency=latency,  # type: ignore[arg-type]  # checked above
    )
    if mode == "none" and not made.path.exists():
        raise CassetteError(
            f"{path}: there is no such cassette\n"
            '  How to fix: record it with mode="once", or with `harness record`'
        )
    return made


def _one_of(what: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise HarnessError(
            f"sim.cassette: there is no {what} {value!r}{did_you_mean(str(value), known)}\n  Known: {', '.join(known)}"
        )
