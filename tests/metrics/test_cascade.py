"""A cascade is told as one: who failed first, who got no input because of it, and how many tasks were lost."""

from __future__ import annotations

from typing import Any

import pytest

from harness.metrics.because import because
from harness.metrics.cascade import Cascade, cascades
from harness.run import Simulation
from harness.spans import Table

ONCE = {"default": {"retry": {"attempts": 1}}}


def team(faults: list[dict[str, Any]], pattern: dict[str, Any] | None = None, **more: object) -> Table:  # fmt: skip
    spec = {
        "scenario": "research",
        "workload": {"tasks": 6, "arrivals": {"every_s": 60}},
        "models": {"fast": {"provider": "p", "name": "m", "latency": {"ttft_s": 1, "itl_s": 0.01}}},
        "providers": {"p": {}},
        "agents": {
            name: {"model": "fast", "output_tokens": 100}
            for name in ("search", "analyst", "writer", "spare")
        },
        "pattern": pattern or {"pipeline": {"stages": ["search", "analyst", "writer"]}},
        "policies": ONCE,
        "faults": faults,
        **more,
    }
    return Simulation.from_spec(spec).run(1).spans


def test_a_failure_is_told_with_those_that_got_no_input() -> None:
    spans = team([{"status": {"agent": "search", "status": 529, "probability": 0.6}}])
    (found,) = cascades([spans])
    assert (found.agent, found.reason) == ("search", "529 overloaded_error")
    assert found.followed == {"analyst": "no input", "writer": "no input"}
    assert 0 < found.lost < found.tasks == 6
    told = because([spans], "success_rate")
    assert (
        f"because of it: analyst (no input), writer (no input), {found.lost} of 6 tasks lost."
        in told
    )


def test_the_sentence_of_a_cascade() -> None:
    followed = {"analyst": "no input", "writer": "no input"}
    told = str(Cascade("search", "timeout", 12.0, followed, lost=5, tasks=6))
    assert told == (
        "search failed at 12 s (timeout); because of it: analyst (no input), writer (no input), 5 of 6 tasks lost"
    )


def test_a_sibling_that_is_cancelled_is_told() -> None:
    pattern = {"orchestrator_worker": {"orchestrator": "spare", "workers": ["search", "analyst"], "synthesizer": "writer", "on_failure": "fail"}}  # fmt: skip
    spans = team([{"status": {"agent": "search", "status": 500, "probability": 0.6}}], pattern)
    (found,) = cascades([spans])
    assert found.agent == "search"
    assert found.followed["writer"] == "no input"


@pytest.mark.parametrize(
    ("faults", "more"),
    [
        ([], {}),
        (
            [{"status": {"agent": "search", "status": 529, "probability": 0.6}}],
            {"policies": {**ONCE, "agents": {"search": {"fallback": "spare"}}}},
        ),
        ([{"status": {"agent": "writer", "status": 529, "probability": 0.6}}], {}),
    ],
)
def test_what_kept_nobody_from_its_part_is_no_cascade(
    faults: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    """Nothing fails; another stands in; the last one fails."""
    assert cascades([team(faults, **more)]) == []
