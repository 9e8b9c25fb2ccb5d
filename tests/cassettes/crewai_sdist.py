"""Load every cassette of crewAI's source distribution: `python -m tests.cassettes.crewai_sdist`.

Downloads the distribution from the package index (40 MB or so). Each file is loaded, or refused with a reason; the counts are printed.
"""

# ruff: noqa: T201 - a script prints
from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from harness.cassettes import CassetteError, load_cassette
from harness.cassettes.said import said_in

VERSION = "1.15.30"


def main(folder: Path) -> int:
    """Download, unpack and load; returns the exit code."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        f"crewai=={VERSION}",
        "--no-binary",
        ":all:",
        "--no-deps",
    ]
    done = subprocess.run(
        [*command, "-d", str(folder)], capture_output=True, text=True, check=False
    )
    archives = sorted(folder.glob("*.tar.gz"))
    if not archives:
        print(
            f"the package index does not give the source of crewai {VERSION}:\n{done.stderr[-500:]}"
        )
        return 3
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    return load_all(sorted(folder.rglob("cassettes/**/*.yaml")))


def load_all(files: list[Path]) -> int:
    """Load files, and print how many were loaded and why others were not."""
    reasons: Counter[str] = Counter()
    interactions = replies = loaded = 0
    sources: Counter[str] = Counter()
    for file in files:
        try:
            cassette = load_cassette(file)
        except CassetteError as error:
            reasons[str(error).removeprefix(f"{file}: ").partition("\n")[0]] += 1
            continue
        except Exception:  # noqa: BLE001 - told, and counted as a failure of ours
            traceback.print_exc()
            reasons["a traceback"] += 1
            continue
        loaded += 1
        interactions += len(cassette.interactions)
        replies += sum(said_in(one.response) is not None for one in cassette.interactions)
        sources.update(one.latency_source for one in cassette.interactions)
    print(
        f"{loaded} of {len(files)} files loaded: {interactions} interactions, {replies} replies of models"
    )
    print(
        "times from: "
        + ", ".join(f"{source} ({count})" for source, count in sorted(sources.items()))
    )
    for reason, count in reasons.most_common():
        print(f"refused ({count}): {reason}")
    return int(reasons["a traceback"] > 0 or not files)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(main(Path(scratch)))
