"""Run ids on the command line: `12`, `1-8`, `1-8,11`."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from itertools import pairwise
from typing import Final, Protocol

from harness.errors import HarnessError
from harness.store import Store

RUNS: Final = re.compile(r"\d{1,9}(-\d{1,9})?(,\d{1,9}(-\d{1,9})?)*")
"""What names runs of a store."""


class _Ids(Container[int], Iterable[int], Protocol):
    """The ids of the runs that a store holds."""


def run_ids(runs: str, there: _Ids, label: str, store: Store) -> set[int]:
    """Parse the run ids of one word.

    Args:
        runs: The word; it matches `RUNS`.
        there: The runs that the store holds.
        label: How messages begin.
        store: The store.

    Raises:
        HarnessError: A range ends before it begins, or the store does not hold one of the runs.
    """
    wanted: set[int] = set()
    for part in runs.split(","):
        first, last = (int(part.split("-")[end]) for end in (0, -1))
        if first > last:
            raise HarnessError(
                f"{label}: {part} ends before it begins; did you mean {last}-{first}?"
            )
        # The first that is missing ends the search, however long the range is.
        missing = next((run_id for run_id in range(first, last + 1) if run_id not in there), None)
        if missing is not None:
            raise HarnessError(
                f"{label}: there is no run {missing} in the store {store.path}\n"
                f"  How to fix: it holds runs {id_ranges(list(there))}; see `harness runs`"
            )
        wanted.update(range(first, last + 1))
    return wanted


def named_runs(words: Sequence[str], there: _Ids, store: Store) -> list[int]:
    """Parse the run ids of several words; ascending, without duplicates.

    Args:
        words: The words of the command line.
        there: The runs that the store holds.
        store: The store.

    Raises:
        HarnessError: A word is not a run or a range of runs, or the store does not hold one of them.
    """
    for word in words:
        if not RUNS.fullmatch(word):
            raise HarnessError(
                f"{word} is neither a run nor a range of runs\n  How to fix: name a run, such as 12, or runs, such as 1-8,11"
            )
    return sorted(set().union(*(run_ids(word, there, f"run {word}", store) for word in words)))


def id_ranges(run_ids: Sequence[int]) -> str:
    """Some runs, ascending, as the command line takes them: `1-8,11`."""
    parts = [[run_ids[0]]]
    for before, run_id in pairwise(run_ids):
        if run_id > before + 1:
            parts.append([])
        parts[-1].append(run_id)
    return ",".join(f"{it[0]}-{it[-1]}" if len(it) > 1 else str(it[0]) for it in parts)
