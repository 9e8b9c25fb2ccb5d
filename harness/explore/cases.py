"""Failing cases that are kept: one YAML file each, run first in the next search of the same test."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from harness.errors import HarnessError
from harness.explore.deviation import from_record, to_record
from harness.explore.exploration import Finding
from harness.explore.token import Replay, read_token, token_of

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_NAME_MAX = 60


def keep(folder: Path, finding: Finding) -> Path:
    """Keep a finding as a file; the same one is kept once.

    Raises:
        HarnessError: The folder cannot be written.
    """
    replay = read_token(finding.token)
    record = {
        "test": replay.test,
        "kind": finding.kind,
        "message": finding.message,
        "where": finding.where,
        "seed": replay.seed,
        "deviations": [to_record(one) for one in finding.overrides],
        "events": replay.events,
        "trail": replay.trail,
        "near": [to_record(one) for one in replay.near],
        "limits": dict(replay.limits),
        "story": finding.story,
    }
    path = _path(folder, finding, replay)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(
            yaml.safe_dump(record, sort_keys=False, allow_unicode=True), encoding="utf-8"
        )
    except OSError as error:
        raise HarnessError(f"cannot keep a finding in {folder}: {error.strerror}") from None
    return path


def drop(folder: Path, finding: Finding) -> None:
    """Drop the file of a finding that another one takes the place of."""
    _path(folder, finding, read_token(finding.token)).unlink(missing_ok=True)


def _path(folder: Path, finding: Finding, replay: Replay) -> Path:
    deviations = [to_record(one) for one in finding.overrides]
    same = repr((replay.test, replay.seed, deviations, finding.kind))
    digest = hashlib.blake2b(same.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    name = (
        _NOT_IN_NAMES.sub("-", f"{finding.kind} {finding.message}")[:_NAME_MAX].strip("-").lower()
    )
    return folder / f"{name}-{digest}.yaml"


def read(path: Path) -> Replay:
    """Read one case.

    Raises:
        HarnessError: It cannot be read, or is not a case.
    """
    try:
        said: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        deviations = tuple(from_record(record) for record in said["deviations"])
        return Replay(
            int(said["seed"]),
            deviations,
            str(said["kind"]),
            str(said.get("events", "")),
            str(said.get("trail", "")),
            tuple(from_record(record) for record in said.get("near", ())),
            str(said["test"]),
            dict(said.get("limits", {})),
        )
    except OSError as error:
        raise HarnessError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise HarnessError(f"{path} is not a kept finding: {error}") from None


def of_test(folder: Path, test: str) -> Sequence[Replay]:
    """The cases of a test in a folder, in the order of their names; none if there is no such folder."""
    if not folder.is_dir():
        return ()
    cases = [read(path) for path in sorted(folder.glob("*.yaml"))]
    return [case for case in cases if case.test == test]


def as_pytest(path: Path) -> str:
    """A case as a test.

    Raises:
        HarnessError: It cannot be read, or is not a case.
    """
    replay = read(path)
    story: Any = yaml.safe_load(path.read_text(encoding="utf-8")).get("story", "")
    told = "\n".join(f"    # {line}".rstrip() for line in str(story).splitlines())
    name = _NOT_IN_NAMES.sub("_", path.stem).strip("_").lower()
    return (
        f"def test_{name}(sim):\n"
        f"    # Found by: {replay.test}\n{told}\n"
        "    # Describe the surroundings here as that test does, and import its program and its check.\n"
        f"    token = {token_of(replay)!r}\n"
        "    sim.replay_finding(token, program, check=check).assert_none()\n"
    )
