"""What an agent's speed is worth, in teams whose times are known beforehand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.gate.comparison import Comparison
from harness.gate.whatif import WhatIf, one_by_one, present, what_if
from harness.run import Simulation
from harness.scenario import LoadedScenario, load_scenario
from harness.spans import ATTEMPT, Table, as_json_lines

Load = Callable[..., LoadedScenario]

# Each call takes a second and a tenth of one for each token: the lead 2 s, twice, the others 3, 5 and 11 s.
TEAM = """
scenario: team
workload: {tasks: 3, arrivals: {every_s: 100}}
providers: {anthropic: {}}
models:
  even:
    provider: anthropic
    name: claude-haiku-4-5
    latency: {ttft_s: 1, itl_s: 0.1}
    prices: {input_usd_per_mtok: 1, output_usd_per_mtok: 5}
tools: {search: {latency_s: 4}}
agents:
  lead: {model: even, output_tokens: 10}
  quick: {model: even, output_tokens: 20}
  fair.1: {model: even, output_tokens: 40}
  slow: {model: even, output_tokens: 100}
pattern: {orchestrator_worker: {orchestrator: lead, workers: [quick, fair.1, slow], synthesizer: lead}}
"""

NOW_S = 2 + 11 + 2


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def loaded(text: str = TEAM, **overrides: str) -> LoadedScenario:
        file = tmp_path / "scenario.yaml"
        file.write_text(text, encoding="utf-8")
        return load_scenario(file, overrides=[f"{key}={value}" for key, value in overrides.items()])

    return loaded


def of(scenario: LoadedScenario, **factors: float) -> WhatIf:
    """The same scenario with other speeds; `fair_1` is the agent `fair.1`."""
    now = present(scenario, [1, 2])
    return what_if(now, {agent.replace("_", "."): factor for agent, factor in factors.items()})


def comparison(found: WhatIf, metric: str = "latency_s_mean") -> Comparison:
    return next(it for it in found.comparisons if it.metric == metric)


def attempts(spans: Table, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for kind, *row in spans.rows("kind", *columns) if kind == ATTEMPT]


# -- what is gained ---------------------------------------------------------------------------------


def test_agent_beside_the_critical_path_gains_nothing(load: Load) -> None:
    found = of(load(), fair_1=0.8)
    assert {it.change.method for it in found.comparisons if it.change} == {"identical"}
    assert found.path_shares == {"fair.1": 0.0}
    assert comparison(found).candidate == NOW_S


def test_slowest_agent_gains_its_share_of_the_path(load: Load) -> None:
    found = of(load(), slow=0.8)
    assert found.path_shares == {"slow": pytest.approx(11 / NOW_S)}
    assert comparison(found).base == NOW_S
    assert comparison(found).candidate == pytest.approx(NOW_S - 0.2 * 11)
    assert found.change == pytest.approx(-0.2 * 11 / NOW_S)


def test_slowest_agent_gains_no_more_than_up_to_the_next(load: Load) -> None:
    found = of(load(), slow=0.1)
    assert comparison(found).candidate == pytest.approx(NOW_S - 11 + 5)


def test_slower_agent_beside_the_path_costs_only_what_is_beyond_it(load: Load) -> None:
    assert comparison(of(load(), quick=3.0)).candidate == NOW_S
    assert comparison(of(load(), quick=5.0)).candidate == pytest.approx(NOW_S + 4)


def test_all_agents_together_make_everything_served_faster_by_as_much(load: Load) -> None:
    found = of(load(), lead=0.8, quick=0.8, fair_1=0.8, slow=0.8)
    for metric in ("latency_s_mean", "latency_s_p95"):
        change = comparison(found, metric).change
        assert change is not None
        assert change.value == pytest.approx(-0.2)
        assert change.method == "exact"
    assert sum(found.path_shares.values()) == pytest.approx(1.0)


def test_cost_does_not_depend_on_speed(load: Load) -> None:
    found = comparison(of(load(), slow=0.5), "cost_usd_mean")
    assert found.base
    assert found.base == found.candidate


def test_agents_come_in_the_order_of_what_they_gain(load: Load) -> None:
    found = one_by_one(present(load(), range(1, 3)), 0.8)
    assert [next(iter(it.latency_factors)) for it in found] == ["slow", "lead", "quick", "fair.1"]
    assert [it.change for it in found] == pytest.approx([-2.2 / NOW_S, -0.8 / NOW_S, 0, 0])


def test_warm_up_has_no_part_in_shares(load: Load) -> None:
    text = TEAM.replace("tasks: 3", "tasks: 3, warmup_tasks: 2")
    text = text.replace(
        "scenario: team",
        "scenario: team\nfaults: [{latency: {agent: quick, call: 1, factor: 10}}]",
    )
    assert present(load(text), [1]).path_shares["quick"] == 0.0
    assert present(load(text.replace(", warmup_tasks: 2", "")), [1]).path_shares[
        "quick"
    ] == pytest.approx(30 / 64)


def test_metric_that_was_not_measured_stays_so(load: Load) -> None:
    text = TEAM.replace("    prices: {input_usd_per_mtok: 1, output_usd_per_mtok: 5}\n", "")
    found = of(load(text.replace("claude-haiku-4-5", "nobody-1")), slow=0.8)
    assert (comparison(found, "cost_usd_mean").base, found.change < 0) == (None, True)


def test_shorter_queue_is_a_gain_of_those_who_wait_in_it(load: Load) -> None:
    text = TEAM.replace("{anthropic: {}}", "{anthropic: {concurrency: 1}}")
    # One after another: 2 + 3 + 5 + 11 + 2 s. Everybody is on the path now.
    assert comparison(of(load(text), fair_1=0.8)).candidate == pytest.approx(23 - 0.2 * 5)


# -- what stays as it is ----------------------------------------------------------------------------


def test_runs_without_other_speeds_are_the_same_byte_for_byte(load: Load) -> None:
    text = Path("scenarios/code_review.yaml").read_text().replace("../", f"{Path.cwd()}/")
    plain = Simulation(Path("scenarios/code_review.yaml")).run(3)
    one = Simulation(load(text).source, overrides=["latency_factors={style: 1.0}"]).run(3)
    assert as_json_lines(one.spans) == as_json_lines(plain.spans)


def test_only_the_times_of_the_faster_agent_and_after_it_change(load: Load) -> None:
    source = load().source
    now, then = (
        Simulation(source, overrides=[f"latency_factors={{slow: {factor}}}"]).run(1).spans
        for factor in (1, 0.8)
    )
    sizes = ("agent", "input_tokens", "output_tokens", "cost_usd", "status", "fault")
    assert sorted(attempts(now, *sizes)) == sorted(attempts(then, *sizes))
    served = {
        agent: round(end_s - start_s, 6)
        for agent, start_s, end_s in attempts(then, "agent", "start_s", "end_s")
    }
    assert served == {"lead": 2.0, "quick": 3.0, "fair.1": 5.0, "slow": 8.8}


def test_other_speed_is_no_fault_and_leaves_no_trace_of_one(load: Load) -> None:
    run = Simulation(load().source, overrides=["latency_factors={slow: 0.8}"]).run(1)
    assert set(run.spans.values("fault")) == {""}
    assert set(run.events.values("name")) == {"message"}


def test_faults_go_on_beside_it(load: Load) -> None:
    text = TEAM + "faults: [{latency: {agent: slow, factor: 3}}]\n"
    found = of(load(text), slow=0.8)
    assert comparison(found).base == pytest.approx(4 + 33)
    assert comparison(found).candidate == pytest.approx(4 + 0.8 * 33)


def test_tools_take_as_long_as_before(load: Load) -> None:
    stub = (
        "agents: {slow: {replies: [{tool_calls: [{tool: search}]}, done], when_exhausted: repeat}}"
    )
    text = TEAM.replace(
        "slow: {model: even, output_tokens: 100}",
        "slow: {model: even, tools: [search], stub: s.yaml}",
    )
    text = text[: text.index("pattern:")] + "pattern: {react: {agent: slow}}\n"
    scenario = Path(load().source).with_name("s.yaml")
    scenario.write_text(stub, encoding="utf-8")
    found = comparison(of(load(text), slow=0.5))
    assert found.base is not None
    assert found.candidate is not None
    assert found.candidate - 4 == pytest.approx((found.base - 4) / 2)


def test_stated_speed_is_what_others_are_measured_from(load: Load) -> None:
    found = of(load(latency_factors="{slow: 2, lead: 0.5}"), slow=0.8)
    assert comparison(found).base == pytest.approx(2 * 11 + 2)
    assert comparison(found).candidate == pytest.approx(0.8 * 2 * 11 + 2)


def test_speed_belongs_to_the_digest(load: Load) -> None:
    assert load(latency_factors="{slow: 0.8}").digest != load().digest
    assert (
        load(TEAM + "latency_factors: {slow: 0.8}\n").digest
        == load(latency_factors="{slow: 0.8}").digest
    )


@pytest.mark.parametrize("agent", ["slwo", "nobody"])
def test_agent_that_is_not_there_is_refused(load: Load, agent: str) -> None:
    says = "did you mean 'slow'" if agent == "slwo" else "known are lead, quick, fair.1, slow"
    with pytest.raises(HarnessError, match=f"no agent '{agent}'; {says}"):
        of(load(), **{agent: 0.8})


@pytest.mark.parametrize(
    "wrong", ["{nobody: 1}", "{slow: 0}", "{slow: -1}", "{slow: fast}", "3", "{slow: .inf}"]
)
def test_wrong_speed_in_a_file_is_told_with_its_place(load: Load, wrong: str) -> None:
    with pytest.raises(HarnessError, match=r"scenario\.yaml:\d+:\d+: "):
        load(f"{TEAM}latency_factors: {wrong}\n")


# -- a program of one's own -------------------------------------------------------------------------

PROGRAM = """
import asyncio
import anthropic

client = anthropic.AsyncAnthropic(api_key="unused")


async def ask(system):
    await client.messages.create(
        model="claude-haiku-4-5", max_tokens=500, system=system, messages=[{"role": "user", "content": "go"}]
    )


async def main():
    await ask("planner")
    await asyncio.gather(ask("reader"), ask("writer"))
"""

# The planner takes 3 s, the reader 2 s, the writer 5 s.
OWN = """
scenario: own
workload: {tasks: 2, arrivals: {every_s: 50}}
allow_unmatched: true
target: PROGRAM:main
models: {even: {provider: anthropic, name: claude-haiku-4-5, latency: {ttft_s: 2}}}
agents:
  planner: {match: {system: planner}, latency: {ttft_s: 3}}
  writer: {match: {system: writer}, latency: {ttft_s: 5}}
"""


@pytest.fixture
def own(load: Load, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The text of a scenario of a program, which has a name of its own, because modules are kept by name."""
    name = f"what_if_{abs(hash(request.node.name)) % 10**8}"
    tmp_path.joinpath(f"{name}.py").write_text(PROGRAM, encoding="utf-8")
    yield OWN.replace("PROGRAM", name)
    sys.modules.pop(name, None)


def test_agent_of_a_program_gains_its_share_of_the_path(load: Load, own: str) -> None:
    now = present(load(own), [1, 2])
    assert now.path_shares == {
        "planner": pytest.approx(3 / 8),
        "writer": pytest.approx(5 / 8),
        "unmatched:reader": 0.0,
    }
    assert what_if(now, {"writer": 0.8}).change == pytest.approx(-1 / 8)
    assert what_if(now, {"writer": 0.8, "planner": 0.8}).change == pytest.approx(-0.2)


def test_agents_of_a_program_that_the_file_does_not_name_are_left_as_they_are(
    load: Load, own: str
) -> None:
    now = present(load(own), [1])
    assert (now.agents, now.unvaried) == (("planner", "writer"), ("unmatched:reader",))
    with pytest.raises(
        HarnessError, match="no agent 'unmatched:reader'; known are planner, writer"
    ):
        what_if(now, {"unmatched:reader": 0.8})


def test_agents_of_a_program_without_any_in_the_file_are_those_that_it_has(
    load: Load, own: str
) -> None:
    text = own[: own.index("agents:")]
    now = present(load(text), [1])
    assert (now.agents, now.unvaried) == (("planner", "reader", "writer"), ())
    found = {next(iter(it.latency_factors)): it.change for it in one_by_one(now, 0.8)}
    assert found == {"planner": pytest.approx(-0.1), "reader": 0.0, "writer": 0.0}


def test_speed_of_a_program_s_agent_goes_with_the_faults_of_the_wire(load: Load, own: str) -> None:
    text = own + "faults: [{latency: {agent: writer, factor: 2}}]\n"
    run = Simulation(load(text).source, overrides=["latency_factors={writer: 0.5}"]).run(1)
    served = {
        (agent, fault, round(end_s - start_s, 6))
        for agent, fault, start_s, end_s in attempts(
            run.spans, "agent", "fault", "start_s", "end_s"
        )
    }
    assert served == {
        ("planner", "", 3.0),
        ("unmatched:reader", "", 2.0),
        ("writer", "latency", 5.0),
    }
