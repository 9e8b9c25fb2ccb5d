"""The workload that several benchmarks share: orchestrator and four workers, six calls a task, forty slots.

Here as a scenario, run with full spans; in `bare.py` as somebody would write it by hand in bare SimPy.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from harness.run.build import PatternRun
from harness.scenario import LoadedScenario, load_scenario

_SCENARIO = """
scenario: benchmark
workload: {tasks: 1000, arrivals: {poisson: {rate_per_s: 0.5}}, kinds: [{input_tokens: 1000}]}
providers: {p: {concurrency: 40}}
models:
  m:
    provider: p
    name: made-up
    latency: {ttft_s: {lognormal: {median: 1.0, sigma: 0.4}}, itl_s: 0.0147}
    prices: {input_usd_per_mtok: 3, output_usd_per_mtok: 15}
agents:
  lead: &agent {model: m, output_tokens: {lognormal: {median: 148, sigma: 0.4}}}
  a: *agent
  b: *agent
  c: *agent
  d: *agent
pattern: {orchestrator_worker: {orchestrator: lead, workers: [a, b, c, d], synthesizer: lead}}
"""


def scenario(tasks: int, *overrides: str) -> LoadedScenario:
    """The workload as a scenario, with changes as after `--set`."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "benchmark.yaml")
        file.write_text(_SCENARIO, encoding="utf-8")
        return load_scenario(file, overrides=[f"workload.tasks={tasks}", *overrides])


def simulated_cpu_s(loaded: LoadedScenario) -> float:
    """CPU of one run with full spans, up to the last span in its column [s]."""
    began_s = time.process_time()
    world = PatternRun(loaded, 1)
    world.execute()
    assert world.log.spans
    return time.process_time() - began_s
