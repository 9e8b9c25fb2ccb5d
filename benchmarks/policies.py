"""CPU per call with policies that have nothing to do, against bare SimPy. Target: at most 3.0 times with every policy on.

Two programs are compared with: the one without any policy, and for all policies together the one that has them too.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.bare import CALLS_PER_TASK, WORKERS, Bare, BareWithPolicies
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


def stubs(folder: Path) -> list[str]:
    """Changes of the scenario so that every agent replies with a JSON object.

    Args:
        folder: Where the stub is written.
    """
    stub, agents = Path(folder, "stub.yaml"), ("lead", *WORKERS)
    lines = [f"  {agent}: {{rules: [{{reply: '{{}}'}}]}}" for agent in agents]
    stub.write_text("\n".join(["agents:", *lines]), encoding="utf-8")
    return [f"agents.{agent}.stub={stub}" for agent in agents]


def with_policies(*names: str) -> str:
    """The change of the scenario that states some policies, or all of `POLICIES`."""
    stated = ", ".join(f"{name}: {POLICIES[name]}" for name in names or POLICIES)
    return f"policies.default={{{stated}}}"


def main() -> None:
    """Measure each policy alone, and all together, each beside a measurement of bare SimPy."""
    with tempfile.TemporaryDirectory() as folder:
        replies = stubs(Path(folder))
        _us_per_call(*replies)  # imports are not measured
        print(f"{'none':18} {_us_per_call(*replies) / _bare_us(Bare):5.2f} x bare SimPy")
        for name in POLICIES:
            ratio = _us_per_call(with_policies(name), *replies) / _bare_us(Bare)
            print(f"{name:18} {ratio:5.2f} x bare SimPy without policies", flush=True)
        ours_us, by_hand_us = _us_per_call(with_policies(), *replies), _bare_us(BareWithPolicies)
        ratio = ours_us / _bare_us(Bare)
        print(f"{'all':18} {ratio:5.2f} x bare SimPy without policies (target: at most 3.0)")
        print(f"{'':18} {ours_us / by_hand_us:5.2f} x bare SimPy with the same policies by hand")


def _bare_us(program: type[Bare]) -> float:
    return min(program(TASKS).cpu_s() for _ in range(ROUNDS)) / TASKS / CALLS_PER_TASK * 1e6


def _us_per_call(*changes: str) -> float:
    loaded = scenario(TASKS, *changes)
    return min(simulated_cpu_s(loaded) for _ in range(ROUNDS)) / TASKS / CALLS_PER_TASK * 1e6


if __name__ == "__main__":
    main()
