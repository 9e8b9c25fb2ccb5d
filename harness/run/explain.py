"""A run of a scenario in words: where the time and the money went, what failed because of what, and which claims were false."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from harness.metrics.because import because
from harness.metrics.claims_told import claims_told, noted_in
from harness.metrics.refusals import refusals
from harness.metrics.summary import summarise
from harness.metrics.tally import RunTally
from harness.spans import Table
from harness.units import render


def explain(
    spans: Table,
    events: Table,
    tally: RunTally,
    tracebacks: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Say where the time and the money of a run went, what went wrong, and what was claimed.

    Args:
        spans: Its spans.
        events: Its events.
        tally: What its metrics are made of.
        tracebacks: The traceback of the first error of each kind, or its words.
    """
    warmup_tasks = tally.tasks_in_all - tally.tasks
    told = [*_whole(tally), *_agents(tally)]
    for metric in ("latency_s_mean", "cost_usd_mean", "success_rate"):
        told += filter(None, [because([spans], metric, warmup_tasks=warmup_tasks)])
    told += [f"  {text.splitlines()[-1]}" for text in tracebacks.values() if text]
    told += [f"{it}." for it in refusals(spans, warmup_tasks=warmup_tasks)]
    for line in claims_told(noted_in(events), in_detail=True):
        told.append(f"{line[0].upper()}{line[1:]}.")
    return "\n".join(told)


def _whole(tally: RunTally) -> Iterator[str]:
    metrics, _ = summarise([tally])
    cost = metrics.get("cost_usd_total", math.nan)
    sum_usd = "an unknown sum" if math.isnan(cost) else render("cost_usd", cost)
    tasks = "1 task" if tally.tasks == 1 else f"{tally.tasks:,} tasks"
    yield (
        f"{tally.succeeded:,} of {tasks} ended well in {render('makespan_s', tally.makespan_s)} of virtual time; "
        f"all calls cost {sum_usd}."
    )


def _agents(tally: RunTally) -> Iterator[str]:
    for agent, mine in tally.agents.items():
        calls = "1 call" if mine.calls == 1 else f"{mine.calls:,} calls"
        again = "" if mine.attempts <= mine.calls else f" in {mine.attempts:,} attempts"
        yield f"  {agent}: {calls}{again}, {render('latency_s', math.fsum(mine.latencies_s))} together"
