"""The replay token: a finding as one word that can be pasted, and that another process runs byte for byte."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from harness.errors import HarnessError
from harness.explore.deviation import Deviations, from_record, to_record

_VERSION = "x1"

NO_LIMITS: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Replay:
    """What is run again."""

    seed: int
    deviations: Deviations
    kind: str
    """How it failed."""
    events: str = ""
    """The digest of all that happened."""
    trail: str = ""
    """The rolling hash of its timeline; see `harness.explore.trail`."""
    near: Deviations = ()
    """Those of the nearest run that passes."""
    test: str = ""
    """What it is a finding of: the id of a test, or a scenario file."""
    limits: Mapping[str, Any] = field(default_factory=dict)
    """The limits of a task that were among the properties, by name."""


def token_of(replay: Replay) -> str:
    """A replay as a word."""
    said: dict[str, Any] = {
        "seed": replay.seed,
        "deviations": [to_record(one) for one in replay.deviations],
        "kind": replay.kind,
        "events": replay.events,
        "trail": replay.trail,
        "near": [to_record(one) for one in replay.near],
        "test": replay.test,
    }
    if replay.limits:
        said["limits"] = dict(replay.limits)
    packed = zlib.compress(json.dumps(said, separators=(",", ":")).encode(), 9)
    return f"{_VERSION}.{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def read_token(token: str) -> Replay:
    """The replay that a word stands for.

    Raises:
        HarnessError: It is no such word.
    """
    version, _, packed = token.strip().partition(".")
    try:
        if version != _VERSION:
            raise ValueError(version)
        padded = packed + "=" * (-len(packed) % 4)
        said = json.loads(zlib.decompress(base64.urlsafe_b64decode(padded)))
        return Replay(
            int(said["seed"]),
            tuple(from_record(record) for record in said["deviations"]),
            str(said["kind"]),
            str(said["events"]),
            str(said.get("trail", "")),
            tuple(from_record(record) for record in said.get("near", ())),
            str(said["test"]),
            dict(said.get("limits", {})),
        )
    except (ValueError, KeyError, TypeError, zlib.error, binascii.Error):
        raise HarnessError(
            f"{token[:40]!r} is not a replay token\n  How to fix: copy the whole word that the search printed; it begins with {_VERSION!r}"
        ) from None
