"""The two sides of a comparison, as the command line names them: runs, stores, baseline files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from harness.cli.run_ids import RUNS, id_ranges, run_ids
from harness.errors import HarnessError
from harness.gate import GateResult, Samples, read_baseline, stored
from harness.gate.comparable import are_paired
from harness.gate.kept import Kept, kept_of, why_kept
from harness.gate.why import Explanation, why
from harness.json_types import JsonObject
from harness.spans import Table
from harness.store import Store, queries

_EXPLAINED_RUNS: Final = 64
"""The most that spans are read of: more runs make an explanation no better."""

_HOW: Final = (
    "  How to fix: name a run, such as 12; runs, such as 1-8,11; a store, such as old.duckdb; runs of a store, such as "
    "old.duckdb:1-8; a baseline file that ends in .json; or a scenario that ends in .yaml"
)


@dataclass(frozen=True, slots=True)
class StoredSide:
    """A side of runs in a store."""

    label: str
    store: Store
    rows: list[JsonObject]
    """The runs, in the order in which they were written."""

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The names of their scenarios."""
        return tuple(dict.fromkeys(row["scenario"] for row in self.rows))

    @property
    def run_ids(self) -> dict[int, int]:
        """The run of each seed; the last one, if there are several."""
        return {row["seed"]: row["run_id"] for row in self.rows}


AnySide = StoredSide | Samples


def side_of(text: str, store: Path) -> AnySide:
    """Look up what a word of the command line names."""
    if RUNS.fullmatch(text):
        return stored_side(f"{'run' if text.isdigit() else 'runs'} {text}", Store(store), text)
    if text.endswith(".json"):
        return read_baseline(Path(text))
    # A colon may belong to the name of a file.
    if os.path.lexists(text):
        return stored_side(text, Store(text), "")
    name, _, runs = text.rpartition(":")
    if name and RUNS.fullmatch(runs) and os.path.lexists(name):
        return stored_side(text, Store(name), runs)
    missing = name if name and RUNS.fullmatch(runs) else text
    raise HarnessError(
        f"{text}: there is no file {missing}, and this is neither a run nor a range of runs\n{_HOW}"
    )


def stored_side(label: str, store: Store, runs: str) -> StoredSide:
    """The named runs of a store, or all of them."""
    rows = {row["run_id"]: row for row in queries.runs(store)}
    if not rows:
        raise HarnessError(
            f"{label}: the store {store.path} holds no runs, so there is nothing to compare\n"
            "  How to fix: write some with `harness simulate FILE --store ...`, or name another store"
        )
    wanted = run_ids(runs, rows, label, store) if runs else set(rows)
    return StoredSide(label, store, [row for run_id, row in rows.items() if run_id in wanted])


def of_scenario(old: AnySide, new: AnySide, wanted: str | None) -> tuple[AnySide, AnySide]:
    """The parts of the sides that are of one scenario."""
    if wanted is None:
        if len(_scenarios(old)) == len(_scenarios(new)) == 1:
            return old, new  # if they differ, the gate has a status for that
        shared = [name for name in _scenarios(old) if name in _scenarios(new)]
        if len(shared) != 1:
            held = "; ".join(f"{it.label} holds {', '.join(_scenarios(it))}" for it in (old, new))
            what = "several scenarios" if shared else "no scenario"
            how = "choose one of them with --scenario" if shared else "name other runs"
            raise HarnessError(f"the sides have {what} in common: {held}\n  How to fix: {how}")
        wanted = shared[0]
    return _only(old, wanted), _only(new, wanted)


def _scenarios(side: AnySide) -> tuple[str, ...]:
    return (side.scenario,) if isinstance(side, Samples) else side.scenarios


def _only(side: AnySide, scenario: str) -> AnySide:
    if scenario not in _scenarios(side):
        raise HarnessError(
            f"{side.label} holds no runs of {scenario}, only of {', '.join(_scenarios(side))}"
        )
    if isinstance(side, Samples):
        return side
    return replace(side, rows=[row for row in side.rows if row["scenario"] == scenario])


def samples_of_side(side: AnySide, engine: str) -> Samples:
    """The samples of a side.

    Raises:
        HarnessError: It holds several versions of its scenario.
    """
    if isinstance(side, Samples):
        return side
    versions: dict[tuple[str, str], list[int]] = {}
    for row in side.rows:
        versions.setdefault((row["scenario"], row["scenario_hash"]), []).append(row["run_id"])
    if len(versions) > 1:
        held = ", ".join(
            f"runs {id_ranges(run_ids)} of {scenario} ({digest[:8]})"
            for (scenario, digest), run_ids in versions.items()
        )
        raise HarnessError(
            f"{side.label} holds several versions: {held}\n"
            "  How to fix: name the runs of one of them, such as "
            f"{side.store.path.name}:{id_ranges(list(versions.values())[-1])}"
        )
    return stored(side.store, side.run_ids.values(), engine=engine, label=side.label)


def explained(result: GateResult, old: AnySide, new: AnySide) -> GateResult:
    """Explain why metrics became worse, if both sides have spans of the same seeds."""
    if not result.regressed:
        return result
    assert result.base is not None, "there were two sides"
    if not are_paired(result.base, result.candidate):
        return result
    if isinstance(old, Samples) or isinstance(new, Samples):
        base, candidate = (_kept(side, result.regressed) for side in (old, new))
        return result.explained({it: why_kept(base, candidate, it) for it in result.regressed})
    seeds = sorted(old.run_ids.keys() & new.run_ids.keys())[:_EXPLAINED_RUNS]
    before, after = _spans(old, seeds), _spans(new, seeds)
    warmup_tasks = max(row["warmup_tasks"] for row in (*old.rows, *new.rows))
    return result.explained(
        {
            metric: why(before, after, metric, warmup_tasks=warmup_tasks)
            for metric in result.regressed
        }
    )


def reasons_kept(
    base: Samples, spans: Mapping[int, Table], metrics: Sequence[str], warmup_tasks: int
) -> dict[str, Explanation]:
    """Why metrics changed, from what a baseline file keeps of the base and from the candidate's spans."""
    after = {
        seed: kept_of([table], metrics, warmup_tasks=warmup_tasks) for seed, table in spans.items()
    }
    return {metric: why_kept(base.kept, after, metric) for metric in metrics}


def _kept(side: AnySide, metrics: Sequence[str]) -> dict[int, Kept]:
    """What metrics consist of, by seed: as a file keeps it, or from stored spans."""
    if isinstance(side, Samples):
        return side.kept
    seeds = sorted(side.run_ids)[:_EXPLAINED_RUNS]
    warmup_tasks = max(row["warmup_tasks"] for row in side.rows)
    return {
        seed: kept_of([table], metrics, warmup_tasks=warmup_tasks)
        for seed, table in zip(seeds, _spans(side, seeds), strict=True)
    }


def _spans(side: StoredSide, seeds: Sequence[int]) -> list[Table]:
    run_ids = [side.run_ids[seed] for seed in seeds]
    return list(queries.span_tables(side.store, run_ids).values())
