"""`harness calibrate`, and the scenario that takes its profile."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.run import simulate
from harness.scenario import load_scenario


def run(*arguments: str) -> int:
    from harness.cli.app import run

    return run(arguments)


def table(name: str, count: int, scale: float = 1.0) -> None:
    rows = [
        f"{50 + at},{scale * (0.2 + at % 7 / 50):.3f},{scale * (1 + (50 + at) * (0.01 + at % 5 / 1000)):.3f}"
        for at in range(count)
    ]
    Path(name).write_text("output_tokens,first_s,total_s\n" + "\n".join(rows) + "\n")


def scenario(latency: str) -> None:
    spec = yaml.safe_load(Path("scenario.yaml").read_text())
    model = next(iter(spec["models"].values()))
    model["latency"] = yaml.safe_load(latency)
    Path("scenario.yaml").write_text(yaml.safe_dump(spec))


def test_a_scenario_takes_the_profile(capsys: pytest.CaptureFixture[str]) -> None:
    table("fast.csv", 40)
    assert run("calibrate", "fast.csv", "-o", "fast.yaml", "--plot", "fast.png") == 0
    assert "latency: {profile: fast.yaml}" in capsys.readouterr().out
    assert Path("fast.png").read_bytes().startswith(b"\x89PNG")
    scenario("{profile: fast.yaml}")
    before = load_scenario("scenario.yaml")
    assert any(latency.rows for latency in before.latencies.values())
    simulate(before, 1)
    table("fast.csv", 40, scale=2.0)
    assert run("calibrate", "fast.csv", "-o", "fast.yaml") == 0
    assert load_scenario("scenario.yaml").digest != before.digest


def test_sizes_and_durations_of_one_profile_belong_together() -> None:
    table("fast.csv", 40)
    assert run("calibrate", "fast.csv", "-o", "fast.yaml") == 0
    scenario("{profile: fast.yaml}")
    spec = yaml.safe_load(Path("scenario.yaml").read_text())
    spec["agents"]["writer"]["output_tokens"] = {"profile": "fast.yaml"}
    spec["workload"]["tasks"] = 60
    Path("scenario.yaml").write_text(yaml.safe_dump(spec))
    loaded = load_scenario("scenario.yaml")
    spans = simulate(loaded, 1).spans
    found = [
        (size, end_s - first_s)
        for kind, agent, status, size, first_s, end_s in spans.rows(
            "kind", "agent", "status", "output_tokens", "first_token_s", "end_s"
        )
        if (kind, agent, status) == ("attempt", "writer", "ok")
    ]
    sizes = {size for size, _ in found}
    assert min(sizes) >= 50
    assert len(sizes) > 20
    short, long = (
        [took_s for size, took_s in found if low <= size < high]
        for low, high in ((0, 62), (78, 999))
    )
    assert sum(short) / len(short) < sum(long) / len(long)


@pytest.mark.parametrize(
    ("latency", "said"),
    [
        ("{profile: none.yaml}", "there is no file"),
        ("{profile: scenario.yaml}", "this is no profile of `harness calibrate`"),
        ("{profile: two.yaml}", "has the models a, b: say which as `model`"),
        ("{profile: two.yaml, model: c}", "no model 'c'"),
        ("{profile: two.yaml, model: a, agent: x}", "no agent 'x'"),
        ("{profile: bad.yaml}", "latency.ttft_s"),
        ("{itl_s: 0.1}", "give either ttft_s or rows"),
        ("{rows: []}", "must hold at least 1"),
        ("{rows: [[1, 2, 3]], ttft_s: 1}", "rows stand in place of ttft_s"),
        ("{profile: two.yaml, modle: a}", "unknown key 'modle'"),
    ],
)
def test_a_profile_that_does_not_fit_is_one_clear_error(
    latency: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    table("a.csv", 40)
    table("b.csv", 40)
    assert run("calibrate", "a.csv", "b.csv", "-o", "two.yaml") == 0
    Path("bad.yaml").write_text("version: 1\nmodels: {m: {latency: {ttft_s: -1}}}\n")
    scenario(latency)
    capsys.readouterr()
    assert run("validate", "scenario.yaml") == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_too_few_calls_are_refused_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table("few.csv", 12)
    assert run("calibrate", "few.csv") == 2
    assert "few: 12 of 12 calls have a size and a duration, and 30 are needed" in capsys.readouterr().err  # fmt: skip
    assert not Path("profile.yaml").exists()


def test_nothing_to_fit_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("calibrate") == 2
    assert "there is nothing to fit" in capsys.readouterr().err


def test_attempts_of_simulated_runs_are_fitted() -> None:
    assert run("simulate", "scenario.yaml", "--set", "workload.tasks=40", "--format", "json") in (0, 1)  # fmt: skip
    assert run("calibrate", "--store", "harness.duckdb") == 0
    assert yaml.safe_load(Path("profile.yaml").read_text())["models"]
