"""Deadlocks, tasks without progress, cascades and starvation are events of a run, and lines wherever it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.metrics.stood_out import stood_out
from harness.report import Contents, Side
from harness.report.blocks import DataTable
from harness.report.sections.stood_out import section as stood_out_section
from harness.run import RunResult, Simulation
from harness.run.outcome import Results
from harness.spans import Table
from harness.store import Store

HOUSE = Path(__file__).parents[2]


def team(faults: list[dict[str, Any]], **more: object) -> Simulation:
    spec = {
        "scenario": "research",
        "workload": {"tasks": 6, "arrivals": {"every_s": 60}},
        "models": {"fast": {"provider": "p", "name": "m", "latency": {"ttft_s": 1, "itl_s": 0.01}}},
        "providers": {"p": {}},
        "agents": {
            name: {"model": "fast", "output_tokens": 100} for name in ("search", "analyst", "writer")
        },
        "pattern": {"pipeline": {"stages": ["search", "analyst", "writer"]}},
        "policies": {"default": {"retry": {"attempts": 1}}},
        "faults": faults,
        **more,
    }  # fmt: skip
    return Simulation.from_spec(spec)


def events(table: Table, name: str) -> list[tuple[int, str, str]]:
    rows = table.rows("name", "task", "agent", "detail")
    return [(task, agent, detail) for it, task, agent, detail in rows if it == name]


DOWN = {"down": {"agents": ["search"], "from_s": 30}}


def cascading() -> tuple[Simulation, RunResult]:
    simulation = team([DOWN])
    return simulation, simulation.run(1)


def test_a_cascade_is_one_event_of_its_first_task() -> None:
    _, run = cascading()
    told = (
        "search failed at 60 s (agent_down); because of it: analyst (no input), writer (no input), "
        "5 of 6 tasks lost"
    )
    assert events(run.events, "cascade") == [(2, "search", told)]
    assert [seen.line for seen in run.stood_out] == [f"{told}."]


def test_simulate_tells_the_first_of_each_kind_and_in_how_many_runs_there_was_one() -> None:
    simulation, run = cascading()
    results = Results(simulation.scenario)
    results.add(run)
    results.add(simulation.run(2))
    told = [note for note in results.outcome().notes if note.startswith("Cascade")]
    (line,) = told
    assert line == (
        "Cascade in 2 of 2 runs; seed 1: search failed at 60 s (agent_down); because of it: "
        "analyst (no input), writer (no input), 5 of 6 tasks lost."
    )


def test_a_call_that_starves_is_an_event_of_its_task() -> None:
    run = team(
        [{"starved": {"agent": "writer", "task": 1}}],
        workload={"tasks": 60, "arrivals": {"every_s": 1}},
        agents={name: {"model": "fast", "output_tokens": 100} for name in ("search", "writer")},
        pattern={"pipeline": {"stages": ["search", "writer"]}},
        providers={"p": {"concurrency": 1}},
    ).run(1)
    # Who meets a fault is starved by it, and that is told as the fault.
    assert events(run.events, "starvation") == []
    queues = team(
        [],
        workload={
            "tasks": 100,
            "arrivals": {"every_s": 1},
            "kinds": [{"kind": "chat", "priority": 1, "weight": 30}, {"kind": "batch", "priority": 0}],
        },
        agents={"writer": {"model": "fast", "output_tokens": 100}},
        pattern={"single": {"agent": "writer"}},
        policies={"default": {"max_in_flight": 1}},
    ).run(1)  # fmt: skip
    starved = events(queues.events, "starvation")
    assert len(starved) == 1
    task, agent, told = starved[0]
    assert agent == "writer"
    assert told.startswith(f"writer starved in task {task}: ")
    assert [seen.kind for seen in queues.stood_out] == ["starvation"]


def test_a_run_in_which_all_is_well_has_no_such_event() -> None:
    run = team([]).run(1)
    assert run.stood_out == ()
    assert stood_out(run.events) == []


# -- programs -----------------------------------------------------------------------------------------------------------


def asking(sim: Any) -> Any:  # noqa: ANN401 - a program
    anthropic = pytest.importorskip("anthropic")
    client = anthropic.AsyncAnthropic(api_key="unused", max_retries=0)

    async def ask(agent: str, text: str) -> str:
        message = await client.messages.create(
            model="claude-sonnet-4-6",
            max_tokens=99,
            system=f"You are the {agent}.",
            messages=[{"role": "user", "content": text}],
        )
        return str(message.content[0].text)

    return ask


def test_a_program_whose_first_agent_fails_tells_who_got_no_input() -> None:
    from harness.sim import Sim

    sim = Sim(1)
    for name in ("search", "analyst", "writer"):
        sim.agent(name, system=f"*{name}*", reply=name, latency_s=2.0)
    sim.agent("spare", system="*spare*", reply="spare", allow_unused=True)
    sim.fault("status", status=500, agent="search")
    ask = asking(sim)

    async def program() -> Any:  # noqa: ANN401 - a text
        return await ask("writer", await ask("analyst", await ask("search", "Ulm")))

    with pytest.raises(Exception, match="500"):
        sim.run(program)
    run = sim.last_run
    ((task, agent, told),) = events(run.events_table, "cascade")
    assert (task, agent) == (1, "search")
    assert told.endswith("because of it: analyst (no input), writer (no input), 1 of 1 task lost")
    assert f"{told}." in run.explain().splitlines()
    assert f"{told}." in sim.tell_failure(run.error).splitlines()


def test_a_program_that_makes_good_a_failure_has_no_cascade() -> None:
    from harness.sim import Sim

    sim = Sim(1)
    for name in ("search", "writer"):
        sim.agent(name, system=f"*{name}*", reply=name)
    sim.fault("status", status=500, agent="search")
    ask = asking(sim)

    async def program() -> Any:  # noqa: ANN401 - a text
        try:
            found = await ask("search", "Ulm")
        except Exception:  # noqa: BLE001 - as programs do
            found = "nothing"
        return await ask("writer", found)

    assert events(sim.run(program).events_table, "cascade") == []


def test_the_report_of_runs_has_a_section_for_what_stood_out(tmp_path: Path) -> None:
    from harness.cli.app import run

    store, file = tmp_path / "runs.duckdb", HOUSE / "scenarios" / "siblings_thrown_away.yaml"
    run(["simulate", str(file), "--runs", "1", "--store", str(store), "--quiet"])
    side = Side(Store(store), (1,))
    section = stood_out_section(Contents(side=side, base=None, judgement=None))
    assert section is not None
    (table,) = section.blocks
    assert isinstance(table, DataTable)
    ((kind, line, runs),) = table.rows
    assert (kind, runs) == ("cascade", 1)
    assert "slow failed at " in str(line)
