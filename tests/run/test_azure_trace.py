"""An hour of a real code-completion service, when its trace is at hand.

HARNESS_DATA names the folder that holds `azure_llm_2023/code.csv` (AzurePublicDataset, CC-BY); without it this is skipped.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness import Simulation

TRACE = Path(os.environ.get("HARNESS_DATA", "no-data"), "azure_llm_2023", "code.csv")
SCENARIO = Path(__file__).parents[2] / "scenarios" / "azure_code_trace.yaml"

pytestmark = pytest.mark.skipif(
    not TRACE.is_file(), reason="HARNESS_DATA does not hold the Azure trace"
)


def test_all_real_requests_arrive_when_they_did_with_the_tokens_they_had() -> None:
    simulation = Simulation(
        SCENARIO, overrides=[f"workload.arrivals.trace.file={TRACE.absolute()}"]
    )
    result = simulation.run()
    tasks = [row for row in result.spans.rows("kind", "arrival_s") if row[0] == "task"]
    assert len(tasks) == 8819
    assert min(at_s for _, at_s in tasks) == 0.0
    # 18:17:03.979960 to 19:14:19.928016
    assert max(at_s for _, at_s in tasks) == 3435.948056
    metrics = simulation.run_many(runs=1).metrics
    rows = [line.split(",") for line in TRACE.read_text(encoding="utf-8").splitlines()[1:]]
    assert metrics["input_tokens_mean"] == sum(int(row[1]) for row in rows) / 8819
    assert metrics["output_tokens_mean"] == sum(int(row[2]) for row in rows) / 8819
    assert {"utilisation", "latency_s_p95", "cost_usd_total"} <= metrics.keys()
