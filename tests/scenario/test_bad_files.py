"""Wrong files: each is told with file, line, column and key, in one go, and before anything has run.

A case replaces a piece of `base.yaml`. The mark ¦ in it is no part of the file: it stands where a problem is to be
reported, one mark a problem, and `says` are fragments of the texts, in the same order.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import pytest

Cli = Callable[..., CompletedProcess[str]]
Check = Callable[..., None]
Told = Callable[[CompletedProcess[str]], list[str]]
Write = Callable[[str, str], str]

BASE = Path(__file__).with_name("base.yaml").read_text(encoding="utf-8")
FILE = "scenario.yaml"
STORE = "runs.duckdb"


class Wrong(NamedTuple):
    """A piece of the base, and what stands there instead."""

    old: str
    new: str
    says: tuple[str, ...]


def wrong(old: str, new: str, *says: str) -> Wrong:
    assert new.count("¦") == len(says), f"one mark for each problem: {new!r}"
    return Wrong(old, new, says)


# fmt: off
TOP = "scenario: base\nseed: 1\n"
ARRIVALS = "{every_s: 5}"
SIZE = "input_tokens: 100"
PROVIDER = "    concurrency: 2"
MODEL = "name: claude-haiku-4-5"
WRITER = "{model: fast, output_tokens: 50}"
PATTERN = "  pipeline: {stages: [writer, editor]}"
POLICY = "{timeout_s: 60}"
FAULT = "{overloaded: {agent: writer, probability: 0.1}}"
BUDGET = "success_rate: {at_least: 0.1}"

UNKNOWN_KEYS = {
    "at the top": wrong(TOP, TOP + "¦seeds: 3\n", "unknown key 'seeds'; did you mean 'seed'?"),
    "that is like no other": wrong(TOP, TOP + "¦xyzzy: 3\n", "unknown key 'xyzzy'; known are scenario, description, seed"),
    "in workload": wrong("  tasks: 4", "  tasks: 4\n  ¦task: 4", "workload: unknown key 'task'; did you mean 'tasks'?"),
    "in arrivals": wrong(ARRIVALS, "{¦every: 5}", "workload.arrivals: unknown key 'every'; did you mean 'every_s'?"),
    "in an arrival": wrong(ARRIVALS, "{poisson: {rate_per_s: 1, ¦rate: 5}}", "arrivals.poisson: unknown key 'rate'; did you mean 'rate_per_s'?"),
    "in a kind": wrong("{kind: work,", "{kind: work, ¦wait: 3,", "workload.kinds[0]: unknown key 'wait'; did you mean 'weight'?"),
    "in a distribution's place": wrong(SIZE, "input_tokens: {¦lognorm: {median: 1}}", "kinds[0].input_tokens: unknown key 'lognorm'; did you mean 'lognormal'?"),
    "in a distribution": wrong(SIZE, "input_tokens: {lognormal: {median: 1, sigma: 1, ¦sigme: 1}}", "input_tokens.lognormal: unknown key 'sigme'; did you mean 'sigma'?"),
    "in a provider": wrong(PROVIDER, "    ¦concurrent: 2", "providers.anthropic: unknown key 'concurrent'; did you mean 'concurrency'?"),
    "in limits": wrong(PROVIDER, "    limits: {¦requests_per_minute: 10}", "anthropic.limits: unknown key 'requests_per_minute'; did you mean 'requests_per_min'?"),
    "in an outage": wrong(PROVIDER, "    outages: [{at_s: 1, for_s: 2, ¦until: 3}]", "providers.anthropic.outages[0]: unknown key 'until'; known are at_s, for_s, error"),
    "in a model": wrong(MODEL, MODEL + ", ¦price: 3", "models.fast: unknown key 'price'; did you mean 'prices'?"),
    "in latency": wrong(MODEL, "name: x, latency: {ttft_s: 1, ¦ttft: 1}", "models.fast.latency: unknown key 'ttft'; did you mean 'ttft_s'?"),
    "in a tool": wrong("{latency_s: 1}", "{¦latency: 1}", "tools.search: unknown key 'latency'; did you mean 'latency_s'?"),
    "in an agent": wrong(WRITER, "{model: fast, ¦tool: search}", "agents.writer: unknown key 'tool'; did you mean 'tools'?"),
    "for a pattern": wrong(PATTERN, "  ¦pipline: {stages: [writer]}", "pattern: unknown key 'pipline'; did you mean 'pipeline'?"),
    "in a pattern": wrong(PATTERN, "  pipeline: {stages: [writer], ¦stage: 1}", "pattern.pipeline: unknown key 'stage'; did you mean 'stages'?"),
    "in policies": wrong("  default: {timeout_s: 60}", "  ¦defaults: {timeout_s: 60}", "policies: unknown key 'defaults'; did you mean 'default'?"),
    "in a policy": wrong(POLICY, "{¦timeout: 60}", "policies.default: unknown key 'timeout'; did you mean 'timeout_s'?"),
    "in retry": wrong(POLICY, "{retry: {attempts: 2, ¦wait_s: 1}}", "policies.default.retry: unknown key 'wait_s'; did you mean 'max_wait_s'?"),
    "for a fault": wrong(FAULT, "{¦overload: {agent: writer}}", "faults[0]: unknown key 'overload'; did you mean 'overloaded'?"),
    "in a fault": wrong(FAULT, "{overloaded: {¦agnt: writer}}", "faults[0].overloaded: unknown key 'agnt'; did you mean 'agent'?"),
    "in a budget": wrong(BUDGET, "success_rate: {at_least: 0.1, ¦atmost: 1}", "budgets.success_rate: unknown key 'atmost'; did you mean 'at_most'?"),
}

MISSING = {
    "name of the scenario": wrong(TOP, "¦seed: 1\n", "the key 'scenario' is missing"),
    "tasks": wrong("  tasks: 4\n  arrivals", "  ¦arrivals", "workload: `tasks` is missing"),
    "rate": wrong(ARRIVALS, "{poisson: ¦{}}", "workload.arrivals.poisson: the key 'rate_per_s' is missing"),
    "sigma": wrong(SIZE, "input_tokens: {lognormal: ¦{median: 1}}", "input_tokens.lognormal: the key 'sigma' is missing"),
    "provider": wrong("{provider: anthropic, ", "¦{", "models.fast: the key 'provider' is missing"),
    "two at once": wrong(PROVIDER, "    overload: ¦¦{calm_s: 3}", "overload: the key 'overloaded_s' is missing", "overload: the key 'refuse' is missing"),
    "model of an agent": wrong(WRITER, "¦{output_tokens: 50}", "agents.writer: the key 'model' is missing"),
    "stages": wrong(PATTERN, "  pipeline: ¦{}", "pattern.pipeline: the key 'stages' is missing"),
    "output price": wrong(MODEL, MODEL + ", prices: ¦{input_usd_per_mtok: 1}", "models.fast.prices: the key 'output_usd_per_mtok' is missing"),
    "status of a fault": wrong(FAULT, "{status: ¦{}}", "faults[0].status: the key 'status' is missing; write, for example, `status: 400` (one of 400, 401, 402, "),
    "delay of a fault": wrong(FAULT, "{message_delayed: ¦{to: writer}}", "faults[0].message_delayed: the key 'by_s' is missing; write, for example, `by_s: 1`"),
    "groups of a partition": wrong(FAULT, "{partition: ¦{}}", "faults[0].partition: the key 'groups' is missing; write, for example, `groups: [[NAME], [NAME]]`"),
    "agent of a pattern": wrong(PATTERN, "  react: ¦{}", "pattern.react: the key 'agent' is missing; write, for example, `agent: NAME`"),
    "time of a hedge": wrong(POLICY, "{hedge: ¦{}}", "policies.default.hedge: the key 'after_s' is missing; write, for example, `after_s: 1`"),
    "file of a trace": wrong(ARRIVALS, "{trace: ¦{time: t}}", "arrivals.trace: the key 'file' is missing"),
}

TYPES = {
    "name of a fault alone": wrong(FAULT, "¦overloaded", "faults[0]: must be a mapping, not 'overloaded'; write `overloaded: {}`"),
    "name of a fault that needs more": wrong(FAULT, "¦status", "faults[0]: must be a mapping, not 'status'; write `status: {status: 400}`"),
    "misspelt name of a fault alone": wrong(FAULT, "¦overload", "faults[0]: must be a mapping, not 'overload'; did you mean 'overloaded'?"),
    "name of a discipline alone": wrong(PATTERN, "  blackboard: {members: [writer, editor], state: ¦optimistic}", "pattern.blackboard.state: must be a mapping, not 'optimistic'; write `optimistic: {}`"),
    "name of an aggregator alone": wrong(PATTERN, "  parallel: {members: [writer, editor], aggregate: ¦quorum}", "pattern.parallel.aggregate: must be a mapping, not 'quorum'; write `quorum: {k: 1}`"),
    "name of a context that needs more": wrong(WRITER, "{model: fast, context: ¦last_k}", "agents.writer.context: must be 'inputs' or 'full', not 'last_k'; write `last_k: {k: 1}`"),
    "number in quotes": wrong("seed: 1", "seed: ¦'1'", "seed: must be a whole number, not '1'; write it without quotes"),
    "number in double quotes": wrong("tasks: 4", 'tasks: ¦"4"', "workload.tasks: must be a whole number, not '4'; write it without quotes"),
    "seconds in quotes": wrong(POLICY, "{timeout_s: ¦'60'}", "policies.default.timeout_s: must be a number, not '60'; write it without quotes"),
    "interval in quotes": wrong(ARRIVALS, "{every_s: ¦'5'}", "workload.arrivals.every_s: must be a number, not '5'"),
    "list with a number in quotes": wrong(ARRIVALS, "{at_s: [0, ¦'5']}", "workload.arrivals.at_s[1]: must be a number, not '5'"),
    "status in quotes": wrong(FAULT, "{status: {status: ¦'429'}}", "faults[0].status.status: must be 400, 401"),
    "exponent that YAML takes for a text": wrong("tasks: 4", "tasks: ¦1e3", "workload.tasks: must be a whole number, not '1e3'; write an exponent as in 1.0e+3"),
    "broken number of tasks": wrong("tasks: 4", "tasks: ¦4.5", "workload.tasks: must be a whole number, not 4.5"),
    "broken number of slots": wrong(PROVIDER, "    concurrency: ¦2.5", "providers.anthropic.concurrency: must be a whole number, not 2.5"),
    "yes for a number": wrong(ARRIVALS, "{every_s: ¦yes}", "every_s: must be a number, not True (in YAML, yes, no, on and off are true and false)"),
    "on for a name": wrong("scenario: base", "scenario: ¦on", "scenario: must be a text, not True (in YAML, yes, no"),
    "true for a seed": wrong("seed: 1", "seed: ¦true", "seed: must be a whole number, not True"),
    "no for a size": wrong(SIZE, "input_tokens: ¦no", "input_tokens: must be a number, not False (in YAML"),
    "percentage": wrong("probability: 0.1", "probability: ¦10%", "faults[0].overloaded.probability: must be a number, not '10%'"),
    "number for a name": wrong("scenario: base", "scenario: ¦5", "scenario: must be a text, not 5"),
    "number for a text": wrong(WRITER, "{model: fast, system: ¦5}", "agents.writer.system: must be a text, not 5"),
    "text for a distribution": wrong(SIZE, "input_tokens: ¦lots", "input_tokens: must be a number, not 'lots'"),
    "list for a distribution": wrong(SIZE, "input_tokens: ¦[1, 2]", "input_tokens: must be a number, not a list"),
    "number inside a tag": wrong(SIZE, "input_tokens: {constant: ¦5}", "input_tokens.constant: must be a mapping, not 5"),
    "text for a mapping": wrong("{latency_s: 1}", "¦slow", "tools.search: must be a mapping, not 'slow'"),
    "list for a section": wrong("  search: {latency_s: 1}", "  ¦- search", "tools: must be a mapping, not a list"),
    "mapping for a list": wrong("  - " + FAULT, "  ¦overloaded: {agent: writer}", "faults: must be a list, not a mapping"),
    "text for a list": wrong("tools: [search]", "tools: ¦search", "agents.editor.tools: must be a list, not 'search'"),
    "name of a pattern alone": wrong(PATTERN, "  ¦pipeline", "pattern: must be a mapping, not 'pipeline'"),
    "role without its key": wrong(PATTERN, "  single: ¦writer", "pattern.single: must be a mapping, not 'writer'"),
    "number for a retry": wrong(POLICY, "{retry: ¦3}", "policies.default.retry: must be a mapping, not 3"),
    "number for a budget": wrong(BUDGET, "success_rate: ¦0.5", "budgets.success_rate: must be a mapping, not 0.5"),
    "nothing for a policy": wrong(POLICY, "¦null", "policies.default: must be a mapping, not empty"),
    "nothing for a provider": wrong("  anthropic:\n    concurrency: 2", "  anthropic: ¦~", "providers.anthropic: must be a mapping, not empty"),
    "nothing for arrivals": wrong(ARRIVALS, "¦~", "workload.arrivals: must be a mapping, not empty"),
    "date for a text": wrong("scenario: base", "scenario: ¦2026-01-31", "'2026-01-31' is read as a date; put it into quotes"),
    "time of day for a text": wrong(TOP, TOP + "description: ¦12:30:45\n", "description: must be a text, not 45045"),
    "bytes": wrong("seed: 1", "seed: ¦!!binary aaaa", "'aaaa' is read as a bytes; put it into quotes"),
    "date that is none": wrong("seed: 1", "seed: ¦2026-99-99", "'2026-99-99' cannot be read as timestamp; put it into quotes"),
    "tag of Python": wrong("seed: 1", "seed: ¦!!python/object:os.system ls", "cannot be read as"),
    "tag that does not fit": wrong("seed: 1", "seed: ¦!!timestamp soon", "'soon' cannot be read as timestamp"),
    "boolean tag that does not fit": wrong("seed: 1", "seed: ¦!!bool perhaps", "'perhaps' cannot be read as bool"),
    "empty tagged number": wrong("seed: 1", "seed: ¦!!float", "cannot be read as float"),
}

RANGES = {
    "one group of a partition": wrong(FAULT, "{partition: {groups: ¦[[writer]]}}", "faults[0].partition.groups: must hold at least 2, not 1"),
    "empty group of a partition": wrong(FAULT, "{partition: {groups: [[writer], ¦[]]}}", "faults[0].partition.groups[1]: must hold at least 1, not an empty list"),
    "one peer of a mesh": wrong(PATTERN, "  mesh: {peers: ¦[writer]}", "pattern.mesh.peers: must hold at least 2, not 1"),
    "fault of nobody": wrong(FAULT, "{overloaded: {agents: ¦[]}}", "faults[0].overloaded.agents: must hold at least 1, not an empty list"),
    "negative rate": wrong(ARRIVALS, "{poisson: {rate_per_s: ¦-1}}", "poisson.rate_per_s: must be greater than 0, not -1"),
    "rate of zero": wrong(ARRIVALS, "{poisson: {rate_per_s: ¦0}}", "poisson.rate_per_s: must be greater than 0, not 0"),
    "interval of zero": wrong(ARRIVALS, "{every_s: ¦0}", "workload.arrivals.every_s: must be greater than 0, not 0"),
    "NaN": wrong(ARRIVALS, "{every_s: ¦.nan}", ".nan is not a finite number"),
    "infinity": wrong(BUDGET, "success_rate: {at_least: ¦-.inf}", "-.inf is not a finite number"),
    "infinity by size": wrong(ARRIVALS, "{every_s: ¦1.0e+400}", "1.0e+400 is not a finite number"),
    "1e400, which YAML takes for a text": wrong(ARRIVALS, "{every_s: ¦1e400}", "workload.arrivals.every_s: must be a number, not '1e400'"),
    "number too large": wrong(SIZE, "input_tokens: ¦1000000000000001", "the number is beyond 1e+15"),
    "number far too large": wrong(SIZE, "input_tokens: ¦-1.0e+300", "the number is beyond 1e+15"),
    "number too close to zero": wrong(ARRIVALS, "{poisson: {rate_per_s: ¦1.0e-320}}", "the number is beyond 1e+15, or closer to 0 than 1e-15"),
    "number of five thousand digits": wrong("seed: 1", "seed: ¦" + "9" * 5000, "cannot be read as int"),
    "no tasks": wrong("tasks: 4", "tasks: ¦0", "workload.tasks: must be greater than or equal to 1, not 0"),
    "all warm-up": wrong("tasks: 4", "tasks: 4\n  warmup_tasks: ¦4", "workload.warmup_tasks: leaves no task to measure: 4 of 4"),
    "more warm-up than tasks": wrong("tasks: 4", "tasks: 4\n  warmup_tasks: ¦9", "workload.warmup_tasks: leaves no task to measure: 9 of 4"),
    "negative warm-up": wrong("tasks: 4", "tasks: 4\n  warmup_tasks: ¦-1", "workload.warmup_tasks: must be greater than or equal to 0, not -1"),
    "no runs": wrong("seed: 1", "runs: ¦0", "runs: must be greater than or equal to 1, not 0"),
    "negative seed": wrong("seed: 1", "seed: ¦-1", "seed: must be greater than or equal to 0, not -1"),
    "horizon of zero": wrong("seed: 1", "horizon_s: ¦0", "horizon_s: must be greater than 0, not 0"),
    "no users": wrong(ARRIVALS, "{closed: {users: ¦0}}", "arrivals.closed.users: must be greater than or equal to 1, not 0"),
    "no times": wrong(ARRIVALS, "{at_s: ¦[]}", "workload.arrivals.at_s: must hold at least 1, not an empty list"),
    "negative time": wrong(ARRIVALS, "{at_s: [¦-1]}", "workload.arrivals.at_s[0]: must be greater than or equal to 0, not -1"),
    "no kinds": wrong("\n    - {kind: work, input_tokens: 100}", " ¦[]", "workload.kinds: must hold at least 1, not an empty list"),
    "negative size": wrong(SIZE, "input_tokens: ¦-100", "workload.kinds[0].input_tokens: must be greater than or equal to 0, not -100"),
    "weight of zero": wrong(SIZE, "weight: ¦0", "workload.kinds[0].weight: must be greater than 0, not 0"),
    "high below low": wrong(SIZE, "input_tokens: {uniform: ¦{low: 5, high: 1}}", "input_tokens.uniform: high (1) is below low (5)"),
    "mean beyond all bounds": wrong(SIZE, "input_tokens: ¦{lognormal: {median: 1, sigma: 1000}}", "workload.kinds[0].input_tokens: this leads to numbers that are too large"),
    "mean beyond any bound of ours": wrong("{latency_s: 1}", "{latency_s: ¦{weibull: {shape: 0.05, scale: 1}}}", "tools.search.latency_s: the mean of this distribution is above 1e+15"),
    "median of zero": wrong(SIZE, "input_tokens: {lognormal: {median: ¦0, sigma: 1}}", "lognormal.median: must be greater than 0, not 0"),
    "empirical of nothing": wrong(SIZE, "input_tokens: {empirical: ¦{}}", "input_tokens.empirical: give either values or file"),
    "empirical without values": wrong(SIZE, "input_tokens: {empirical: {values: ¦[]}}", "empirical.values: must hold at least 1, not an empty list"),
    "queue before slots without an end": wrong(PROVIDER, "    ¦queue: {capacity: 3}", "providers.anthropic: `queue` needs `concurrency`"),
    "no slots": wrong(PROVIDER, "    concurrency: ¦0", "providers.anthropic.concurrency: must be greater than or equal to 1, not 0"),
    "limit of zero": wrong(PROVIDER, "    limits: {requests_per_min: ¦0}", "limits.requests_per_min: must be greater than 0, not 0"),
    "share above one": wrong(PROVIDER, "    overload: {calm_s: 3, overloaded_s: 3, refuse: ¦1.5}", "overload.refuse: must be less than or equal to 1, not 1.5"),
    "tail that speeds up": wrong(MODEL, "name: x, latency: {ttft_s: 1, tail: {probability: 0.1, factor: ¦0.3}}", "latency.tail.factor: must be greater than or equal to 1, not 0.3"),
    "negative latency": wrong(MODEL, "name: x, latency: {ttft_s: ¦-1}", "models.fast.latency.ttft_s: must be greater than or equal to 0, not -1"),
    "accuracy in percent": wrong(WRITER, "{model: fast, accuracy: ¦93}", "agents.writer.accuracy: must be less than or equal to 1, not 93"),
    "negative tokens": wrong(WRITER, "{model: fast, system_tokens: ¦-5}", "agents.writer.system_tokens: must be greater than or equal to 0, not -5"),
    "no stages": wrong(PATTERN, "  pipeline: {stages: ¦[]}", "pattern.pipeline.stages: must hold at least 1, not an empty list"),
    "no iterations": wrong(PATTERN, "  react: {agent: writer, max_iterations: ¦0}", "pattern.react.max_iterations: must be greater than or equal to 1, not 0"),
    "timeout of zero": wrong(POLICY, "{timeout_s: ¦0}", "policies.default.timeout_s: must be greater than 0, not 0"),
    "no attempts": wrong(POLICY, "{retry: {attempts: ¦0}}", "policies.default.retry.attempts: must be greater than or equal to 1, not 0"),
    "negative probability": wrong("probability: 0.1", "probability: ¦-0.1", "faults[0].overloaded.probability: must be greater than or equal to 0, not -0.1"),
    "end before the beginning": wrong("{agent: writer, probability: 0.1}", "¦{from_s: 5, until_s: 4}", "faults[0].overloaded: until_s (4) is not after from_s (5)"),
    "no providers": wrong("  anthropic:\n    concurrency: 2\nmodels:\n  fast: {provider: ", "  ¦{}\nmodels:\n  fast: {provider: ¦", "providers: must hold at least 1, not an empty mapping", "there is no 'anthropic' under providers"),
}

CHOICES = {
    "jitter": wrong(POLICY, "{retry: {attempts: 3, jitter: ¦fulll}}", "policies.default.retry.jitter: must be 'full', 'equal', 'sdk' or 'none', not 'fulll'"),
    "status": wrong(FAULT, "{status: {status: ¦418}}", "faults[0].status.status: must be 400, 401, 402"),
    "error of an outage": wrong(PROVIDER, "    outages: [{at_s: 1, for_s: 2, error: ¦api_eror}]", "outages[0].error: must be 'api_error', 'overloaded_error'"),
    "what to do when a worker fails": wrong(PATTERN, "  orchestrator_worker: {workers: [writer], on_failure: ¦parital}", "on_failure: must be 'fail', 'partial' or 'default', not 'parital'"),
    "no arrivals": wrong(ARRIVALS, "¦{}", "workload.arrivals: give exactly one of poisson, every_s, at_s, closed, trace, not 0"),
    "two arrivals": wrong(ARRIVALS, "¦{every_s: 5, poisson: {rate_per_s: 1}}", "workload.arrivals: give exactly one of poisson, every_s, at_s, closed, trace, not 2: poisson, every_s"),
    "two patterns": wrong(PATTERN, "  ¦pipeline: {stages: [writer]}\n  single: {agent: writer}", "pattern: give exactly one of single, pipeline"),
    "two faults in one entry": wrong(FAULT, "¦{hang: {agent: writer}, malformed: {}}", "faults[0]: give exactly one of latency, hang"),
    "no distribution": wrong(SIZE, "input_tokens: ¦{}", "input_tokens: give exactly one of constant, uniform"),
    "budget without a bound": wrong(BUDGET, "success_rate: ¦{}", "budgets.success_rate: give exactly one of below, at_most, above, at_least"),
    "budget with two bounds": wrong(BUDGET, "success_rate: ¦{above: 1, below: 2}", "budgets.success_rate: give exactly one of below, at_most, above, at_least"),
    "name of two words": wrong("scenario: base", "scenario: ¦a b", "scenario: must be one word of letters, digits, `_`, `.` and `-`, not 'a b'"),
    "agent of two words": wrong("tools: [search]}", "tools: [search]}\n  ¦a b: {model: fast}", "must be one word of letters, digits, `_`, `.` and `-`, not 'a b'"),
}

REFERENCES = {
    "provider of a model": wrong("{provider: anthropic,", "{provider: ¦antropic,", "models.fast.provider: there is no 'antropic' under providers; did you mean 'anthropic'?"),
    "model of an agent": wrong(WRITER, "{model: ¦fats}", "agents.writer.model: there is no 'fats' under models; did you mean 'fast'?"),
    "model like no other": wrong(WRITER, "{model: ¦deep}", "agents.writer.model: there is no 'deep' under models; known are fast"),
    "tool of an agent": wrong("tools: [search]", "tools: [search, ¦serch]", "agents.editor.tools[1]: there is no 'serch' under tools; did you mean 'search'?"),
    "stage of a pipeline": wrong(PATTERN, "  pipeline: {stages: [writer, ¦edtor]}", "pattern.pipeline.stages[1]: there is no 'edtor' under agents; did you mean 'editor'?"),
    "single agent": wrong(PATTERN, "  single: {agent: ¦wirter}", "pattern.single.agent: there is no 'wirter' under agents; did you mean 'writer'?"),
    "orchestrator": wrong(PATTERN, "  orchestrator_worker: {orchestrator: ¦led, workers: [writer]}", "orchestrator: there is no 'led' under agents; known are writer, editor"),
    "worker": wrong(PATTERN, "  orchestrator_worker: {workers: [writer, ¦writter]}", "workers[1]: there is no 'writter' under agents; did you mean 'writer'?"),
    "synthesizer": wrong(PATTERN, "  orchestrator_worker: {workers: [writer], synthesizer: ¦edtor}", "synthesizer: there is no 'edtor' under agents; did you mean 'editor'?"),
    "agent that reacts": wrong(PATTERN, "  react: {agent: ¦edtor}", "pattern.react.agent: there is no 'edtor' under agents; did you mean 'editor'?"),
    "agent of a policy": wrong(POLICY, "{}\n  agents: {¦writr: {timeout_s: 4}}", "policies.agents.writr: there is no 'writr' under agents; did you mean 'writer'?"),
    "fallback": wrong(POLICY, "{}\n  agents: {writer: {fallback: ¦editr}}", "policies.agents.writer.fallback: there is no 'editr' under agents; did you mean 'editor'?"),
    "agent of a fault": wrong("agent: writer,", "agent: ¦writr,", "faults[0].overloaded.agent: there is no 'writr' under agents; did you mean 'writer'?"),
    "model of a fault": wrong("agent: writer,", "model: ¦fats,", "faults[0].overloaded.model: there is no 'fats' under models; did you mean 'fast'?"),
    "metric": wrong(BUDGET, "¦sucess_rate: {at_least: 1}", "budgets.sucess_rate: there is no metric 'sucess_rate'; did you mean 'success_rate'?"),
    "metric like no other": wrong(BUDGET, "¦happiness: {at_least: 1}", "budgets.happiness: there is no metric 'happiness'; known are latency_s_mean"),
    "fallback to itself": wrong(POLICY, "{}\n  agents: {writer: {fallback: ¦writer}}", "policies.agents.writer.fallback: fallbacks form a cycle: writer -> writer"),
    "fallbacks in a circle": wrong(POLICY, "{}\n  agents: {writer: {fallback: editor}, editor: {fallback: ¦writer}}", "fallbacks form a cycle: writer -> editor -> writer"),
    "default fallback of the fallback": wrong(POLICY, "{fallback: ¦editor}", "policies.default.fallback: fallbacks form a cycle: editor -> editor"),
    "latency profile": wrong(MODEL, "name: ¦claude-haiku-4-6", "models.fast.name: no latency profile for model 'claude-haiku-4-6'; did you mean 'claude-haiku-4-5'?"),
    "latency profile like no other": wrong(MODEL, "name: ¦zzz", "models.fast.name: no latency profile for model 'zzz'. Known: "),
    "two at once, in the order of the file": wrong("tools: [search]}\n" + "pattern:\n" + PATTERN, "tools: [¦serch]}\npattern:\n  pipeline: {stages: [¦writr]}", "no 'serch' under tools", "no 'writr' under agents"),
}

YAML = {
    "tab for indentation": wrong("  tasks: 4", "¦\ttasks: 4", "this is not YAML: found character that cannot start any token; indent with spaces, not with tabs"),
    "bracket left open": wrong(ARRIVALS, "[5\n  kinds¦: x", "this is not YAML"),
    "two colons": wrong("seed: 1", "seed: 1¦: 2", "this is not YAML: mapping values are not allowed in this context"),
    "second document": wrong("seed: 1\n", "seed: 1\n¦---\n", "this is not YAML: but found another document"),
    "alias of nothing": wrong("seed: 1", "seed: ¦*one", "this is not YAML: found undefined alias"),
    "alias of itself": wrong(TOP, TOP + "description: ¦&all [*all]\n", "an alias contains itself"),
    "alias of itself in a mapping": wrong(TOP, TOP + "tools: ¦&all {search: *all}\n", "an alias contains itself"),
    "key that occurs twice": wrong("seed: 1", "seed: 1\n¦seed: 2", "the key 'seed' occurs twice; the first is on line 2"),
    "agent that occurs twice": wrong("  editor:", "  ¦writer:", "the key 'writer' occurs twice; the first is on line 16"),
    "number for a key": wrong("seed: 1", "¦1: 2", "a key must be a text; put '1' into quotes"),
    "boolean for a key": wrong("seed: 1", "¦on: 2", "a key must be a text; put 'on' into quotes"),
    "nothing for a key": wrong("seed: 1", "¦~: 2", "a key must be a text"),
    "date for a key": wrong("seed: 1", "¦2026-01-31: 2", "'2026-01-31' is read as a date; put it into quotes"),
    "list for a key": wrong("seed: 1", "? ¦[seed]\n: 1", "a key must be a text"),
    "merge of a number": wrong("seed: 1", "<<: ¦5", "`<<` takes a mapping, or a list of mappings"),
    "merge of a list of numbers": wrong("seed: 1", "<<: [¦5]", "`<<` takes a mapping, or a list of mappings"),
    "merge of itself": wrong(TOP, TOP + "tools: ¦&all\n  <<: *all\n", "an alias contains itself"),
    "control character": wrong("scenario: base", "¦description: \x1b[31m", "unacceptable character #x001b: control characters are not allowed"),
    "nested far too deeply": wrong(TOP, TOP + "description: " + "[" * 49 + "¦" + "[" * 100_000 + "\n", "the file is nested more than 50 levels deep"),
    "mappings nested far too deeply": wrong(TOP, TOP + "description: " + "{a: " * 49 + "¦" + "{a: " * 20_000 + "\n", "the file is nested more than 50 levels deep"),
}
# fmt: on

TABLES = {
    "unknown key": UNKNOWN_KEYS,
    "missing": MISSING,
    "type": TYPES,
    "range": RANGES,
    "choice": CHOICES,
    "reference": REFERENCES,
    "YAML": YAML,
}


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=f"{table}: {name}")
        for table, cases in TABLES.items()
        for name, case in cases.items()
    ],
)
def test_problem_is_told_with_its_place(
    harness: Cli, written: Write, check_refused: Check, case: Wrong
) -> None:
    assert case.old in BASE
    marked = written(FILE, BASE.replace(case.old, case.new, 1))
    check_refused(harness("simulate", FILE), FILE, marked, *case.says)


@pytest.mark.parametrize("section", ["workload", "providers", "models", "agents", "pattern"])
def test_missing_section_is_told(harness: Cli, told: Told, section: str) -> None:
    text, count = re.subn(rf"^{section}:\n(  .*\n)+", "", BASE, flags=re.MULTILINE)
    assert count == 1
    Path(FILE).write_text(text, encoding="utf-8")
    result = harness("simulate", FILE)
    assert result.returncode == 2
    says = f"{FILE}:1:1: the key '{section}' is missing; write, for example, `{section}: {{"
    assert any(text.startswith(says) for text in told(result))


def test_base_itself_is_right(harness: Cli) -> None:
    """Otherwise the cases would show nothing."""
    Path(FILE).write_text(BASE, encoding="utf-8")
    result = harness("simulate", FILE)
    assert (result.returncode, result.stderr) == (0, "")
    assert Path(STORE).exists()


def test_all_problems_are_told_at_once_in_the_order_of_the_file(
    harness: Cli, written: Write, check_refused: Check
) -> None:
    marked = BASE.replace("seed: 1", "seed: ¦-1").replace("tasks: 4", "tasks: ¦four")
    written(FILE, marked := marked.replace("at_least: 0.1", "at_least: ¦'high'"))
    says = ("seed: must be", "workload.tasks: must be", "success_rate.at_least: must be")
    check_refused(harness("simulate", FILE), FILE, marked, *says)


def test_thousands_of_problems_are_cut_short(harness: Cli, written: Write, told: Told) -> None:
    written(FILE, BASE + "".join(f"key{number}: 1\n" for number in range(5000)))
    result = harness("simulate", FILE)
    assert result.returncode == 2
    assert len(told(result)) == 21
    assert told(result)[-1] == f"{FILE}: and 4980 more problems like these"


# fmt: off
FILES = {
    "nothing": (b"", "1:1: the file is empty; `harness init` writes one to start from"),
    "only a comment": (b"# scenario: x\n\n", "1:1: the file is empty"),
    "only dashes": (b"---\n", "1:1: the file is empty"),
    "null": (b"null\n", "1:1: the file is empty"),
    "a list": (b"- scenario: x\n", "1:1: a scenario is a mapping that begins with `scenario: NAME`"),
    "a text": (b"scenario\n", "1:1: a scenario is a mapping that begins with `scenario: NAME`"),
    "a number": (b"5\n", "1:1: a scenario is a mapping that begins with `scenario: NAME`"),
    "UTF-16": (BASE.encode("utf-16"), "1:1: the file is not text in UTF-8; is it binary?"),
    "Latin-1": ("scenario: x\ndescription: café\n".encode("latin-1"), "2:1: the file is not text in UTF-8"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00", "1:1: the file is not text in UTF-8; is it binary?"),
    "zeros": (bytes(100), "1:1: this is not YAML: unacceptable character #x0000"),
    "huge": (b"# " + b"a" * 16_000_000, " the file is larger than 16,000,000 bytes"),
    "a bomb of lists": (BASE.encode() + b"a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" + b"".join(
        b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 10)
    ), "with its aliases expanded, the file has more than 200,000 values"),
    "a bomb of merges in one line": (
        BASE.encode() + b"tools: " + b"{<<: [" * 15 + b"&a {x: 1}" + b"".join(
            b", *%s, *%s, *%s]}" % (name, name, name) for name in [b"a"] * 15
        ) + b"\n", "the key 'tools' occurs twice"),
    "a bomb of merges": (BASE.encode() + b"a0: &a0 {x: 1}\n" + b"".join(
        b"a%d: &a%d {<<: [%s]}\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)
    ), "with its aliases expanded, the file has more than 200,000 values"),
    "a chain of aliases": (BASE.encode() + b"a0: &a0 [1]\n" + b"".join(
        b"a%d: &a%d [*a%d]\n" % (n, n, n - 1) for n in range(1, 60)
    ), "the file is nested more than 50 levels deep"),
}
# fmt: on


@pytest.mark.parametrize(("content", "says"), FILES.values(), ids=FILES)
def test_file_that_is_no_scenario_is_refused(
    harness: Cli, told: Told, content: bytes, says: str
) -> None:
    Path(FILE).write_bytes(content)
    result = harness("simulate", FILE)
    assert (result.returncode, result.stdout) == (2, "")
    (problem,) = told(result)
    assert problem.startswith(f"{FILE}:")
    assert says in problem
    assert not Path(STORE).exists()


def test_missing_file_is_told_with_the_nearest(harness: Cli, written: Write) -> None:
    written("code_review.yaml", BASE)
    result = harness("simulate", "code_reveiw.yaml")
    assert result.returncode == 2
    says = "the file does not exist; did you mean 'code_review.yaml'?"
    assert result.stderr == f"error: code_reveiw.yaml: {says}\n"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nowhere/x.yaml", "nowhere/x.yaml: the file does not exist"),
        (".", ".: this is a folder, not a file"),
        ("", ": this is a folder, not a file"),
        ("/dev/null", "/dev/null: this is neither a file nor a link to one"),
        ("a" * 5000, "the file cannot be read: File name too long"),
    ],
    ids=["missing folder", "folder", "no name", "device", "long name"],
)
def test_what_is_no_file_is_refused(harness: Cli, name: str, says: str) -> None:
    result = harness("simulate", name)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_byte_order_mark_and_windows_line_ends_are_fine(harness: Cli) -> None:
    Path(FILE).write_bytes(b"\xef\xbb\xbf" + BASE.replace("\n", "\r\n").encode())
    assert harness("validate", FILE).returncode == 0


def test_problem_inside_a_merged_part_is_told_where_it_stands(
    harness: Cli, written: Write, check_refused: Check
) -> None:
    marked = BASE.replace("  writer: {model: fast, ", "  writer: &writer {model: ¦¦fats, ")
    marked = marked.replace(
        "  editor: {model: fast, output_tokens: 50, ", "  editor: {<<: *writer, "
    )
    written(FILE, marked)
    says = ("agents.writer.model: there is no 'fats'", "agents.editor.model: there is no 'fats'")
    check_refused(harness("simulate", FILE), FILE, marked, *says)


@pytest.mark.parametrize(
    "case", ["type: number in quotes", "YAML: nested far too deeply", "reference: tool of an agent"]
)
def test_problem_is_told_by_the_program_itself(
    written: Write, check_refused: Check, case: str
) -> None:
    """As the others, but in a process of its own, as users run it."""
    table, _, name = case.partition(": ")
    old, new, says = TABLES[table][name]
    marked = written(FILE, BASE.replace(old, new, 1))
    result = subprocess.run(
        [sys.executable, "-m", "harness", "simulate", FILE],
        capture_output=True,
        text=True,
        check=False,
    )
    check_refused(result, FILE, marked, *says)
