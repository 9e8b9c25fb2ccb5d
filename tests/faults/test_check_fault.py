"""`check_fault` accepts every fault of ours, and names what is wrong with others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from harness import register_fault
from harness.faults import FAULT_NAMES, FAULTS, InjectedFault
from harness.faults.api import Fault, Mishap, Slow, ToolFault, Verdict
from harness.registration import changed
from harness.testing import FaultCheckError, check_fault
from tests.faults.page import FIELDS

OF_THE_CHECK: dict[str, Any] = {
    "goes_to": "third",
    "groups": (("first",), ("second",)),
    "to": None,
    "tool": "refund",
}
NOT_IN_THE_CHECK = {"duplicate_tool_ids", "sycophantic_critic"}
"""Ids of tool calls are not there without bytes, and the team of the check has no critic."""

OURS = [name for name, kind in FAULTS.items() if kind.__module__.startswith("harness.")]


@pytest.mark.parametrize("name", [name for name in OURS if name not in NOT_IN_THE_CHECK])
def test_every_fault_of_ours_passes(name: str) -> None:
    stated = FIELDS.get(name, {})
    fields = {key: OF_THE_CHECK.get(key, value) for key, value in stated.items()}
    if name == "misrouting":
        fields["to"] = "third"
    if name == "ends_at":
        fields["at_s"] = 2000.0
    check_fault(FAULTS[name](**fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmless(Fault):
    """It meets attempts, and nothing happens."""

    def verdict(self) -> Verdict:
        return Slow(1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moody(ToolFault):
    """It is another one each time."""

    def mishap(self) -> Mishap:
        _moods.append(len(_moods))
        return Mishap(wait_s=float(len(_moods)))


_moods: list[int] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Everywhere(Fault):
    """It meets attempts of others too."""

    def selects(self, *_: object) -> bool:
        return True

    def verdict(self) -> Verdict:
        return Slow(2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unnamed(Fault):
    """It was not registered."""

    def verdict(self) -> Verdict:
        return Slow(2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere(ToolFault):
    """It meets no tool of the check."""

    tool: str | None = "transfer"

    def mishap(self) -> Mishap:
        return Mishap(effects=2)


@pytest.fixture
def _registered() -> Iterator[None]:
    """The kinds above are known for one test."""
    kinds: list[dict[Any, Any]] = [FAULTS, FAULT_NAMES]
    before = [dict(each) for each in kinds]
    for kind in (Harmless, Moody, Everywhere, Elsewhere):
        register_fault(kind.__name__.lower(), kind)
    yield
    for each, kept in zip(kinds, before, strict=True):
        each.clear()
        each.update(kept)
    changed()


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize(
    ("fault", "what"),
    [
        (Harmless(), "it changes nothing where it meets something"),
        (Moody(), "two runs of one seed differ"),
        (Everywhere(), "it changes a task that it does not meet"),
        (Unnamed(), "it has no name"),
        (Elsewhere(), "it meets nothing in the scenario of the check"),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, InjectedFault) else "",
)
def test_what_is_wrong_with_a_fault_is_named(fault: InjectedFault, what: str) -> None:
    with pytest.raises(FaultCheckError) as caught:
        check_fault(fault)
    assert what in str(caught.value)
    assert "How to fix" in str(caught.value)
