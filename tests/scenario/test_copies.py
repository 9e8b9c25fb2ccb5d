"""Agents by number: `count` under `agents`, and `{all: NAME}` in lists of a pattern."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness import ScenarioError, Simulation
from harness.spans import CALL

STUBS = "agents: {worker: {replies: [one, two], when_exhausted: repeat}}\n"


def spec(pattern: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:  # noqa: ANN401 - YAML values
    lead = {"orchestrator": "lead", "workers": [{"all": "worker"}], "synthesizer": "lead"}
    return {
        "scenario": "by-number",
        "workload": {"tasks": 1},
        "providers": {"p": {}},
        "models": {
            "m": {"provider": "p", "name": "made-up", "latency": {"ttft_s": 1.0, "itl_s": 0.0}}
        },
        "agents": {
            "lead": {"model": "m", "output_tokens": 5},
            "worker": {"model": "m", "output_tokens": 10, "count": 3},
        },
        "pattern": {"orchestrator_worker": lead} if pattern is None else pattern,
        **sections,
    }


def callers(stated: dict[str, Any]) -> list[str]:
    """Who makes calls, in order."""
    run = Simulation.from_spec(stated).run(1)
    return [agent for kind, agent in run.spans.rows("kind", "agent") if kind == CALL]


def test_an_entry_with_a_count_is_as_many_agents_and_all_of_them_can_be_named_in_a_list() -> None:
    assert callers(spec()) == ["lead", "worker-1", "worker-2", "worker-3", "lead"]


def test_agents_by_number_do_what_agents_of_those_names_would() -> None:
    written = spec(
        {"orchestrator_worker": {"orchestrator": "lead", "workers": ["worker-1", "worker-2"]}}
    )
    worker = {"model": "m", "output_tokens": 10}
    written["agents"] = {"lead": written["agents"]["lead"], "worker-1": worker, "worker-2": worker}
    counted = spec(
        {"orchestrator_worker": {"orchestrator": "lead", "workers": [{"all": "worker"}]}}
    )
    counted["agents"]["worker"]["count"] = 2
    first, second = (Simulation.from_spec(it).run(1) for it in (written, counted))
    assert repr(list(first.spans.rows())) == repr(list(second.spans.rows()))
    assert repr(list(first.events.rows())) == repr(list(second.events.rows()))


@pytest.mark.parametrize(
    "pattern",
    [
        {"parallel": {"members": [{"all": "worker"}], "aggregate": {"quorum": {"k": 3, "by": "lead"}}}},
        {"mesh": {"peers": [{"all": "worker"}], "max_rounds": 1}},
        {"bus": {"topic": "a", "answer": "b", "subscribers": [{"agent": {"all": "worker"}, "topics": ["a"], "publishes": "b"}]}},
        {"router": {"words": {"x": ["task"]}, "specialists": {"x": [{"all": "worker"}]}}},
        {"hierarchical": {"manager": "lead", "reports": [{"manager": "lead", "reports": [{"all": "worker"}]}]}},
        {"pipeline": {"stages": ["lead", {"pattern": {"parallel": {"members": [{"all": "worker"}], "aggregate": {"merge": {}}}}}]}},
        {"pipeline": {"stages": [{"all": "worker"}, {"all": "lead"}]}},
    ],
    ids=["parallel", "mesh", "bus", "router", "hierarchical", "team in a team", "pipeline"],
)  # fmt: skip
def test_all_stands_in_the_lists_of_every_pattern(pattern: dict[str, Any]) -> None:
    (name,) = pattern
    workers = [name for name in callers(spec(pattern)) if name.startswith("worker")]
    assert workers == (["worker-1"] if name == "router" else ["worker-1", "worker-2", "worker-3"])


def test_all_stands_under_bakeoff_and_in_teams_of_the_file() -> None:
    members = {"parallel": {"members": [{"all": "worker"}], "aggregate": {"merge": {}}}}
    stated = spec({"single": {"agent": "team"}})
    stated["agents"]["team"] = {"pattern": members}
    assert callers(stated) == ["worker-1", "worker-2", "worker-3"]
    stated = spec(bakeoff=members)
    del stated["pattern"]
    assert callers(stated) == ["worker-1", "worker-2", "worker-3"]


def test_an_entry_of_its_own_says_what_is_different_of_one_of_them() -> None:
    stated = spec(
        policies={"agents": {"worker": {"timeout_s": 5}, "worker-3": {"timeout_s": 0.5}}},
        latency_factors={"worker": 2.0},
    )
    stated["pattern"]["orchestrator_worker"]["on_failure"] = "partial"
    stated["agents"]["worker-2"] = {"model": "m", "output_tokens": 99}
    run = Simulation.from_spec(stated).run(1)
    calls = {
        agent: (tokens, end_s - arrival_s)
        for kind, agent, tokens, arrival_s, end_s in run.spans.rows(
            "kind", "agent", "output_tokens", "arrival_s", "end_s"
        )
        if kind == "attempt" and agent != "lead"
    }
    assert calls == {"worker-1": (10, 2.0), "worker-2": (99, 2.0), "worker-3": (10, 0.5)}


def test_one_script_is_that_of_all_of_them(tmp_path: Path) -> None:
    (tmp_path / "stubs.yaml").write_text(STUBS, encoding="utf-8")
    stated = spec(
        {"pipeline": {"stages": [{"all": "worker"}, "worker-1"]}},
    )
    stated["agents"]["worker"]["stub"] = "stubs.yaml"
    simulation = Simulation.from_spec(stated, folder=tmp_path)
    assert simulation.run(1).stub_lines_used == {"worker": {0, 1}}
    assert simulation.run_many().metrics["calls_mean"] == 4


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("agents.worker.count", 0, "agents.worker.count: must be greater than or equal to 1, not 0"),
        ("agents.worker.count", 2_000_000, "agents.worker.count: must be less than or equal to 1000000"),
        ("agents.worker.count", "many", "agents.worker.count: must be a whole number, not 'many'"),
        ("agents.worker.modle", "m", "agents.worker: unknown key 'modle'; did you mean 'model'?"),
        ("agents.worker.model", "n", "agents.worker.model: there is no 'n' under models"),
        ("policies", {"agents": {"worker": {"timeout_s": -1}}}, "policies.agents.worker.timeout_s: must be greater than 0"),
        ("pattern.orchestrator_worker.synthesizer", "worker",
         "pattern.orchestrator_worker.synthesizer: 'worker' is 3 agents: name one, such as worker-1, or all in a list of a pattern: {all: worker}"),
        ("pattern.orchestrator_worker.synthesizer", {"all": "worker"},
         "pattern.orchestrator_worker.synthesizer: worker: all can stand in a list only; name one of them"),
        ("pattern.orchestrator_worker.workers", [{"all": "wroker"}],
         "pattern.orchestrator_worker.workers[0]: there is no 'wroker' under agents; known are worker, lead"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_once_and_where_it_stands(
    path: str, value: object, says: str
) -> None:
    stated = spec()
    *around, last = path.split(".")
    part = stated
    for step in around:
        part = part[step]
    part[last] = value
    with pytest.raises(ScenarioError) as caught:
        Simulation.from_spec(stated)
    (told,) = str(caught.value).splitlines()
    assert told.startswith(f"<spec>: {says}")
