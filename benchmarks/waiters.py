"""A hundred thousand agents that wait at the same time, for one slot. Target: they finish, at most 4 KB each."""

from __future__ import annotations

import resource

from benchmarks.workload import scenario
from harness.run.build import PatternRun
from harness.scenario import LoadedScenario

AGENTS = 100_000


def main() -> None:
    """Let all tasks arrive at once at a provider that serves one at a time."""
    _simulate(_waiting(100))
    before_kb = _peak_kb()
    world = _simulate(_waiting(AGENTS))
    grown_kb = _peak_kb() - before_kb
    spans = world.log.spans
    spans_kb = sum(spans[name].itemsize * len(spans) for name in spans.columns) / 1024
    print(f"{AGENTS:,} agents waited and were served: {len(spans):,} spans")
    print(f"memory at the peak: {grown_kb / AGENTS:.2f} KB an agent (target: at most 4)")
    print(f"of which the spans that they leave: {spans_kb / AGENTS:.2f} KB an agent")


def _waiting(tasks: int) -> LoadedScenario:
    return scenario(
        tasks,
        "workload.arrivals={every_s: 0.000001}",
        "pattern={single: {agent: lead}}",
        "providers.p.concurrency=1",
    )


def _simulate(loaded: LoadedScenario) -> PatternRun:
    world = PatternRun(loaded, 1)
    world.execute()
    return world


def _peak_kb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
