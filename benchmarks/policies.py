"""CPU per call with policies, against a bare hand-written SimPy model without any. Target: at most 3.0 times with every policy on."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.workload import CALLS_PER_TASK, bare_cpu_s, scenario, simulated_cpu_s

TASKS = 3_000
ROUNDS = 2

POLICIES = {
    "timeout_s": "1000",
    "deadline_s": "1000",
    "task_deadline_s": "10000",
    "max_in_flight": "1000",
    "queue": "{max_in_flight: 100000, shared: all}",
    "token_bucket": "{requests_per_min: 1000000, tokens_per_min: 1000000000, shared: all}",
    "retry": "{attempts: 3}",
    "hedge": "{after_s: 500}",
    "circuit_breaker": "{shared: all}",
    "budget": "{calls: 100, turns: 100, usd: 100, tokens: 1000000}",
    "validate": "{json_schema: {type: object}}",
    "cache": "{}",
    "default_answer": "{after_s: 900}",
    "escalate": "{}",
}
"""Policies that have nothing to do; those that make further calls, or hand them on, are left out."""


def main() -> None:
    """Measure each policy alone, and all together, each between two measurements of bare SimPy."""
    with tempfile.TemporaryDirectory() as folder:
        stub = Path(folder, "stub.yaml")
        lines = [f"  {agent}: {{rules: [{{reply: '{{}}'}}]}}" for agent in ("lead", *"abcd")]
        stub.write_text("\n".join(["agents:", *lines]), encoding="utf-8")
        _us_per_call(stub, ())  # imports are not measured
        for names in ((), *((name,) for name in POLICIES), tuple(POLICIES)):
            bare_us = min(bare_cpu_s(TASKS) for _ in range(ROUNDS)) / TASKS / CALLS_PER_TASK * 1e6
            ours_us = _us_per_call(stub, names)
            title = "all" if len(names) > 1 else "".join(names) or "none"
            print(f"{title + ':':18} {ours_us:6.1f} us per call, {ours_us / bare_us:5.2f} x bare")


def _us_per_call(stub: Path, names: tuple[str, ...]) -> float:
    stated = ", ".join(f"{name}: {POLICIES[name]}" for name in names)
    stubs = [f"agents.{agent}.stub={stub}" for agent in ("lead", *"abcd")]
    loaded = scenario(TASKS, f"policies.default={{{stated}}}", *stubs)
    best_s = min(simulated_cpu_s(loaded) for _ in range(ROUNDS))
    return best_s / TASKS / CALLS_PER_TASK * 1e6


if __name__ == "__main__":
    main()
