"""Record in a process that `harness record` starts: what it is told through its environment, and how it begins."""

from __future__ import annotations

import fnmatch
import importlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness import wall
from harness.cassettes.scrubbing import Scrubber, Scrubbing
from harness.errors import HarnessError

VARIABLE = "HARNESS_RECORD"
"""The environment variable with a `Told` as JSON."""

SITE = Path(__file__).parent / "site"
"""The folder whose `sitecustomize.py` begins the recording."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a process is told that records."""

    path: str
    """The cassette, as an absolute path."""
    zero_s: float
    """When the recording began, on the clock that all processes of a machine share [s]."""
    hosts: Sequence[str] = ()
    """Globs of the hosts that are recorded; none means all."""
    keep_headers: Sequence[str] = ()
    """Headers that are kept besides those that are harmless."""
    scrubbers: Sequence[str] = ()
    """Functions of the user's own that take out secrets, as `module:function`."""


def environment(told: Told) -> dict[str, str]:
    """The environment of a process that records."""
    root = Path(__file__).parents[2]
    paths = [str(SITE), os.environ.get("PYTHONPATH", ""), str(root)]
    return {
        **os.environ,
        VARIABLE: json.dumps(asdict(told)),
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
    }


def begin() -> None:
    """Record in this process until it ends."""
    from harness.recording.recorder import Recorder
    from harness.recording.seams import put_in

    told = Told(**json.loads(os.environ[VARIABLE]))
    try:
        scrubbing = Scrubbing(
            scrubbers=tuple(map(_LateScrubber, told.scrubbers)),
            keep_headers=frozenset(name.lower() for name in told.keep_headers),
        )
    except HarnessError as error:
        sys.stderr.write(f"harness record: {error}\n")
        return
    recorder = Recorder(
        Path(told.path),
        lambda: wall.elapsed_s() - told.zero_s,
        scrubbing,
        wanted=lambda host: is_wanted(host, told.hosts),
    )
    put_in(recorder)


def is_wanted(host: str, globs: Sequence[str]) -> bool:
    """Whether what a host answers is recorded."""
    return not globs or any(fnmatch.fnmatchcase(host, glob) for glob in globs)


class _LateScrubber:
    """A function of the user's, imported when it is first needed: at the start of a process too little is there."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._function: Scrubber | None = None

    def __call__(self, text: str) -> str:
        if self._function is None:
            self._function = scrubber(self._name)
        return self._function(text)


def scrubber(name: str) -> Scrubber:
    """A function of the user's own, by its name.

    Raises:
        HarnessError: There is none.
    """
    module, _, function = name.partition(":")
    try:
        found: Scrubber = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise HarnessError(
            f"there is no scrubber {name!r}: {error}\n  How to fix: name it as module:function"
        ) from None
    return found
