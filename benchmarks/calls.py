"""CPU per call against a bare hand-written SimPy model of the same thing. Target: at most 2.0 times."""

from __future__ import annotations

from benchmarks.bare import CALLS_PER_TASK, Bare
from benchmarks.workload import scenario, simulated_cpu_s

TASKS = 20_000
ROUNDS = 3


def main() -> None:
    """Measure both, in turns, and compare the best of each."""
    loaded = scenario(TASKS)
    ours, bare = [], []
    for _ in range(ROUNDS):
        ours.append(simulated_cpu_s(loaded))
        bare.append(Bare(TASKS).cpu_s())
    calls = TASKS * CALLS_PER_TASK
    print(f"harness, full spans: {min(ours) / calls * 1e6:6.1f} us per call")
    print(f"bare SimPy:          {min(bare) / calls * 1e6:6.1f} us per call")
    print(f"ratio:               {min(ours) / min(bare):6.2f} (target: at most 2.0)")


if __name__ == "__main__":
    main()
