"""What a sweep says about its rest; workers send back many runs at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest

from harness import wall
from harness.cli.sweep_progress import SweepProgress
from harness.sweep.work import Made


@pytest.mark.parametrize(
    ("moments_s", "runs", "told"),
    [
        pytest.param([20.0, 40.0], 80, "about 5 min 0 s", id="jobs of 80 runs"),
        pytest.param([20.0, 20.0, 40.0], 80, "about 2 min 20 s", id="two workers in step"),
        pytest.param(
            [2.0 * (run + 1) for run in range(5)], 1, "about 43 min 20 s", id="one by one"
        ),
    ],
)
def test_rest_is_told_from_whole_jobs(
    moments_s: list[float],
    runs: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The first run of a job took as long as all of it."""
    clock: Iterator[float] = chain([0.0, 0.0], moments_s)
    monkeypatch.setattr(wall, "elapsed_s", lambda: next(clock))
    progress = SweepProgress()
    progress.begin(4, 320, 0, 2, None)
    for _ in moments_s:
        progress(Made(runs=runs, failed=0, wall_s=0.0, batch=None))
    assert told in capsys.readouterr().err
