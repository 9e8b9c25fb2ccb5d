"""Teams within teams: patterns that stand where an agent's name could, in scenario files."""

from __future__ import annotations

import copy
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import HarnessError, ScenarioError, Simulation
from harness.agents import Message
from harness.patterns.nested import NestedTeam
from harness.run import RunResult
from harness.scenario import load_scenario
from harness.spans import AGENT, CALL, TASK

BASE: dict[str, Any] = {
    "scenario": "nested",
    "workload": {"tasks": 1},
    "providers": {"p": {}},
    "models": {
        "m": {
            "provider": "p",
            "name": "made-up",
            "latency": {"ttft_s": 1.0, "itl_s": 0.0},
            "prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 1},
        }
    },
    "agents": {name: {"model": "m", "output_tokens": 10} for name in ("lead", "a", "b", "c", "d")},
}


def scenario(pattern: Any, **agents: Any) -> dict[str, Any]:  # noqa: ANN401 - a YAML value
    made = copy.deepcopy(BASE)
    made["agents"] |= agents
    return {**made, "pattern": pattern}


def simulated(pattern: Any, **agents: Any) -> RunResult:  # noqa: ANN401 - a YAML value
    return Simulation.from_spec(scenario(pattern, **agents)).run(1)


def levels(run: RunResult) -> list[str]:
    """Tasks and turns, each below what it is a part of, with when they began and ended."""
    rows = sorted(run.spans.rows("span_id", "parent_id", "kind", "name", "arrival_s", "end_s"))
    depth = {-1: -1}
    found = []
    for span_id, parent_id, kind, name, arrival_s, end_s in rows:
        depth[span_id] = depth[parent_id] + 1
        if kind in (TASK, AGENT):
            found.append(f"{'  ' * depth[span_id]}{name} {arrival_s:g}-{end_s:g}")
    return found


TEAM = {"orchestrator_worker": {"orchestrator": "a", "workers": ["b", "c"]}}


def test_pattern_may_stand_where_an_agent_could_and_its_turns_are_parts_of_its_own() -> None:
    run = simulated({"pipeline": {"stages": ["lead", {"pattern": TEAM}, "d"]}})
    assert levels(run) == [
        "task 0-4", "  lead 0-1", "  orchestrator_worker 1-3", "    a 1-2", "    b 2-3", "    c 2-3", "  d 3-4",
    ]  # fmt: skip


def test_nesting_goes_to_any_depth() -> None:
    pattern: Any = {"single": {"agent": "a"}}
    for _ in range(8):
        pattern = {"pipeline": {"stages": ["lead", {"pattern": pattern}]}}
    run = simulated(pattern)
    told = levels(run)
    assert told[-1] == "  " * 9 + "a 8-9"
    assert [line.split()[0] for line in told if "-" in line.split()[0]] == [
        *(f"pipeline-{n}" for n in range(2, 8)),
    ]


def test_team_under_agents_may_be_named_by_several_places() -> None:
    run = simulated({"pipeline": {"stages": ["pair", "pair"]}}, pair={"pattern": TEAM})
    assert levels(run) == [
        "task 0-4", "  pair 0-2", "    a 0-1", "    b 1-2", "    c 1-2", "  pair 2-4", "    a 2-3", "    b 3-4",
        "    c 3-4",
    ]  # fmt: skip


def test_answer_of_a_team_is_a_message_of_the_team() -> None:
    run = simulated(
        {
            "orchestrator_worker": {
                "workers": ["lead", {"name": "pair", "pattern": TEAM}],
                "synthesizer": "d",
            }
        }
    )
    names = ("agent", "recipient", "name", "hop")
    sent = [row[:2] + row[3:] for row in run.events.rows(*names) if row[2] == "message"]
    assert sent == [
        ("user", "lead", 0), ("user", "a", 0), ("user", "b", 0), ("a", "b", 1), ("user", "c", 0), ("a", "c", 1),
        ("lead", "d", 1), ("pair", "d", 2), ("d", "user", 3),
    ]  # fmt: skip


def test_calls_of_a_team_are_numbered_in_the_task_as_those_of_others() -> None:
    run = simulated({"pipeline": {"stages": ["a", {"pattern": TEAM}]}})
    calls = [row[1:] for row in run.spans.rows("kind", "agent", "ordinal") if row[0] == CALL]
    assert calls == [("a", 1), ("a", 2), ("b", 1), ("c", 1)]


TEAMS = [
    {"pattern": {"pipeline": {"stages": ["a", "b"]}}},
    {"pattern": {"pipeline": {"stages": ["c", "d"]}}},
]
NAMED = [{"name": name, **team} for name, team in zip(("east", "west"), TEAMS, strict=True)]


def test_teams_without_a_name_may_be_peers_of_a_mesh() -> None:
    run = simulated({"mesh": {"peers": TEAMS, "max_rounds": 2}})
    turns = [line for line in levels(run) if line.startswith("  pipeline")]
    assert turns == ["  pipeline 0-2", "  pipeline-2 0-2", "  pipeline 2-4", "  pipeline-2 2-4"]
    assert "Livelock" in run.spans.values("error")  # in both rounds each has written to the other


@pytest.mark.parametrize(
    ("pattern", "member"),
    [
        ({"mesh": {"peers": NAMED, "versions": {"east": ["2", "1"], "west": ["1"]}, "max_rounds": 1}}, "east"),
        ({"consensus": {"voters": NAMED, "weights": {"east": 2}, "on_unreadable": "abstain"}}, "east"),
        ({"mesh": {"peers": TEAMS, "versions": {"pipeline-2": ["1"]}, "max_rounds": 1}}, "pipeline-2"),
    ],
)  # fmt: skip
def test_settings_of_a_member_may_be_those_of_a_team_within_the_pattern(
    pattern: Any,  # noqa: ANN401 - a YAML value
    member: str,
) -> None:
    assert f"  {member} 0-2" in levels(simulated(pattern))


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ({"mesh": {"peers": NAMED, "versions": {"eats": ["1"]}}}, "eats has versions and is no peer; did you mean 'east'?"),
        ({"consensus": {"voters": ["a", "b"], "weights": {"c": 1}}}, "c has a weight and no vote"),
        ({"mesh": {"peers": ["a", "a"]}}, "a peer is listed twice"),
        ({"mesh": {"peers": ["a", {"name": "a", **TEAMS[0]}]}}, "a peer is listed twice"),
    ],
)  # fmt: skip
def test_settings_of_nobody_are_refused(pattern: Any, says: str) -> None:  # noqa: ANN401 - a YAML value
    with pytest.raises(ScenarioError) as raised:
        Simulation.from_spec(scenario(pattern))
    assert says in str(raised.value)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """The messages of teams within the team, in the order in which they come."""
    found: list[Message] = []
    handle = NestedTeam.handle

    async def heard(self: NestedTeam, *messages: Message) -> Message:
        found.append(await handle(self, *messages))
        return found[-1]

    monkeypatch.setattr(NestedTeam, "handle", heard)
    return found


def costs_of_members(run: RunResult, *members: str) -> float:
    rows = run.spans.rows("kind", "agent", "cost_usd")
    return math.fsum(cost for kind, agent, cost in rows if kind == "attempt" and agent in members)


def test_message_of_a_team_costs_what_the_calls_of_its_members_cost(answers: list[Message]) -> None:  # fmt: skip
    inner = {"name": "inner", "pattern": {"pipeline": {"stages": ["b", "c"]}}}
    outer = {"name": "outer", "pattern": {"pipeline": {"stages": ["a", inner]}}}
    spec = scenario({"pipeline": {"stages": ["lead", outer, "d"]}})
    run = Simulation.from_spec(spec).run(1)
    assert [it.sender for it in answers] == ["inner", "outer"]
    assert answers[0].cost_usd == pytest.approx(costs_of_members(run, "b", "c"), rel=1e-12)
    assert answers[1].cost_usd == pytest.approx(costs_of_members(run, "a", "b", "c"), rel=1e-12)
    assert answers[1].task.cost_usd == pytest.approx(costs_of_members(run, "lead", "a", "b", "c", "d"), rel=1e-12)  # fmt: skip


def test_cost_of_a_team_is_unknown_if_a_price_of_its_members_is(
    answers: list[Message],
) -> None:
    spec = scenario({"pipeline": {"stages": ["lead", {"pattern": TEAM}]}})
    del spec["models"]["m"]["prices"]
    Simulation.from_spec(spec).run(1)
    assert [it.cost_usd for it in answers] == [None]


def test_failure_in_a_team_is_a_failure_of_the_team() -> None:
    spec = scenario(
        {"orchestrator_worker": {"workers": ["lead", {"pattern": {"single": {"agent": "a"}}}], "on_failure": "partial"}}
    )  # fmt: skip
    spec["faults"] = [{"status": {"agent": "a", "status": 500}}]
    run = Simulation.from_spec(spec).run(1)
    ends = [
        row[1:] for row in run.spans.rows("kind", "agent", "status", "error") if row[0] == AGENT
    ]
    assert ends == [
        ("a", "error", "api_error"),
        ("single", "error", "api_error"),
        ("lead", "ok", ""),
    ]
    assert run.tally.succeeded == 1


@pytest.mark.parametrize(
    ("pattern", "agents", "says"),
    [
        (
            {"pipeline": {"stages": [{"pattern": {"pipeline": {"stages": ["a", "bee"]}}}]}},
            {},
            "pattern.pipeline.stages[0].pattern.pipeline.stages[1]: there is no 'bee' under agents",
        ),
        (
            {"pipeline": {"stages": [{"pattern": {"pipeline": {"stage": ["a"]}}}]}},
            {},
            "unknown key 'stage'; did you mean 'stages'?",
        ),
        (
            {"pipeline": {"stages": [{"pattern": {"pipe": {"stages": ["a"]}}}]}},
            {},
            "unknown key 'pipe'",
        ),
        ({"orchestrator_worker": {"workers": [{"team": "x"}]}}, {}, "workers[0]: the key 'pattern' is missing"),
        ({"pipeline": {"stages": [7]}}, {}, "stages[0]: must be a text, not 7"),
        ({"react": {"agent": "pair"}}, {"pair": {"pattern": TEAM}}, "'pair' is a team, and an agent is needed"),
        (
            {"single": {"agent": "one"}},
            {
                "one": {"pattern": {"pipeline": {"stages": ["a", {"pattern": {"single": {"agent": "two"}}}]}}},
                "two": {"pattern": {"single": {"agent": "one"}}},
            },
            "teams form a cycle: ",
        ),
        (
            {"pipeline": {"stages": [{"name": "x", "pattern": TEAM}, {"name": "x", "pattern": TEAM}]}},
            {},
            "two members of the team are called 'x'",
        ),
        ({"single": {"agent": "pair"}}, {"pair": {"pattern": {"nothing": {}}}}, "agents.pair.pattern"),
        ({"single": {"agent": "pair"}}, {"pair": {"pattern": TEAM, "model": "m"}}, "unknown key 'model'"),
    ],
)  # fmt: skip
def test_wrong_team_is_told_with_its_place(pattern: Any, agents: Any, says: str) -> None:  # noqa: ANN401 - YAML values
    with pytest.raises(ScenarioError) as raised:
        Simulation.from_spec(scenario(pattern, **agents))
    assert says in str(raised.value)


OWN = '''
from __future__ import annotations
from dataclasses import dataclass
from harness.agents import Message
from harness.patterns import MemberName, Team

CALLED = []

@dataclass(frozen=True, slots=True, kw_only=True)
class Twice:
    """Ask twice."""

    who: MemberName
    times: int = 2

    async def run(self, task: Message, team: Team) -> Message:
        CALLED.append(1)
        for _ in range(self.times):
            answer = await team[self.who].handle(task)
        return answer.reply("twice", f"{len(CALLED)}")

class NoPattern: pass

@dataclass(frozen=True)
class Faulty:
    how: str

    async def run(self, task, team):
        if self.how == "raises":
            raise KeyError("oops")
        if self.how == "names":
            return await team["nobody"].handle(task)
        return "text"
'''

FILE = """
scenario: own
workload: {tasks: 2}
providers: {p: {}}
models: {m: {provider: p, name: made-up, latency: {ttft_s: 1.0, itl_s: 0.0}, prices: {input_usd_per_mtok: 1, output_usd_per_mtok: 1}}}
agents: {a: {model: m}, b: {model: m}}
pattern:
  "own_team:Twice":
    who: {pattern: {"own_team:Twice": {who: a, times: 3}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.joinpath("own_team.py").write_text(OWN, encoding="utf-8")
    tmp_path.joinpath("own.yaml").write_text(FILE, encoding="utf-8")
    return tmp_path


def test_pattern_of_a_module_of_ones_own_is_named_in_the_file(folder: Path) -> None:
    simulation = Simulation(folder / "own.yaml")
    first, again = simulation.run(1), simulation.run(1)
    turns = [row[1] for row in first.spans.rows("kind", "agent") if row[0] == AGENT]
    assert turns == [*(["a"] * 3 + ["Twice"]) * 2] * 2
    assert list(first.events.rows()) == list(again.events.rows())  # modules are imported anew
    assert "own_team" not in sys.modules


def test_pattern_of_ones_own_runs_in_worker_processes(folder: Path) -> None:
    command = "import harness; harness.Simulation('own.yaml').run_many(runs=3, jobs=2)"
    house = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, "-c", command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(house)},
        check=True,
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("times: 3", "time: 3", "own.yaml:9:48: pattern.own_team:Twice.who.pattern.own_team:Twice: unknown key 'time'; did you mean 'times'?"),
        ("who: a", "who: x", "there is no 'x' under agents"),
        ('"own_team:Twice":\n', '"own_team:Thrice":\n', "own.yaml:8:3: pattern.own_team:Thrice: 'own_team:Thrice' cannot be loaded"),
        ('"own_team:Twice":\n', '"own_team:NoPattern":\n', "'own_team:NoPattern' is no pattern"),
        ('"own_team:Twice":\n', '"elsewhere:Twice":\n', "'elsewhere:Twice' cannot be loaded"),
    ],
)  # fmt: skip
def test_wrong_pattern_of_ones_own_is_told_with_its_place(
    folder: Path, old: str, new: str, says: str
) -> None:
    file = folder / "own.yaml"
    assert old in FILE
    file.write_text(FILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ScenarioError) as raised:
        load_scenario(file)
    assert says in str(raised.value)


def test_next_file_knows_nothing_of_the_patterns_of_another(folder: Path) -> None:
    load_scenario(folder / "own.yaml")
    with pytest.raises(
        ScenarioError, match=r"unknown key 'zzz'; known are single, [a-z, _]*( and \d+ more)?$"
    ):
        Simulation.from_spec(scenario({"zzz": {}}))


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("raises", "a task of the pattern 'own_team:Faulty' failed with KeyError('oops')\n  Where: "),
        ("names", "a pattern asks for 'nobody', and there is no such member of the team; known are a, b"),
        ("returns", "the pattern 'own_team:Faulty' returns 'text', which is no message"),
    ],
)  # fmt: skip
def test_mistake_in_a_pattern_of_ones_own_is_told_as_such(
    folder: Path, how: str, says: str
) -> None:
    head = FILE.partition("pattern:")[0]
    folder.joinpath("own.yaml").write_text(
        f'{head}pattern: {{"own_team:Faulty": {{how: {how}}}}}\n', encoding="utf-8"
    )
    with pytest.raises(HarnessError) as raised:
        Simulation(folder / "own.yaml").run(1)
    assert str(raised.value).startswith(says)
    assert "  How to fix: " in str(raised.value)


WAYS = (
    FILE.partition("pattern:")[0]
    + """
bakeoff:
  single: {agent: a}
  twice: {"own_team:Twice": {who: a}}
  mesh: {max_rounds: 1, peers: [{pattern: {single: {agent: a}}}, {pattern: {single: {agent: b}}}]}
  deep: {pipeline: {stages: [b, {pattern: {"own_team:Twice": {who: a}}}]}}
"""
)


@pytest.mark.parametrize(
    ("way", "turns"),
    [
        ("twice", ["a 0-1", "a 1-2"]),
        ("mesh", ["single 0-1", "  a 0-1", "single-2 0-1", "  b 0-1"]),
        ("deep", ["b 0-1", "Twice 1-3", "  a 1-2", "  a 2-3"]),
    ],
)
def test_way_of_a_bakeoff_may_be_or_hold_a_pattern_of_ones_own_and_teams_without_a_name(
    folder: Path, way: str, turns: list[str]
) -> None:
    file = folder / "ways.yaml"
    file.write_text(WAYS, encoding="utf-8")
    run = Simulation(file, overrides=[f"pattern={way}", "workload.tasks=1"]).run(1)
    assert [line.removeprefix("  ") for line in levels(run)[1:]] == turns


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("who: a}}\n  mesh", "whom: a}}\n  mesh", "ways.yaml:10:30: bakeoff.twice.own_team:Twice: unknown key 'whom'; did you mean 'who'?"),
        ('twice: {"own_team:Twice"', 'twice: {"own_team:Twize"', "ways.yaml:10:11: bakeoff.twice.own_team:Twize: 'own_team:Twize' cannot be loaded"),
    ],
)  # fmt: skip
def test_wrong_way_of_a_bakeoff_is_told_with_its_place(folder: Path, old: str, new: str, says: str) -> None:  # fmt: skip
    file = folder / "ways.yaml"
    file.write_text(WAYS.replace(old, new), encoding="utf-8")
    with pytest.raises(ScenarioError) as raised:
        load_scenario(file)
    assert says in str(raised.value)


SHIPPED = ("blackboard", "bus", "consensus", "debate", "handoff", "hierarchical", "hybrid", "market", "mesh", "orchestrator_worker",
           "parallel", "pipeline", "refine", "router", "code_review_single")  # fmt: skip
"""A scenario of each pattern but `react`, which leads the turns of an agent call by call."""


def seats_of(value: Any, agents: set[str], path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:  # noqa: ANN401 - YAML
    """Where the name of an agent stands in a pattern."""
    if isinstance(value, dict):
        return [it for key, inner in value.items() for it in seats_of(inner, agents, (*path, key))]
    if isinstance(value, list):
        return [
            it for key, inner in enumerate(value) for it in seats_of(inner, agents, (*path, key))
        ]
    return [path] if isinstance(value, str) and value in agents and path[-1] != "name" else []


@pytest.mark.parametrize("name", SHIPPED)
def test_pattern_may_stand_wherever_the_name_of_an_agent_does(name: str) -> None:
    text = (Path("scenarios") / f"{name}.yaml").read_text(encoding="utf-8")
    stated = yaml.safe_load(text) | {"budgets": {}}
    stated["workload"] = {**stated["workload"], "tasks": 1}
    found = seats_of(stated["pattern"], set(stated["agents"]))
    assert found
    taken = 0
    for path in found:
        changed = copy.deepcopy(stated)
        part = changed["pattern"]
        for step in path[:-1]:
            part = part[step]
        inner = {"pattern": {"single": {"agent": part[path[-1]]}}, "name": "inner"}
        part[path[-1]] = inner
        run = Simulation.from_spec(changed, folder="scenarios").run(1)
        assert run.status == "done", path
        taken += "inner" in run.spans.values("name")
    assert taken, "no inner team has had a turn"
