"""CPU per call with policies that have nothing to do, against bare SimPy. Target: at most 3.0 times with every policy on.

Two programs are compared with: the one without any policy, and for all policies together the one that has them too.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.bare import CALLS_PER_TASK, Bare, BareWithPolicies
from benchmarks.workload import scenario, simulated_cpu_s

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
    "cache": "{ttl_s: 0.001}",  # the synthesis is the same in every task
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
        for names in ((), *((name,) for name in POLICIES)):
            ratio = _us_per_call(stub, names) / _bare_us(Bare)
            print(
                f"{''.join(names) or 'none':18} {ratio:5.2f} x bare SimPy without policies",
                flush=True,
            )
        ours_us, by_hand_us = _us_per_call(stub, tuple(POLICIES)), _bare_us(BareWithPolicies)
        print(
            f"{'all':18} {ours_us / _bare_us(Bare):5.2f} x bare SimPy without policies (target: at most 3.0)"
        )
        print(f"{'':18} {ours_us / by_hand_us:5.2f} x bare SimPy with the same policies by hand")


def _bare_us(program: type[Bare]) -> float:
    return min(program(TASKS).cpu_s() for _ in range(ROUNDS)) / TASKS / CALLS_PER_TASK * 1e6


def _us_per_call(stub: Path, names: tuple[str, ...]) -> float:
    stated = ", ".join(f"{name}: {POLICIES[name]}" for name in names)
    stubs = [f"agents.{agent}.stub={stub}" for agent in ("lead", *"abcd")]
    loaded = scenario(TASKS, f"policies.default={{{stated}}}", *stubs)
    best_s = min(simulated_cpu_s(loaded) for _ in range(ROUNDS))
    return best_s / TASKS / CALLS_PER_TASK * 1e6


if __name__ == "__main__":
    main()
