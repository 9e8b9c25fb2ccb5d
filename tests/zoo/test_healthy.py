"""Healthy programs pass, whatever one or two calls do; otherwise a search that finds something in them could be right."""

# ruff: noqa: TID251 - what goes wrong is drawn outside of any run
from __future__ import annotations

import functools
import logging
import random
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from harness.metrics.stood_out import stood_out
from harness.sim import Sim
from tests.zoo.asking import CALL_ERRORS, Failed
from tests.zoo.healthy import NUMBER, Healthy, healthy
from tests.zoo.singles import FAULTS

BATCH = 50


@pytest.fixture(autouse=True, scope="module")
def quick_and_quiet() -> Iterator[None]:
    """All clients share a TLS context, which nobody uses; tasks whose error nobody asks for are not told."""
    logger = logging.getLogger("asyncio")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", functools.cache(ssl.create_default_context))
        yield
    logger.setLevel(level)


def ran(it: Healthy, faults: list[tuple[str, dict[str, Any]]], order: Any = "arrival") -> Any:  # noqa: ANN401
    """The output of a run, after its check."""
    sim = Sim(calls_per_task=500)
    it.describe(sim)
    for kind, fields in faults:
        sim.fault(kind, allow_unmet=True, **fields)
    try:
        run = sim.run(it.program, order=order, seed=1 + len(faults))
        output = run.output
        assert faults or stood_out(run.events_table) == []
    except CALL_ERRORS as error:
        if not it.raises or not faults:
            raise
        return Failed(type(error).__name__)
    it.check(output)
    return output


def drawn_faults(rng: random.Random) -> list[tuple[str, dict[str, Any]]]:
    """One or two things that go wrong."""
    agents = ("planner", "worker", "critic", "writer", "clerk")
    found: list[tuple[str, dict[str, Any]]] = []
    for _ in range(rng.randint(1, 2)):
        where = {"agent": rng.choice(agents), "call": rng.randint(1, 4)}
        if rng.random() < 0.5:
            found.append((rng.choice([*FAULTS, "stall"]), where))
        else:
            found.append(("takes", {"for_s": rng.choice([0.01, 3, 9, 17, 33, 65, 200]), **where}))
    return found


@pytest.mark.parametrize("first", range(0, NUMBER, BATCH))
def test_healthy_programs_pass_undisturbed(first: int) -> None:
    for seed in range(first, first + BATCH):
        assert not isinstance(ran(healthy(seed), []), Failed), healthy(seed).name


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, NUMBER, BATCH))
def test_healthy_programs_hold_or_fail_cleanly_whatever_one_or_two_calls_do(first: int) -> None:
    for seed in range(first, first + BATCH):
        it, rng = healthy(seed), random.Random(f"faults {seed}")
        for _ in range(4):
            ran(it, drawn_faults(rng), rng.choice(["arrival", "random"]))


def test_same_seed_is_the_same_program() -> None:
    assert healthy(7).name == healthy(7).name
    assert len({healthy(seed).name for seed in range(NUMBER)}) == NUMBER
