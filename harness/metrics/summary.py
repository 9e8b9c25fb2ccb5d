"""The metrics of one run or of several, by name.

A metric that was not measured is absent: no cost without prices, no utilisation without a bound on slots, no latency
when no task came to an end.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from harness.errors import did_you_mean
from harness.metrics.claims import of_claims
from harness.metrics.customers import CustomerTally
from harness.metrics.effects import EffectTally
from harness.metrics.policies import PolicyTally
from harness.metrics.reliability import PASS_K, pass_k_of
from harness.metrics.state import StateTally
from harness.metrics.tally import RunTally, Tally

METRICS: dict[str, str] = {
    "latency_s_mean": "time from a task's arrival to its end, mean [s]; all tasks that came to an end, well or not",
    "latency_s_p50": "the same, median [s]",
    "latency_s_p95": "the same, 95th percentile [s]",
    "latency_s_p99": "the same, 99th percentile [s]",
    "latency_s_max": "the same, maximum [s]",
    "queue_wait_s_mean": "time between an attempt's arrival and its start, mean over served attempts [s]",
    "ttft_s_p50": "time between an attempt's arrival and its first token, median over served attempts [s]",
    "cost_usd_mean": "cost of a task, mean [USD]",
    "cost_usd_total": "cost of all tasks of all runs [USD]",
    "wasted_usd": "the part of that which bought no reply: attempts that failed or were given up [USD]",
    "calls_mean": "calls a task makes, mean",
    "attempts_mean": "attempts a task makes, mean",
    "tool_uses_mean": "uses of tools and processes for a task, mean; absent where none was used",
    "messages_mean": "messages that agents send for a task, one for each recipient, mean",
    "message_tokens_mean": "size of those messages, a task, mean [tokens]",
    "round_trips_mean": "exchanges of a task: of each two agents, the smaller number of messages that went either way, mean",
    "input_tokens_mean": "tokens read for a task, mean",
    "output_tokens_mean": "tokens generated for a task, mean",
    "success_rate": "share of tasks that ended well",
    "pass_k": "probability that k independent runs of a task all succeed; k is 4, or the number of runs if they are fewer",
    "quality_mean": "share of true claims in a task's output, mean over outputs that hold claims; without any, share of right replies",
    "contaminated_rate": "share of outputs that hold a false claim, of tasks in which claims were made",
    "work_share": "work / (work + waiting): share of the agents' time in which a model or a tool worked",
    "utilisation": "share of the providers' slot-seconds that were in use",
    "throughput_per_s": "tasks that ended well per second of virtual time",
    "makespan_s_mean": "time from the first arrival of a run to its last end, mean over runs [s]",
    "rate_limited": "attempts refused with a 429, all runs",
    "retries": "attempts that ask again after a failure: not the first of their call, or of a call that repeats a failed one; all runs",
    "escalations": "calls that were brought before a person, all runs",
    "hedges": "requests beside a slow one, with those that a queue, a budget or an open circuit kept back, all runs",
    "cache_hits": "calls that were answered from a cache, all runs",
    "budget_refusals": "calls and turns that a budget refused, all runs",
    "breaker_open_s": "time from the opening of a circuit breaker to its next probe, of all breakers, warm-up included, all runs [s]",
    "lost_updates": "updates of shared state that were overwritten by an agent that had not seen them, all runs",
    "stale_reads": "updates of shared state that took effect although the value had changed since the agent read it, all runs",
    "conflicts": "updates of shared state that were refused because the value had changed since the agent read it, all runs",
    "effects_mean": "what tools did to the world for a task, mean; where that may differ from how often they were used",
    "repeated_effects": "effects that repeat one of the same task, with the same tool and equal arguments, all runs",
}
"""Every metric of a run or of many, in the order in which they are shown."""

AGENT_METRICS: dict[str, str] = {
    "calls_mean": "calls for a task, mean",
    "attempts_mean": "attempts for a task, mean",
    "latency_s_mean": "time of a call with all its attempts and waits, mean [s]",
    "latency_s_p95": "the same, 95th percentile [s]",
    "queue_wait_s_mean": "time between an attempt's arrival and its start, mean [s]",
    "ttft_s_p50": "time between an attempt's arrival and its first token, median [s]",
    "input_tokens_mean": "tokens read for a task, mean",
    "output_tokens_mean": "tokens generated for a task, mean",
    "cost_usd_mean": "cost for a task, mean [USD]",
    "work_share": "work / (work + waiting)",
    "success_rate": "share of calls that succeeded",
    "quality_mean": "share of replies that were right",
    "rate_limited": "attempts refused with a 429, all runs",
    "retries": "attempts that ask again after a failure: not the first of their call, or of a call that repeats a failed one; all runs",
}
"""Every metric of one agent, in the order in which they are shown."""


class Metrics(dict[str, float]):
    """Metrics by name; those that were not measured are absent."""

    def __missing__(self, name: str) -> float:
        """Explain why a name is not there.

        Raises:
            KeyError: There is no such metric, or it was not measured.
        """
        raise KeyError(
            f"{name} was not measured"
            if name in METRICS or name in AGENT_METRICS
            else no_such_metric(name)
        )


def no_such_metric(name: str) -> str:
    """What is wrong with the name of a metric, with the known name that is most like it, or all of them."""
    near = did_you_mean(name, METRICS) or f"; known are {', '.join(METRICS)}"
    return f"there is no metric {name!r}{near}"


def summarise(runs: Sequence[RunTally]) -> tuple[Metrics, dict[str, Metrics]]:
    """Compute the metrics of some runs over all their tasks.

    Returns:
        The metrics of the whole, and those of each agent; what a program does that belongs to no agent is in the whole alone.
    """
    tasks = sum(run.tasks for run in runs)
    agents: dict[str, Tally] = {}
    for run in runs:
        for agent, theirs in run.agents.items():
            agents.setdefault(agent, Tally()).add(theirs)
    total = Tally()
    for mine in agents.values():
        total.add(mine)
    found = {
        **_of_tasks(runs, tasks),
        PASS_K: pass_k_of([run.tasks for run in runs], [run.failed for run in runs]),
        **_of_work(total, tasks),
        **_of_tools(total, tasks),
        **_of_messages(runs, tasks),
        **_of_policies(runs),
        **_of_state(runs),
        **_of_effects(runs, tasks),
        **of_claims(run.claims for run in runs),
    }
    whole = Metrics(
        {name: found[name] for name in METRICS if name in found and not math.isnan(found[name])}
    )
    return whole, {agent: _of_agent(mine, tasks) for agent, mine in agents.items() if agent}


def _of_tools(total: Tally, tasks: int) -> dict[str, float]:
    return {"tool_uses_mean": total.tool_uses / tasks} if total.tool_uses and tasks else {}


def _of_effects(runs: Sequence[RunTally], tasks: int) -> dict[str, float]:
    total = EffectTally()
    for run in runs:
        total.add(run.effects)
    if not total.effects or not tasks:
        return {}
    return {"effects_mean": total.effects / tasks, "repeated_effects": total.repeated}


def summarise_customers(runs: Sequence[RunTally]) -> dict[str, Metrics]:
    """Work out the numbers of each customer over some runs, as if their tasks were of one; by name."""
    whole: dict[str, CustomerTally] = {}
    for run in runs:
        for name, theirs in run.customers.items():
            whole.setdefault(name, CustomerTally()).add(theirs)
    return {name: _of_customer(mine) for name, mine in sorted(whole.items())}


def _of_customer(mine: CustomerTally) -> Metrics:
    found = Metrics(tasks=mine.tasks)
    if mine.latencies_s:
        latencies_s = sorted(mine.latencies_s)
        found["latency_s_mean"] = math.fsum(latencies_s) / len(latencies_s)
        found["latency_s_p95"] = quantile(latencies_s, 0.95)
    if not math.isnan(mine.cost_usd):
        found["cost_usd_mean"] = mine.cost_usd / mine.tasks
    found["calls_mean"] = mine.calls / mine.tasks
    found["success_rate"] = mine.succeeded / mine.tasks
    return found


def quantile(samples: Sequence[float], p: float) -> float:
    """The p-quantile of ascending samples, by linear interpolation (Hyndman and Fan, 1996, definition 7)."""
    position = (len(samples) - 1) * p
    below = math.floor(position)
    above = min(below + 1, len(samples) - 1)
    return samples[below] + (samples[above] - samples[below]) * (position - below)


def _of_tasks(runs: Sequence[RunTally], tasks: int) -> dict[str, float]:
    found: dict[str, float] = {}
    latencies_s = sorted(_joined(run.latencies_s for run in runs))
    if latencies_s:
        found["latency_s_mean"] = math.fsum(latencies_s) / len(latencies_s)
        found["latency_s_p50"] = quantile(latencies_s, 0.5)
        found["latency_s_p95"] = quantile(latencies_s, 0.95)
        found["latency_s_p99"] = quantile(latencies_s, 0.99)
        found["latency_s_max"] = latencies_s[-1]
    succeeded = sum(run.succeeded for run in runs)
    if tasks:
        found["success_rate"] = succeeded / tasks
    makespan_s = math.fsum(run.makespan_s for run in runs)
    if makespan_s > 0:
        found["makespan_s_mean"] = makespan_s / len(runs)
        found["throughput_per_s"] = sum(run.succeeded_in_all for run in runs) / makespan_s
        slot_seconds = [run.slot_seconds for run in runs if run.slot_seconds is not None]
        if len(slot_seconds) == len(runs):
            found["utilisation"] = math.fsum(run.busy_s for run in runs) / math.fsum(slot_seconds)
    return found


def _of_work(mine: Tally, tasks: int) -> dict[str, float]:
    """What can be said of one agent, or of all together."""
    if not tasks:
        return {}
    found: dict[str, float] = {
        "calls_mean": mine.calls / tasks,
        "attempts_mean": mine.attempts / tasks,
        "input_tokens_mean": mine.input_tokens / tasks,
        "output_tokens_mean": mine.output_tokens / tasks,
        "cost_usd_mean": mine.cost_usd / tasks,
        "cost_usd_total": mine.cost_usd,
        "wasted_usd": mine.wasted_usd,
        "rate_limited": mine.rate_limited,
        "retries": mine.retries,
    }
    if mine.work_s + mine.wait_s > 0:
        found["work_share"] = mine.work_s / (mine.work_s + mine.wait_s)
    if mine.judged:
        found["quality_mean"] = mine.correct / mine.judged
    if mine.queue_waits_s:
        found["queue_wait_s_mean"] = math.fsum(mine.queue_waits_s) / len(mine.queue_waits_s)
    if mine.ttfts_s:
        found["ttft_s_p50"] = quantile(sorted(mine.ttfts_s), 0.5)
    return found


def _of_policies(runs: Sequence[RunTally]) -> dict[str, float]:
    total = PolicyTally()
    for run in runs:
        total.add(run.policies)
    return {name: value for name, value in asdict(total).items() if value is not None}


def _of_state(runs: Sequence[RunTally]) -> dict[str, float]:
    total = StateTally()
    for run in runs:
        total.add(run.state)
    if not total.events:
        return {}
    return {
        "lost_updates": total.lost_updates,
        "stale_reads": total.stale_reads,
        "conflicts": total.conflicts,
    }


def _of_messages(runs: Sequence[RunTally], tasks: int) -> dict[str, float]:
    """Where messages are not noted, as of a program of one's own, turns that ended well stand for them."""
    if not tasks:
        return {}
    noted = [run for run in runs if run.messages is not None]
    if noted:
        return {
            "messages_mean": sum(run.messages or 0 for run in noted) / tasks,
            "message_tokens_mean": sum(run.message_tokens for run in noted) / tasks,
            "round_trips_mean": sum(run.round_trips for run in noted) / tasks,
        }
    if any(run.turns for run in runs):
        return {"messages_mean": sum(run.answered for run in runs) / tasks}
    return {}


def _of_agent(mine: Tally, tasks: int) -> Metrics:
    found = _of_work(mine, tasks)
    if mine.latencies_s:
        latencies_s = sorted(mine.latencies_s)
        found["latency_s_mean"] = math.fsum(latencies_s) / len(latencies_s)
        found["latency_s_p95"] = quantile(latencies_s, 0.95)
        found["success_rate"] = (len(latencies_s) - mine.failed_calls) / len(latencies_s)
    return Metrics(
        {
            name: found[name]
            for name in AGENT_METRICS
            if name in found and not math.isnan(found[name])
        }
    )


def _joined(samples: Iterable[array[float]]) -> array[float]:
    joined = array("d")
    for part in samples:
        joined.extend(part)
    return joined
