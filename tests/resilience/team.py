"""Runs of small teams with policies, and what their spans say."""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.metrics import Metrics, summarise
from harness.run import RunResult, Simulation

Spec = dict[str, Any]


def spec(
    policies: Spec | None = None,
    *,
    of_a: Spec | None = None,
    tasks: Spec | None = None,
    service: object = 1.0,
    agents: Spec | None = None,
    pattern: Spec | None = None,
    provider: Spec | None = None,
    **more: object,
) -> Spec:
    """A scenario: agent `a` answers each task, one every ten seconds; `b` and `c` are there to be named by policies."""
    team = {name: {"model": "m", "output_tokens": 100} for name in ("a", "b", "c")}
    return {
        "scenario": "policies",
        "workload": {"kinds": [{"input_tokens": 100}], **(tasks or {"tasks": 5, "arrivals": {"every_s": 10}})},
        "providers": {"p": provider or {}},
        "models": {
            "m": {
                "provider": "p",
                "name": "made-up",
                "latency": {"ttft_s": service, "itl_s": 0},
                "prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 10},
            }
        },
        "agents": agents or team,
        "pattern": pattern or {"single": {"agent": "a"}},
        "policies": {"default": policies or {}, "agents": {"a": of_a} if of_a else {}},
        **more,
    }  # fmt: skip


def simulated(
    policies: Spec | None = None, *, seed: int = 1, folder: str = ".", **more: Any  # noqa: ANN401 - as of `spec`
) -> RunResult:  # fmt: skip
    """One run of it."""
    return Simulation.from_spec(spec(policies, **more), folder=folder).run(seed)


def rows(result: RunResult, kind: str, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of the spans of one kind, in the order in which they ended."""
    return [row[1:] for row in result.spans.rows("kind", *columns) if row[0] == kind]


def events(result: RunResult) -> Counter[str]:
    """How often each event happened, without messages."""
    found = Counter(result.events.values("name"))
    del found["message"]
    return found


def at(result: RunResult, name: str) -> list[float]:
    """When an event happened [s]."""
    return [at_s for at_s, it in result.events.rows("at_s", "name") if it == name]


def metrics_of(result: RunResult) -> Metrics:
    return summarise([result.tally])[0]
