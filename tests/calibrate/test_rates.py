"""Error rates are fitted by model and agent, and come out as faults that make simulated calls fail as often."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.calibrate.calls import MeasuredCall
from harness.calibrate.model import calibrate
from harness.calibrate.profile import profile_text
from harness.calibrate.rates import error_shares, faults_of, without_fault
from harness.calibrate.sources import calls_of_file, calls_of_store
from harness.errors import HarnessError, ScenarioError
from harness.faults.connection import ConnectionFailure
from harness.faults.hang import Hang
from harness.faults.status import Overloaded, StatusError
from harness.run import Simulation
from harness.run.record import record
from harness.spans import Table
from harness.store import Store
from tests.calibrate.test_known_truth import streamed

SPEC: Mapping[str, Any] = {
    "scenario": "two",
    "workload": {"tasks": 400, "arrivals": {"every_s": 10}},
    "providers": {"here": {}},
    "models": {"m": {"provider": "here", "name": "m", "latency": {"ttft_s": 0.5, "itl_s": 0.01}, "prices": {"input_usd_per_mtok": 1, "output_usd_per_mtok": 5}}},
    "agents": {"ant": {"model": "m", "output_tokens": 50}, "bee": {"model": "m", "output_tokens": 50}},
    "pattern": {"pipeline": {"stages": ["ant", "bee"]}},
    "policies": {"default": {"retry": {"attempts": 20, "first_wait_s": 0.1}, "timeout_s": 5}},
}  # fmt: skip


def failed(spans: Table, agent: str) -> dict[str, float]:
    """The share of an agent's attempts that ended with each error."""
    ends = [
        error or status
        for kind, name, status, error in spans.rows("kind", "agent", "status", "error")
        if kind == "attempt" and name == agent
    ]
    return {kind: ends.count(kind) / len(ends) for kind in set(ends) - {"ok"}}


def with_faults(folder: Path, *faults: Mapping[str, Any]) -> Table:
    import json

    folder.joinpath("x.yaml").write_text(json.dumps({**SPEC, "faults": faults}))
    return Simulation(folder / "x.yaml").run(1).spans


def test_errors_of_a_table_come_out_as_faults_of_each_agent(tmp_path: Path) -> None:
    table = tmp_path / "calls.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["model", "agent", "output_tokens", "first_s", "total_s", "error"])
        for number in range(200):
            error = {0: "429", 1: "overloaded_error"}.get(number % 10, "")
            rows.writerow(
                ["m", "ant", 100, 0.5, 1.5 + number / 1e3, error]
                if not error
                else ["m", "ant", "", "", "", error]
            )
            rows.writerow(["m", "bee", 100, 0.5, 1.5 + number / 1e3, ""])  # fmt: skip
    found, refused = calibrate(calls_of_file(table))
    tmp_path.joinpath("profile.yaml").write_text(profile_text(found, refused))
    by_name = {one.name: one for one in found}
    assert by_name["m / bee"].errors == {}
    ant = by_name["m / ant"]
    assert {kind: share.value for kind, share in ant.errors.items()} == {
        "http_429": 0.1,
        "overloaded_error": 0.1,
    }
    assert ant.errors["http_429"].low < 0.1 < ant.errors["http_429"].high
    spans = with_faults(tmp_path, {"profile": "profile.yaml", "agent": "ant"})
    shares = failed(spans, "ant")
    for kind, measured in (
        ("rate_limit_error", "http_429"),
        ("overloaded_error", "overloaded_error"),
    ):
        assert ant.errors[measured].low < shares[kind] < ant.errors[measured].high
    assert failed(spans, "bee") == {}
    spans = with_faults(tmp_path, {"profile": "profile.yaml", "agent": "bee"})
    assert failed(spans, "ant") == {}


def test_errors_of_a_run_are_found_again_in_its_simulation(tmp_path: Path) -> None:
    truth = [
        {"status": {"agent": "bee", "status": 503, "probability": 0.15}},
        {"hang": {"agent": "bee", "probability": 0.1}},
    ]
    simulation = Simulation.from_spec({**SPEC, "faults": truth})
    store = Store(tmp_path / "runs.duckdb")
    store.write([record(simulation.scenario, simulation.run(7))])
    found, refused = calibrate(calls_of_store(store))
    bee = next(one for one in found if one.agent == "bee")
    assert bee.errors["api_error"].low < 0.15 < bee.errors["api_error"].high
    assert (
        bee.errors["timeout"].low < 0.085 < bee.errors["timeout"].high
    )  # of those that the first fault left
    tmp_path.joinpath("profile.yaml").write_text(profile_text(found, refused))
    shares = failed(
        with_faults(tmp_path, {"profile": "profile.yaml", "agent": "bee", "at": "m"}), "bee"
    )
    assert bee.errors["api_error"].low < shares["api_error"] < bee.errors["api_error"].high
    assert bee.errors["timeout"].low < shares["timeout"] < bee.errors["timeout"].high


def test_faults_fail_in_shares_although_the_first_decides() -> None:
    errors = error_shares([MeasuredCall(model="m", error=kind) for kind in ("429 ", "529")] * 0 + [
        MeasuredCall(model="m", error=kind) for kind in ["http_500"] * 50 + ["connection_error"] * 25 + [""] * 25
    ])  # fmt: skip
    first, second = faults_of(errors)
    assert first == {"connection_error": {"probability": 0.25}}
    assert second == {"status": {"status": 500, "probability": pytest.approx(0.5 / 0.75, rel=1e-5)}}


def test_kinds_that_no_fault_stands_for_are_noted() -> None:
    calls = streamed(60, 1) + [
        MeasuredCall(model="m", error=kind) for kind in ("http_418", "odd", "http_529")
    ]
    (one,), _ = calibrate(calls)
    assert without_fault(one.errors) == ["http_418", "odd"]
    assert "no fault stands for odd, so `faults` has none for it" in one.notes
    assert [list(it) for it in faults_of(one.errors)] == [["status"]]


def test_calls_that_mostly_fail_tell_their_error_rates_alone(tmp_path: Path) -> None:
    calls = streamed(20, 1) + [MeasuredCall(model="m", error="timeout")] * 20
    found, refused = calibrate(calls)
    assert found == []
    assert "only its error rates are written" in str(refused[0])
    tmp_path.joinpath("profile.yaml").write_text(profile_text(found, refused))
    assert failed(with_faults(tmp_path, {"profile": "profile.yaml"}), "ant")[
        "timeout"
    ] == pytest.approx(0.5, abs=0.05)
    with pytest.raises(ScenarioError, match=r"profile\.yaml: latency"):
        Simulation(tmp_path / "x.yaml", overrides=["models.m.latency={profile: profile.yaml}"])
    with pytest.raises(HarnessError, match="nothing can be fitted"):
        calibrate(calls[:10] + calls[-10:])


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("http_503", StatusError(status=503, probability=0.5)),
        ("rate_limit_exceeded", StatusError(status=429, probability=0.5)),
        ("overloaded_error", Overloaded(probability=0.5)),
        ("connection_error", ConnectionFailure(probability=0.5)),
        ("timeout", Hang(probability=0.5)),
    ],
)
def test_each_kind_has_its_fault_in_a_scenario(tmp_path: Path, kind: str, fault: object) -> None:
    import dataclasses

    found, refused = calibrate(streamed(40, 1) + [MeasuredCall(model="m", error=kind)] * 40)
    tmp_path.joinpath("p.yaml").write_text(profile_text(found, refused))
    simulation = Simulation.from_spec({**SPEC, "faults": [{"profile": str(tmp_path / "p.yaml")}]})
    (made,) = simulation.scenario.spec.faults
    assert made == dataclasses.replace(fault, allow_unmet=True)  # type: ignore[type-var] # one of the records above


def test_file_without_the_agent_is_refused_with_those_it_has(tmp_path: Path) -> None:
    found, refused = calibrate(streamed(40, 1, agent="ant"))
    tmp_path.joinpath("profile.yaml").write_text(profile_text(found, refused))
    with pytest.raises(ScenarioError, match="no agent 'bee'"):
        with_faults(tmp_path, {"profile": "profile.yaml", "agent": "bee"})
