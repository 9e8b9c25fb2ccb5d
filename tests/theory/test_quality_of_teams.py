"""Quality of teams against closed forms: chains, critics, votes, independent and correlated."""

from __future__ import annotations

from math import comb, sqrt
from pathlib import Path
from typing import Any

import pytest

from harness.metrics import summarise
from harness.run import Simulation

TASKS = 800
P = 0.9
DEVIATIONS = 4.0
"""How far a share may be from its expectation [standard deviations]."""


def metrics(
    agents: dict[str, Any], pattern: dict[str, Any], tasks: int = TASKS
) -> dict[str, float]:
    models = {
        name: {"provider": "anthropic", "name": "claude-haiku-4-5"} for name in ("one", "two")
    }
    spec = {
        "scenario": "quality",
        "workload": {"tasks": tasks},
        "providers": {"anthropic": {}},
        "models": models,
        "agents": {name: {"model": "one", **part} for name, part in agents.items()},
        "pattern": pattern,
    }  # fmt: skip
    return summarise([Simulation.from_spec(spec).run(1).tally])[0]


def near(share: float, tasks: int = TASKS) -> Any:  # noqa: ANN401 - pytest's own
    return pytest.approx(share, abs=DEVIATIONS * sqrt(share * (1 - share) / tasks))


@pytest.mark.parametrize("k", [1, 4])
def test_chain_of_k_agents_has_quality_p_to_the_k(k: int) -> None:
    stages = [f"stage{number}" for number in range(k)]
    found = metrics({name: {"accuracy": P} for name in stages}, {"pipeline": {"stages": stages}})
    assert found["quality_mean"] == near(P**k)
    assert found["contaminated_rate"] == pytest.approx(1 - found["quality_mean"])


@pytest.mark.parametrize("catches", [0.0, 0.6])
def test_critic_that_catches_c_lets_through_a_share_of_the_errors(catches: float) -> None:
    found = metrics(
        {"writer": {"accuracy": 0.7}, "critic": {"catches": catches}},
        {"pipeline": {"stages": ["writer", "critic"]}},
    )
    assert found["quality_mean"] == near(1 - 0.3 * (1 - catches))


def condorcet(n: int, p: float) -> float:
    """Probability that most of n independent voters are right, with p each; n is odd."""
    return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n // 2 + 1, n + 1))


def voters(n: int, p: float, **more: object) -> dict[str, Any]:
    voter = {"accuracy": p, "wrong_reply": "seven", **more}
    return {f"voter{number}": voter for number in range(n)}


@pytest.mark.parametrize("p", [0.4, 0.7])
def test_majority_of_independent_voters_is_right_as_condorcet_says(p: float, stub: str) -> None:
    agents = voters(5, p, stub=stub)
    found = metrics(agents, {"parallel": {"members": list(agents), "aggregate": {"majority": {}}}})
    assert found["quality_mean"] == near(condorcet(5, p))


@pytest.mark.parametrize("correlation", [0.4, 1.0])
def test_voters_of_one_model_err_together(correlation: float, stub: str) -> None:
    agents = voters(5, 0.7, stub=stub, correlation=correlation)
    found = metrics(agents, {"parallel": {"members": list(agents), "aggregate": {"majority": {}}}})
    expected = correlation * 0.7 + (1 - correlation) * condorcet(5, 0.7)
    assert found["quality_mean"] == near(expected)


@pytest.fixture
def stub(tmp_path: Path) -> str:
    file = tmp_path / "stub.yaml"
    says = "".join(f"  voter{number}: {{reply: six}}\n" for number in range(5))
    file.write_text(f"agents:\n{says}", encoding="utf-8")
    return str(file)


def test_agent_that_sways_decides_as_the_majority_of_what_it_reads(stub: str) -> None:
    agents = {**voters(5, 0.7, stub=stub), "judge": {"sways": 1.0, "accuracy": 0.5}}
    pattern = {"parallel": {"members": list(agents)[:-1], "aggregate": {"merge": {"by": "judge"}}}}
    assert metrics(agents, pattern)["quality_mean"] == near(condorcet(5, 0.7))


@pytest.mark.parametrize("catches", [0.7])
def test_writer_rewrites_until_the_critic_finds_nothing(catches: float) -> None:
    p = 0.7
    agents = {
        "writer": {"accuracy": p},
        "critic": {"catches": catches, "stub": "STUB", "objection": "the date is wrong"},
    }
    found = refined(agents)
    wrong = (1 - p) * (1 - catches) / (1 - (1 - p) * catches)
    assert found["quality_mean"] == near(1 - wrong)


def refined(agents: dict[str, Any]) -> dict[str, float]:
    agents["critic"]["stub"] = str(Path(__file__).with_name("accepts.yaml"))
    return metrics(
        agents, {"refine": {"generator": "writer", "critic": "critic", "max_drafts": 40}}
    )
