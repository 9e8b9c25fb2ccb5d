"""The cassette of a test: what is replayed, what may be recorded, and whether it is stale."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from harness.cassettes import (
    Cassette,
    CassetteError,
    Interaction,
    RecordedRequest,
    RecordedResponse,
    load_cassette,
)
from harness.cassettes.matching import Matching, Recordings
from harness.cassettes.scrubbing import Scrubber, Scrubbing
from harness.cassettes.stale import Use
from harness.cassettes.writing import append, can_be_added_to, rewrite
from harness.errors import HarnessError, did_you_mean
from harness.json_types import JsonObject
from harness.models.recorded import ReplayLatency
from harness.sim.cost import cost_in_words
from harness.sim.real_api import RealApi, outcome
from harness.wire.replay import Replay, Taken

Mode = Literal["none", "new", "all", "once", "drift"]
"""What may be recorded: nothing; what is not there; everything anew; everything if there is no file; what changed."""

_MODES = get_args(Mode)
_LATENCIES = get_args(ReplayLatency)


@dataclass(slots=True, kw_only=True)
class SimCassette:
    """A cassette in a test."""

    path: Path
    mode: Mode
    matching: Matching
    latency: ReplayLatency
    scrubbing: Scrubbing
    tell: Callable[[str], None]
    """Told what a call of the real API will cost at most, before it is made."""
    allow_unused: bool = False
    """Whether interactions may stay unused."""
    use: Use = field(init=False)
    """What runs were given and what they asked in vain."""
    _recordings: Recordings | None = None
    _api: RealApi | None = None
    _new: list[Interaction] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.use = Use(str(self.path))

    @property
    def recordings(self) -> Recordings:
        """What is recorded."""
        if self._recordings is None:
            there = self.path.exists() or self.mode == "none"
            found = (
                load_cassette(self.path)
                if there
                else Cassette(path=str(self.path), interactions=())
            )
            self._recordings = Recordings(found, self.matching)
        return self._recordings

    def begin_run(self) -> Replay:
        """The cassette of a new run, of which nothing was given."""
        is_there = self.path.exists()
        self.recordings.begin_anew()
        self._new = []
        may_record = self.mode in ("new", "all", "drift") or (self.mode == "once" and not is_there)
        self._api = RealApi() if may_record else None
        return Replay(
            self.recordings,
            self.latency,
            live=self if may_record else None,
            missing=self.use.missing,
            replays=self.mode != "all" and is_there,
        )

    def end_run(self) -> None:
        """Note what the run was given, and write what it recorded."""
        self.use.used |= self.recordings.used
        if self._api is not None:
            self._api.end()
            self._api = None
        if self._new:
            before = () if self.mode == "all" else self.recordings.cassette.interactions
            self._write([*before, *self._new])
            self.use.used |= {one.number for one in self._new}

    def end_test(self) -> None:
        """In the mode `drift`, drop what no run asked for."""
        if self.mode == "drift" and self._recordings is not None:
            kept = [
                one for one in self.recordings.cassette.interactions if one.number in self.use.used
            ]
            if len(kept) < len(self.recordings.cassette.interactions):
                self._write(kept)
                self.use.used = set(range(1, len(kept) + 1))

    def _write(self, interactions: Sequence[Interaction]) -> None:
        numbered = [replace(one, number=number) for number, one in enumerate(interactions, 1)]
        rewrite(self.path, numbered)
        self._recordings = Recordings(
            Cassette(path=str(self.path), interactions=tuple(numbered)), self.matching
        )

    # -- the real API -----------------------------------------------------------------------------------------------

    def begin(self, asked: RecordedRequest, agent: str) -> Callable[[], RecordedResponse]:
        """Send a request for real; what is returned waits for the response."""
        assert self._api is not None, "a run goes on"
        if self.mode == "drift":
            self.tell(
                f"{self.path}: {agent or 'the program'} asks what is not recorded; {cost_in_words(asked)}"
            )
        return partial(outcome, self._api.begin(asked))

    def keep(self, taken: Taken) -> None:
        """Add an interaction, without its secrets."""
        scrubbing = self.scrubbing.knowing(taken.request, taken.response)
        response = scrubbing.response(taken.response)
        if response.timing is not None:
            response = replace(response, timing=replace(response.timing, start_s=taken.start_s))
        before = 0 if self.mode == "all" else len(self.recordings.cassette.interactions)
        new = Interaction(
            number=before + len(self._new) + 1,
            request=scrubbing.request(taken.request),
            response=response,
            agent=scrubbing.text(taken.agent),
            call=taken.call,
            task=scrubbing.text(taken.task),
        )
        self._new.append(new)
        if self.mode != "all" and can_be_added_to(self.path):
            append(self.path, new)  # a run that is killed keeps what it has paid for


def cassette(
    path: str | Path,
    *,
    mode: str,
    ignore: Sequence[str],
    match_on: Sequence[Callable[[Any], object]],
    latency: str,
    scrub: Sequence[Scrubber],
    allow_unused: bool,
    tell: Callable[[str], None] | None,
) -> SimCassette:
    """The cassette that a test describes.

    Raises:
        HarnessError: A value is wrong.
        CassetteError: There is no such file, and nothing may be recorded.
    """
    _one_of("mode", mode, _MODES)
    _one_of("latency", latency, _LATENCIES)
    if isinstance(ignore, str) or not all(isinstance(each, str) for each in ignore):
        raise HarnessError(
            f"sim.cassette: `ignore` is a list of fields of JSON bodies, not {ignore!r}"
        )
    given: JsonObject = {"match_on": match_on, "scrub": scrub}
    for name, functions in given.items():
        if callable(functions) or not all(map(callable, functions)):
            raise HarnessError(f"sim.cassette: `{name}` is a list of functions, not {functions!r}")
    made = SimCassette(
        path=Path(path),
        mode=mode,  # type: ignore[arg-type]  # checked above
        matching=Matching(ignore=tuple(ignore), by=tuple(match_on)),
        latency=latency,  # type: ignore[arg-type]  # checked above
        scrubbing=Scrubbing(scrubbers=tuple(scrub)),
        tell=tell or _tell,
        allow_unused=allow_unused,
    )
    if mode == "none" and not made.path.exists():
        raise CassetteError(
            f"{path}: there is no such cassette\n"
            '  How to fix: record it with mode="once", or with `harness record`'
        )
    if made.path.exists() and mode != "all":
        _ = made.recordings  # a file that cannot be read is told at once
    return made


def _tell(line: str) -> None:
    print(f"harness: {line}", file=sys.stderr)  # noqa: T201 - before money is spent, somebody is told


def _one_of(what: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise HarnessError(
            f"sim.cassette: there is no {what} {value!r}{did_you_mean(str(value), known)}\n  Known: {', '.join(known)}"
        )
