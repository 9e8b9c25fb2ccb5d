"""Which tests are simulated, and what their markers say: seeds, bounds, budgets."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from harness.pytest_plugin.stash import GATE

FIXTURE = "sim"

_FIXTURE_MODULE = "harness.pytest_plugin.running"
"""Where the fixture is defined."""

_OF_MARKER = frozenset(
    {"seed", "runs", "scenario", "horizon_s", "calls_per_task", "repeats_per_task", "order", "allow_unmatched", "keep_texts", "cassette"}
)  # fmt: skip
"""What the marker `sim` takes."""

_GATE_MARKER = "sim_gate"

_EXPLORE_MARKER = "sim_explore"

BUDGETS = {"latency_budget": "below_s", "cost_budget": "below_usd"}
"""Markers of what every run of a test must keep, and what each takes."""


def is_simulated(node: pytest.Item) -> bool:
    """Whether `sim` is among the fixtures of a test, and is ours: a project may have one of its own that is called so."""
    info = getattr(node, "_fixtureinfo", None)
    definitions = getattr(info, "name2fixturedefs", {}).get(FIXTURE, ())
    for definition in reversed(
        definitions
    ):  # the nearest first; it may ask for the one that it overrides
        if getattr(definition.func, "__module__", "") == _FIXTURE_MODULE:
            return True
        if FIXTURE not in definition.argnames:
            return False
    return False


def marked(node: pytest.Item) -> dict[str, Any]:
    """What the markers of a test say, the nearest first."""
    said: dict[str, Any] = {}
    for marker in node.iter_markers(FIXTURE):
        if marker.args or not set(marker.kwargs) <= _OF_MARKER:
            raise pytest.UsageError(
                f"{node.nodeid}: the marker `sim` takes seed=, runs=, scenario=, horizon_s=, calls_per_task=, repeats_per_task=, order=, "
                f"allow_unmatched=, keep_texts= and cassette=, not {marker.args or marker.kwargs}"
            )
        said = {**marker.kwargs, **said}
    return said


def check_marks(node: pytest.Item) -> None:
    """Complain about markers that are written wrongly, before anything runs."""
    for marker in BUDGETS:
        budget(node, marker)
    gate = node.config.stash.get(GATE, None)
    if gate is not None:
        gate.limits_of(node)


def check_marks_of_other(node: pytest.Item) -> None:
    """Complain about a test that is marked itself and cannot keep it; a marked module may hold tests of all kinds."""
    declared = [
        re.split(r"[(:]", line, maxsplit=1)[0].strip() for line in node.config.getini("markers")
    ]
    for marker in node.own_markers:
        # Declared twice, it is also a marker of another plugin.
        if marker.name in (_GATE_MARKER, *BUDGETS) and declared.count(marker.name) == 1:
            raise pytest.UsageError(
                f"{node.nodeid}: the marker `{marker.name}` is for tests that use `{FIXTURE}`"
            )


def budget(node: pytest.Item, name: str) -> float | None:
    """The limit that a marker of BUDGETS states for a test; None if the test has no such marker."""
    marker = node.get_closest_marker(name)
    if marker is None:
        return None
    word = BUDGETS[name]
    values = [*marker.args, *marker.kwargs.values()]
    if len(values) != 1 or not set(marker.kwargs) <= {word}:
        raise pytest.UsageError(
            f"{node.nodeid}: the marker `{name}` takes {word}=, not {marker.args or marker.kwargs}"
        )
    limit = values[0]
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not limit > 0:
        raise pytest.UsageError(f"{node.nodeid}: {word} is a number above 0, not {limit!r}")
    return limit


def bounds_of(request: pytest.FixtureRequest) -> dict[str, Any]:
    """How far the runs of a test may go, where the marker or the project says so."""
    said = marked(request.node)
    bounds: dict[str, Any] = {"order": said["order"]} if "order" in said else {}
    for name, number in (
        ("horizon_s", float),
        ("calls_per_task", int),
        ("repeats_per_task", int),
    ):
        stated = request.config.getini(f"sim_{name}")
        if name in said:
            bounds[name] = said[name]
        elif stated:
            try:
                bounds[name] = number(stated)
            except ValueError:
                raise pytest.UsageError(f"sim_{name}: a number is wanted, not {stated!r}") from None
    return bounds


def seeds_of(config: pytest.Config, node: Any) -> range:  # noqa: ANN401 - an item, or the definition of one
    """The seeds of a simulated test: of the command line, of its marker, or 1."""
    said = marked(node)
    first = config.getoption("--sim-seed")
    runs = config.getoption("--sim-runs")
    if first is None:
        first = said.get("seed", 1)
    elif runs is None:
        runs = 1  # one seed that is asked for by number is run alone
    if runs is None:
        runs = said.get("runs", 1)
    if not (isinstance(runs, int) and isinstance(first, int) and runs >= 1 and first >= 0):
        raise pytest.UsageError(
            f"{node.nodeid}: seeds are whole numbers from 0, and there is at least one run"
        )
    return range(first, first + runs)


def explore_budget_of(request: pytest.FixtureRequest) -> dict[str, float]:
    """What the marker `sim_explore` and the command line say of the budget of `sim.explore`."""
    budget: dict[str, float] = {}
    marker = request.node.get_closest_marker(_EXPLORE_MARKER)
    if marker is not None:
        if marker.args or not set(marker.kwargs) <= {"runs", "wall_s"}:
            raise pytest.UsageError(
                f"{request.node.nodeid}: the marker `{_EXPLORE_MARKER}` takes runs= and wall_s=, not {marker.args or marker.kwargs}"
            )
        budget = dict(marker.kwargs)
    stated = request.config.getoption("--sim-explore-budget")
    if stated is not None:
        found = re.fullmatch(r"([1-9]\d*)|(\d+(?:\.\d+)?)s", stated)
        if found is None:
            raise pytest.UsageError(
                f"--sim-explore-budget: a number of runs, or of seconds such as 30s, is wanted, not {stated!r}"
            )
        budget |= {"runs": int(found[1])} if found[1] else {"wall_s": float(found[2])}
    return budget


def only_seed(request: pytest.FixtureRequest) -> int:
    """The seed of a test that was not multiplied when it was collected."""
    seeds = seeds_of(request.config, request.node)
    if len(seeds) > 1:
        raise pytest.UsageError(
            f"{request.node.nodeid}: {len(seeds)} seeds are requested, but the test gets `{FIXTURE}` by "
            f'getfixturevalue, which pytest cannot know beforehand\n  How to fix: @pytest.mark.usefixtures("{FIXTURE}")'
        )
    return seeds[0]


def plain_name(node: pytest.Item, seed: int) -> str:
    """The name of a test without its seed."""
    return (
        node.nodeid.replace(f"[seed={seed}]", "")
        .replace(f"[seed={seed}-", "[")
        .replace(f"-seed={seed}]", "]")
        .replace(f"-seed={seed}-", "-")
    )


def command_of(node: pytest.Item, seed: int) -> str:
    """The command line that runs a test again with one seed."""
    return f"pytest {shlex.quote(plain_name(node, seed))} --sim-seed {seed}"
