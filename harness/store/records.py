"""The record of one run that a store keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.metrics.engine import SIMULATED, Engine
from harness.spans import Table
from harness.texts import no_texts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One execution of a scenario with one seed, written to a store once."""

    scenario: str
    """Name of the scenario."""

    scenario_hash: str
    """Of all that determines the run but its seed: equal hash and seed, equal run."""

    seed: int
    """The one integer that all randomness of the run derives from."""

    status: Literal["done", "horizon", "killed"]
    """Whether the work was done, or virtual time was over before."""

    tasks: int
    """Tasks of the workload, warm-up included."""

    warmup_tasks: int
    """How many of the first tasks are left out of the metrics."""

    makespan_s: float
    """From the first arrival to the last end [virtual s]; NaN when no task arrived."""

    wall_s: float
    """How long the run took on the machine [real s]."""

    harness_version: str
    """The harness that ran it."""

    commit_id: str
    """The git commit of the scenario's folder, with `+` appended if files differed from it; "" without git."""

    source: str
    """The scenario file, as it was named; "" when there is none."""

    command: str
    """The command that runs it again; "" when there is none."""

    spans: Table
    """Everything that took time, with `SPAN_COLUMNS`."""

    events: Table
    """Everything that happened at a point in time, with `EVENT_COLUMNS`."""

    metrics: Mapping[str, float]
    """The numbers of the whole run; one that was not measured is left out, or NaN."""

    agent_metrics: Mapping[str, Mapping[str, float]]
    """The numbers of each agent."""

    budgets: Sequence[tuple[str, str, float]] = ()
    """The scenario's budgets: metric, bound, value."""

    limits: Sequence[tuple[str, str, float]] = ()
    """What the providers allow: provider, name of the limit, value."""

    models: Sequence[tuple[str, str, str]] = ()
    """The models that the scenario describes: provider, model, and the pool whose rate limits it shares or ""."""

    engine: Engine = SIMULATED
    """What moved its time, and whose replies it has."""

    texts: Table = field(default_factory=no_texts)
    """The prompts and replies of its calls, with `TEXT_COLUMNS`; empty unless requested."""
