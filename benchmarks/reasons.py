"""How often the reason of a regression is right: `python -m benchmarks.reasons`; its table stands in docs/reasons.md.

Pairs of versions of a team are drawn. In each pair one or two causes are planted, directly or through something that agents
share: slots, rate limits, a timeout, a fallback. A reason is right if it names the agent (or the model) and the kind of
cause; the first of a text is compared with the only cause; of two, both must be among the first three. Controls differ in their luck alone.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from harness.gate import Samples, gate, limits_of
from harness.gate.samples import sample
from harness.gate.why import Explanation, why
from harness.run import Simulation
from harness.spans import Table

SEEDS: Final = (1, 2, 3)
TASKS: Final = 16
CONTROL_RUNS: Final = 8
AGENTS: Final = ("ant", "bee", "cat", "dog")

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cause:
    """A change that was planted, and the reason that is right."""

    name: str
    plant: Callable[[Spec, str, random.Random], None]
    metric: str
    kinds: tuple[str, ...]
    """The kinds of a right reason."""
    who: str = "{agent}"
    """The agent of a right reason."""
    is_shared: bool = False
    base: Callable[[Spec, str], None] = lambda spec, agent: None
    """What both sides have, such as few slots."""
    words: tuple[str, ...] = ()
    """What the text must hold besides."""


def team(rng: random.Random) -> Spec:
    """A team of four in a row or side by side, with sizes drawn."""
    agents = {
        name: {
            "model": "fast" if name in ("ant", "bee") else "deep",
            "system_tokens": rng.choice((200, 800)),
            "output_tokens": {"lognormal": {"median": rng.choice((200, 300, 400)), "sigma": 0.3}},
        }
        for name in AGENTS
    }
    agents["yak"] = {"model": "deep", "output_tokens": 900}
    latency = {"ttft_s": {"lognormal": {"median": 0.5, "sigma": 0.3}}, "itl_s": 0.01}
    return {
        "scenario": "team",
        "workload": {
            "tasks": TASKS,
            "arrivals": {"every_s": 60},
            "kinds": [{"kind": "ask", "input_tokens": {"lognormal": {"median": 800, "sigma": 0.3}}}],
        },
        "providers": {"anthropic": {}},
        "models": {
            "fast": {
                "provider": "anthropic",
                "name": "claude-haiku-4-5",
                "latency": latency,
                "prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 5},
            },
            "deep": {
                "provider": "anthropic",
                "name": "claude-sonnet-4-6",
                "latency": {**latency, "itl_s": 0.015},
                "prices": {"input_usd_per_mtok": 3, "output_usd_per_mtok": 15},
            },
        },
        "agents": agents,
        "pattern": {"pipeline": {"stages": list(AGENTS)}},
        "policies": {
            "default": {"timeout_s": 120, "retry": {"attempts": 4, "first_wait_s": 2, "max_wait_s": 20}},
            "agents": {},
        },
        "faults": [],
    }  # fmt: skip


def team_of(number: int) -> Spec:
    """The team with a number."""
    return team(random.Random(number))


def _longer(spec: Spec, agent: str, rng: random.Random) -> None:
    size = spec["agents"][agent]["output_tokens"]["lognormal"]
    size["median"] = round(size["median"] * rng.uniform(1.5, 2.5))


def _more_prompt(spec: Spec, agent: str, rng: random.Random) -> None:
    spec["agents"][agent]["system_tokens"] += rng.choice((6000, 12000))


def _prefill(spec: Spec, agent: str) -> None:
    for model in spec["models"].values():
        model["latency"]["prefill_s_per_1k_input_tokens"] = 0.5


def _slower(spec: Spec, agent: str, rng: random.Random) -> None:
    spec["faults"].append({"latency": {"agent": agent, "factor": rng.uniform(1.5, 3)}})


def _fault(name: str, **more: object) -> Callable[[Spec, str, random.Random], None]:
    def plant(spec: Spec, agent: str, rng: random.Random) -> None:
        spec["faults"].append(
            {name: {"agent": agent, "probability": rng.uniform(0.3, 0.6), **more}}
        )

    return plant


def _always(spec: Spec, agent: str, rng: random.Random) -> None:
    spec["faults"].append({"status": {"agent": agent, "status": 503, "probability": rng.uniform(0.7, 1)}})  # fmt: skip


def _swapped(spec: Spec, agent: str, rng: random.Random) -> None:
    spec["models"]["slow"] = {
        **spec["models"]["deep"],
        "latency": {"ttft_s": 1, "itl_s": 0.04},
        "prices": {"input_usd_per_mtok": 5, "output_usd_per_mtok": 25},
    }
    spec["agents"][agent]["model"] = "slow"


def _model_slower(spec: Spec, agent: str, rng: random.Random) -> None:
    spec["models"]["fast"]["latency"]["itl_s"] *= rng.uniform(1.5, 2.5)


def _dearer(spec: Spec, agent: str, rng: random.Random) -> None:
    prices = spec["models"]["fast"]["prices"]
    for name in prices:
        prices[name] *= rng.uniform(2.5, 4)


def _once(spec: Spec, agent: str) -> None:
    spec["policies"]["default"]["retry"]["attempts"] = 1


def _few_slots(spec: Spec, agent: str) -> None:
    spec["providers"]["anthropic"]["concurrency"] = 2
    spec["workload"]["arrivals"] = {"every_s": 10}


def _few_tokens(spec: Spec, agent: str) -> None:
    spec["providers"]["anthropic"]["limits"] = {"output_tokens_per_min": 4500}
    spec["workload"]["arrivals"] = {"every_s": 20}
    spec["policies"]["default"]["retry"]["attempts"] = 12


def _short_timeout(spec: Spec, agent: str) -> None:
    median = spec["agents"][agent]["output_tokens"]["lognormal"]["median"]
    itl_s = spec["models"][spec["agents"][agent]["model"]]["latency"]["itl_s"]
    spec["policies"]["agents"] = {agent: {"timeout_s": 1.5 + 1.4 * median * itl_s}}
    spec["policies"]["default"]["retry"]["attempts"] = 1


def _one_in_flight(spec: Spec, agent: str) -> None:
    spec["policies"]["default"]["max_in_flight"] = 1
    spec["workload"]["arrivals"] = {"every_s": 7}


def _stood_in(spec: Spec, agent: str) -> None:
    spec["policies"]["agents"] = {agent: {"fallback": "yak"}}
    spec["policies"]["default"]["retry"]["attempts"] = 1


LATENCY, COST, SUCCESS = "latency_s_mean", "cost_usd_mean", "success_rate"

DIRECT: Final = (
    Cause("writes more", _longer, LATENCY, ("output",)),
    Cause("reads more", _more_prompt, LATENCY, ("prompt",), base=_prefill),
    Cause("slower", _slower, LATENCY, ("speed", "first token")),
    Cause("other model", _swapped, LATENCY, ("model",)),
    Cause("529", _fault("overloaded"), LATENCY, ("retry",), words=("529",)),
    Cause("429", _fault("status", status=429), LATENCY, ("retry",), words=("429",)),
    Cause("reset", _fault("connection_error"), LATENCY, ("retry",), words=("connection_error",)),
    Cause("hangs", _fault("hang"), LATENCY, ("silence", "retry")),
    Cause("fails with 529", _fault("overloaded"), SUCCESS, ("failed",), base=_once, words=("529",)),
    Cause("fails with 400", _fault("status", status=400), SUCCESS, ("failed",), words=("400",)),
    Cause("writes more", _longer, COST, ("output size",)),
    Cause("reads more", _more_prompt, COST, ("prompt size",)),
    Cause("other model", _swapped, COST, ("price",)),
)
SHARED: Final = (
    Cause("slots", _longer, LATENCY, ("output",), is_shared=True, base=_few_slots),
    Cause("a place in flight", _longer, LATENCY, ("output",), is_shared=True, base=_one_in_flight),
    Cause("a bucket", _longer, LATENCY, ("output",), is_shared=True, base=_few_tokens),
    Cause("a timeout", _longer, SUCCESS, ("output", "failed"), is_shared=True, base=_short_timeout),
    Cause("a slower model", _model_slower, LATENCY, ("speed",), "model fast", is_shared=True),
    Cause("a slower model, slots", _model_slower, LATENCY, ("speed",), "model fast", is_shared=True, base=_few_slots),
    Cause("a dearer model", _dearer, COST, ("price",), "model fast", is_shared=True),
    Cause("a fallback", _always, COST, ("fallback",), is_shared=True, base=_stood_in),
    Cause("a fallback", _always, LATENCY, ("fallback",), is_shared=True, base=_stood_in),
)  # fmt: skip
PAIRABLE: Final = ("writes more", "slower", "529", "other model")


def spans_of(spec: Spec) -> list[Table]:
    """The spans of a few runs of a scenario."""
    simulation = Simulation.from_spec(spec)
    return [simulation.run(seed).spans for seed in SEEDS]


def explained(causes: Sequence[tuple[Cause, str]], number: int) -> Explanation:
    """The explanation of a pair with some causes, each at an agent."""
    sides = []
    for planted in (False, True):
        rng = random.Random(number)
        spec = team(rng)
        for cause, agent in causes:
            cause.base(spec, agent)
        if planted:
            for cause, agent in causes:
                cause.plant(spec, agent, rng)
        sides.append(spans_of(spec))
    return why(sides[0], sides[1], causes[0][0].metric)


def alarmed(number: int) -> tuple[str, ...]:
    """The metrics for which a gate fails a team whose luck alone is another."""
    simulation = Simulation.from_spec(team_of(number))
    before, after = (
        tuple(
            replace(sample(simulation.run(first + seed)), seed=seed) for seed in range(CONTROL_RUNS)
        )
        for first in (1, 1001)
    )
    base = Samples(scenario="team", scenario_hash="", harness_version="", runs=before)
    return gate(base, replace(base, runs=after), limits_of()).regressed


def is_right(told: Explanation, cause: Cause, agent: str, first: int = 1) -> bool:
    """Whether one of the first reasons names the agent and the kind."""
    who = cause.who.format(agent=agent)
    return any(
        it.agent == who and it.kind in cause.kinds and all(word in it.text for word in cause.words)
        for it in told.reasons[:first]
    )


def main() -> int:
    """Measure, and print the table; the arguments are pairs a cause, pairs of two causes, controls, and the seed of the draws."""
    pairs, twos, controls, seed = (int(it) for it in (sys.argv[1:] or ("5", "44", "50", "21")))
    rng = random.Random(seed)
    found: dict[str, Counter[str]] = {}
    number = 1000 * seed
    for cause in (*DIRECT, *SHARED):
        group = "through something shared" if cause.is_shared else "direct"
        for _ in range(pairs):
            number += 1
            agent = rng.choice(("ant", "bee") if cause.who != "{agent}" else AGENTS)
            told = explained([(cause, agent)], number)
            right = is_right(told, cause, agent)
            if not right:
                print(f"  wrong: {cause.name} at {agent} ({cause.metric}): {told.sentence}")
            if not cause.is_shared:
                alone = len(told.reasons) == 1
                found.setdefault("direct, and no other cause named", Counter())[str(alone)] += 1
                if not alone:
                    print(f"  more: {cause.name} at {agent} ({cause.metric}): {told.sentence}")
            for row in (group, f"{group}: {cause.name}, {cause.metric}"):
                found.setdefault(row, Counter())[str(right)] += 1
    for _ in range(twos):
        number += 1
        able = [cause for cause in DIRECT if cause.name in PAIRABLE and cause.metric == LATENCY]
        two = list(zip(rng.sample(able, 2), rng.sample(AGENTS, 2), strict=True))
        told = explained(two, number)
        both = [is_right(told, cause, agent, first=3) for cause, agent in two]
        if not all(both):
            print(f"  wrong: {[(c.name, a) for c, a in two]}: {told.sentence}")
        found.setdefault("two causes, both named", Counter())[str(all(both))] += 1
        found.setdefault("two causes, one named first", Counter())[
            str(any(is_right(told, cause, agent) for cause, agent in two))
        ] += 1
    for _ in range(controls):
        number += 1
        alarms = alarmed(number)
        if alarms:
            print(f"  alarm: {alarms}")
        found.setdefault("controls without an alarm", Counter())[str(not alarms)] += 1
    print(f"{'pairs':60} {'right':>6} {'of':>4}")
    for row, counts in found.items():
        print(
            f"{row:60} {counts['True']:6} {counts.total():4}  {counts['True'] / counts.total():.0%}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
