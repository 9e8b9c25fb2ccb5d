"""Faults and patterns of one's own in scenario files, whether registered before or after the first file was read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from harness import HarnessError, ScenarioError, Simulation, register_fault, register_pattern
from harness.agents import Message
from harness.faults import FAULT_NAMES, FAULTS, Fault
from harness.faults.api import Fail
from harness.fields import AgentName
from harness.patterns import PATTERNS, Team
from harness.provider import Refusal
from harness.registration import changed
from harness.scenario.json_schema import json_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanished(Fault):
    """The provider is gone."""

    seconds: float = 1.0

    def verdict(self) -> Fail:
        return Fail(Refusal("connection_error"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """Both answer, and the first wins."""

    runners: tuple[AgentName, ...]

    async def run(self, task: Message, team: Team) -> Message:
        racing = [asyncio.create_task(team[name].handle(task)) for name in self.runners]
        done, others = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
        for other in others:
            other.cancel()
        return next(iter(done)).result()


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    kinds: list[dict[Any, Any]] = [FAULTS, FAULT_NAMES, PATTERNS]
    before = [dict(each) for each in kinds]
    yield
    for each, kept in zip(kinds, before, strict=True):
        each.clear()
        each.update(kept)
    changed()  # the checks of later files are built without them


def spec(**more: object) -> dict[str, Any]:
    return {
        "scenario": "own",
        "workload": {"tasks": 1},
        "providers": {"p": {}},
        "models": {"m": {"provider": "p", "name": "claude-haiku-4-5"}},
        "agents": {"a": {"model": "m"}, "b": {"model": "m"}},
        "pattern": {"single": {"agent": "a"}},
        **more,
    }


def test_a_fault_is_known_after_a_file_was_read_that_did_not_know_it() -> None:
    vanished = spec(faults=[{"vanished": {"agent": "a", "seconds": 2.0}}])
    with pytest.raises(ScenarioError):
        Simulation.from_spec(vanished)
    register_fault("vanished", Vanished)
    result = Simulation.from_spec(vanished).run()
    assert {row[0] for row in result.spans.rows("fault")} == {"", "vanished"}
    assert "vanished" in str(json_schema())


def test_its_fields_are_checked_like_those_of_any_fault() -> None:
    register_fault("vanished", Vanished)
    with pytest.raises(ScenarioError) as caught:
        Simulation.from_spec(spec(faults=[{"vanished": {"agent": "c", "secs": 2}}]))
    assert "agent" in str(caught.value)
    assert "secs" in str(caught.value)


def test_a_pattern_is_known_after_a_file_was_read_that_did_not_know_it() -> None:
    race = spec(pattern={"race": {"runners": ["a", "b"]}})
    with pytest.raises(ScenarioError):
        Simulation.from_spec(race)
    register_pattern("race", Race)
    spans = Simulation.from_spec(race).run().spans
    assert [row[1] for row in spans.rows("kind", "status") if row[0] == "task"] == ["ok"]


def test_a_simulation_that_was_read_before_goes_on() -> None:
    before = Simulation.from_spec(spec())
    first = before.run().tally
    register_pattern("race", Race)
    Simulation.from_spec(spec())
    assert before.run().tally == first


def test_a_class_whose_module_was_imported_anew_takes_the_place_of_the_old_one() -> None:
    register_fault("vanished", Vanished)
    register_fault("vanished", Vanished)
    again: Any = dataclass(frozen=True, slots=True, kw_only=True)(
        type("Vanished", (Fault,), {"verdict": Vanished.verdict, "__module__": __name__})
    )
    register_fault("vanished", again)
    fault = Simulation.from_spec(spec(faults=[{"vanished": {}}])).scenario.spec.faults[0]
    assert type(fault) is again


class NoRecord(Fault):
    def verdict(self) -> Fail:
        return Fail(Refusal("api_error"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("hang", Vanished),
        ("Not a name", Vanished),
        ("own", Fault),
        ("own", NoRecord),
        ("own", Race),
        ("own", int),
    ],
)
def test_what_is_no_fault_is_refused(name: str, kind: Any) -> None:  # noqa: ANN401 - also what is none
    with pytest.raises(HarnessError, match="register_fault"):
        register_fault(name, kind)
    assert FAULTS.get("own") is None


@pytest.mark.parametrize(("name", "kind"), [("single", Race), ("own", Vanished), ("own", "Race")])
def test_what_is_no_pattern_is_refused(name: str, kind: Any) -> None:  # noqa: ANN401 - also what is none
    with pytest.raises(HarnessError, match="register_pattern"):
        register_pattern(name, kind)
