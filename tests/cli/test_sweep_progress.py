"""What a sweep says about its rest; workers send back many runs at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from types import SimpleNamespace

import pytest

from harness import wall
from harness.cli.sweep_progress import SweepProgress


@pytest.mark.parametrize(
    ("moments_s", "told"),
    [
        pytest.param([20.0] * 80 + [40.0] * 80, "about 5 min 0 s", id="jobs of 80 runs"),
        pytest.param([20.0] * 160 + [40.0] * 160, "about 2 min 20 s", id="two workers in step"),
        pytest.param([2.0 * (run + 1) for run in range(5)], "about 43 min 20 s", id="one by one"),
    ],
)
def test_rest_is_told_from_whole_jobs(
    moments_s: list[float],
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
        progress(SimpleNamespace(metrics={}))  # type: ignore[arg-type]
    assert told in capsys.readouterr().err
