"""Nothing stands out in healthy scenarios, 300 drawn ones; programs are drawn in `tests/findings` and `tests/zoo`."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.run import Simulation
from harness.spans import OK
from harness.strategies import scenarios

DRAWN = 300


@settings(
    max_examples=DRAWN,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(scenarios(max_faults=0, max_tasks=30), st.integers(1, 10))
def test_nothing_stands_out_in_a_healthy_scenario(spec: dict[str, Any], seed: int) -> None:
    run = Simulation.from_spec(spec).run(seed)
    failed = any(kind == "task" and status != OK for kind, status in run.spans.rows("kind", "status"))  # fmt: skip
    # A small quota without retries is not healthy, and its cascades are true.
    assert {seen.kind for seen in run.stood_out} <= ({"cascade"} if failed else set())
