"""A rate limiter with many clients that come again and again. Target: no operation is O(clients)."""

from __future__ import annotations

import time

from benchmarks.workload import scenario
from harness.run.build import PatternRun


def main() -> None:
    """Compare the CPU per attempt of a thousand waiting clients and of ten thousand."""
    costs_us = []
    for clients in (1_000, 10_000):
        loaded = scenario(
            clients,
            "workload.arrivals={every_s: 0.000001}",
            "pattern={single: {agent: lead}}",
            f"providers.p={{limits: {{requests_per_min: {clients // 2}}}}}",  # half of them come at once, the rest wait
            "policies.default.retry={attempts: 1000, jitter: full}",
        )
        world = PatternRun(loaded, 1)
        began_s = time.process_time()
        world.execute()
        cpu_s = time.process_time() - began_s
        attempts = sum(kind == "attempt" for kind in world.log.spans.values("kind"))
        costs_us.append(cpu_s / attempts * 1e6)
        print(f"{clients:>6,} clients, {attempts:>7,} attempts: {costs_us[-1]:.1f} us per attempt")
    print(
        f"ten times the clients: {costs_us[1] / costs_us[0]:.2f} times the cost of an attempt (target: about 1)"
    )


if __name__ == "__main__":
    main()
