"""The workload that several benchmarks share: orchestrator and four workers, six calls a task, forty slots.

Once as a scenario, run with full spans; and once as somebody would write it by hand in bare SimPy, with the same
arrivals, the same kinds of draws and one row a call.
"""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

import simpy

from harness.run.build import PatternRun
from harness.scenario import LoadedScenario, load_scenario

CALLS_PER_TASK = 6

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


def bare_cpu_s(tasks: int) -> float:
    """CPU of the same workload in bare SimPy [s]."""
    env = simpy.Environment()
    slots = simpy.Resource(env, 40)
    rng = random.Random(1)
    rows: list[tuple[int, str, float, float, float, float, float]] = []

    def call(task: int, agent: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - as one writes SimPy by hand
        arrival_s = env.now
        with slots.request() as slot:
            yield slot
            start_s = env.now
            output_tokens = rng.lognormvariate(5, 0.4)
            yield env.timeout(rng.lognormvariate(0, 0.4))
            first_token_s = env.now
            yield env.timeout(output_tokens * 0.0147)
        rows.append((task, agent, arrival_s, start_s, first_token_s, env.now, output_tokens))

    def work(task: int):  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield env.process(call(task, "lead"))
        yield env.all_of([env.process(call(task, worker)) for worker in ("a", "b", "c", "d")])
        yield env.process(call(task, "lead"))

    def arrivals():  # type: ignore[no-untyped-def]  # noqa: ANN202
        for task in range(tasks):
            yield env.timeout(rng.expovariate(0.5))
            env.process(work(task))

    env.process(arrivals())  # type: ignore[no-untyped-call]
    began_s = time.process_time()
    env.run()
    assert len(rows) == tasks * CALLS_PER_TASK
    return time.process_time() - began_s
