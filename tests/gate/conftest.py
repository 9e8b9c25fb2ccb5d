"""Sides made by hand: values of metrics by seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from harness.gate import Sample, Samples

MakeSide = Callable[..., Samples]


def make_side(
    values: Mapping[str, Sequence[float]] | None = None,
    *,
    seeds: Sequence[int] | None = None,
    failed: Sequence[Sequence[int]] | None = None,
    tasks: int = 50,
    **fields: str,
) -> Samples:
    """A side with one run for each value; success follows from the failed tasks."""
    values = values or {}
    count = len(failed) if failed is not None else len(next(iter(values.values()), ()))
    runs = []
    for index, seed in enumerate(seeds if seeds is not None else range(1, count + 1)):
        lost = tuple(failed[index]) if failed is not None else ()
        metrics = {name: column[index] for name, column in values.items()}
        if failed is not None:
            metrics["success_rate"] = 1 - len(lost) / tasks
        runs.append(Sample(seed=seed, metrics=metrics, tasks=tasks, failed=lost))
    said = {"scenario": "review", "scenario_hash": "a", "harness_version": "1.0", **fields}
    return Samples(runs=tuple(runs), **said)


@pytest.fixture
def side() -> MakeSide:
    return make_side
