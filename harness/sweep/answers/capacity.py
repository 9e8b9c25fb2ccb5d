"""The largest, or smallest, value of a key at which conditions hold, by bisection.

The answer is an interval: at its one end the conditions hold, at the other they do not, both by intervals of 99.95 %. It is
made smaller until it is small enough, or until a value between its ends cannot be told apart from the bound with the most
seeds. All values have the same seeds, so that they differ by the key and not by luck.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from harness.errors import HarnessError, ScenarioError
from harness.scenario import LoadedScenario
from harness.scenario.yaml_file import read_yaml
from harness.sweep.answers.conditions import Condition, Holds
from harness.sweep.answers.decide import FIRST_SEEDS, SEEDS_MAX, decide
from harness.sweep.axes import Axis, written
from harness.sweep.budget import NO_BOUND, Budget
from harness.sweep.driver import Sweeping
from harness.sweep.plan import check_changes, scenario_at
from harness.sweep.points import Point
from harness.sweep.results import PointResult

PRECISION: Final = 0.02
"""The share of its upper end that the interval has, if nothing is said."""

_DOUBLINGS_MAX: Final = 20
"""So often a first value is doubled or halved in search of the other end."""

_STEPS_FROM_UNCLEAR: Final = 5
"""So often on each side when the first value is unclear."""

Direction = Literal["max", "min"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One value that was tried."""

    value: float
    holds: Holds
    result: PointResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """The answer."""

    key: str
    direction: Direction
    conditions: tuple[Condition, ...]
    good: float | None
    """The best value at which the conditions were shown to hold; None if there is none."""
    bad: float | None
    """The nearest value at which they were shown not to hold; None if none was found."""
    tried: tuple[Tried, ...]
    """In ascending order of the values."""
    why: str
    """Why the search ended."""
    runs: int
    """How many it made."""


@dataclass(slots=True, kw_only=True)
class _Search:
    sweeping: Sweeping
    file: Path
    overrides: tuple[str, ...]
    key: str
    is_whole: bool
    conditions: tuple[Condition, ...]
    first_seed: int
    seeds: int
    seeds_max: int
    budget: Budget
    made: int = 0
    """How many runs were made."""
    tried: dict[str, Tried] = field(default_factory=dict)
    spent: str = ""

    def at(self, value: float) -> Holds:
        """Whether the conditions hold at a value."""
        text = written(value, is_whole=self.is_whole)
        if text not in self.tried:
            point = Point(number=len(self.tried) + 1, values=((self.key, text),))
            scenario: LoadedScenario = scenario_at(self.file, point, self.overrides)
            before = self.sweeping.made
            found = decide(
                self.sweeping,
                [(point, scenario)],
                self.conditions,
                first_seed=self.first_seed,
                seeds=self.seeds,
                seeds_max=self.seeds_max,
                budget=self.budget,
                made=lambda: self.made,
            )
            self.made += self.sweeping.made - before
            self.spent = found.spent or self.budget.spent(self.made, self.sweeping.cpu_s)
            self.tried[text] = Tried(
                value=float(text), holds=found.holds[0], result=found.results[0]
            )
        return self.tried[text].holds


def find_capacity(
    sweeping: Sweeping,
    file: str | Path,
    key: str,
    conditions: tuple[Condition, ...],
    *,
    direction: Direction = "max",
    between: Axis | None = None,
    precision: float = PRECISION,
    overrides: tuple[str, ...] = (),
    first_seed: int = 1,
    seeds: int = FIRST_SEEDS,
    seeds_max: int = SEEDS_MAX,
    budget: Budget = NO_BOUND,
) -> Capacity:
    """Find the largest or smallest value of a key at which conditions hold.

    Args:
        sweeping: Where runs come from.
        file: The scenario.
        key: Where the value stands in it.
        conditions: What must hold. They are taken to hold on one side of the answer and not on the other.
        direction: Whether the largest or the smallest value is looked for.
        between: The range to look in; None to begin at the file's own value and double or halve it.
        precision: The interval is small enough when it is this share of its upper end.
        overrides: Changes to the scenario, each as `path=value`.
        first_seed: The first seed.
        seeds: How many each value has at first.
        seeds_max: How many a value has at most.
        budget: What may be spent.

    Raises:
        HarnessError: The file has no number at the key, or the key changes no run.
    """
    file = Path(file)
    low, high, is_whole = _ends(file, key, between, overrides)
    ends = [written(end, is_whole=is_whole) for end in (low, low * 2 if high is None else high)]
    check_changes(file, Point(number=1, values=((key, ends[0]),)), key, ends, overrides)
    search = _Search(
        sweeping=sweeping, file=file, overrides=overrides, key=key, is_whole=is_whole, conditions=conditions,
        first_seed=first_seed, seeds=seeds, seeds_max=seeds_max, budget=budget,
    )  # fmt: skip
    good, bad, why = _bracket(search, low, high, direction, precision)
    if good is not None and bad is not None:
        good, bad, why = _bisect(search, good, bad, precision)
    return Capacity(
        key=key,
        direction=direction,
        conditions=conditions,
        good=good,
        bad=bad,
        tried=tuple(sorted(search.tried.values(), key=lambda it: it.value)),
        why=why,
        runs=search.made,
    )


def _ends(
    file: Path, key: str, between: Axis | None, overrides: tuple[str, ...]
) -> tuple[float, float | None, bool]:
    """Where to begin, the other end if it is given, and whether values are whole."""
    if between is not None:
        return (
            between.low,
            between.high,
            between.is_whole and not _takes(file, key, between.low + 0.5, overrides),
        )
    value = _value_in_file(file, key, overrides)
    is_whole = isinstance(value, int) and not _takes(file, key, value + 0.5, overrides)
    return float(value), None, is_whole


def _takes(file: Path, key: str, value: float, overrides: tuple[str, ...]) -> bool:
    """Whether the scenario takes a value there."""
    try:
        scenario_at(file, Point(number=1, values=((key, repr(value)),)), overrides)
    except ScenarioError:
        return False
    return True


def _value_in_file(file: Path, key: str, overrides: tuple[str, ...]) -> int | float:
    scenario_at(file, Point(number=0, values=()), overrides)  # says what is wrong with the file
    for override in reversed(overrides):
        path, _, text = override.partition("=")
        if path == key:
            return _number(text, key, file)
    found: object = read_yaml(file, str(file)).data
    for part in key.replace("[", ".").replace("]", "").split("."):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            found = None
    return _number(found, key, file)


def _number(found: object, key: str, file: Path) -> int | float:
    if isinstance(found, str):
        try:
            found = float(found) if "." in found or "e" in found.lower() else int(found)
        except ValueError:
            found = None
    if isinstance(found, bool) or not isinstance(found, int | float) or found <= 0:
        raise HarnessError(
            f"--find {key}: {file} has no number above 0 there to begin with\n"
            f"  How to fix: check the key, or say where to look with --between LOW..HIGH"
        )
    return found


def _bracket(
    search: _Search, low: float, high: float | None, direction: Direction, precision: float
) -> tuple[float | None, float | None, str]:
    """A value where the conditions hold, and one where they do not."""
    if high is not None:
        inner, outer = (low, high) if direction == "max" else (high, low)
        if search.at(inner) != "yes":
            return None, inner if search.at(inner) == "no" else None, _end_text(search, inner)
        match search.at(outer):
            case "no":
                return inner, outer, ""
            case "yes":
                return outer, None, _end_text(search, outer)
            case _:
                why = _end_text(search, outer)
                return _closer(search, inner, outer, "yes", precision), None, why
    return _stride(search, low, direction)


def _stride(
    search: _Search, start: float, direction: Direction
) -> tuple[float | None, float | None, str]:
    """Double or halve the first value until both ends are known."""
    good: float | None = None
    bad: float | None = None
    value = start
    for _ in range(_DOUBLINGS_MAX):
        match search.at(value):
            case "yes":
                good = value
            case "no":
                bad = value
            case "not measured":
                return good, bad, _end_text(search, value)
            case "unclear":
                if good is None and bad is None:
                    return _around(search, value, direction)
        if (good is not None and bad is not None) or search.spent:
            return good, bad, search.spent
        grows = (good is not None) == (direction == "max")
        following = _next(value, grows=grows, is_whole=search.is_whole)
        if following == value:
            return good, bad, f"{value:g} is the smallest value"
        value = following
    return good, bad, f"still so at {value:g}, {_DOUBLINGS_MAX} times doubled or halved"


def _around(
    search: _Search, value: float, direction: Direction
) -> tuple[float | None, float | None, str]:
    """Both ends around a first value that is unclear."""
    good = _beside(search, value, "yes", grows=direction == "min")
    bad = _beside(search, value, "no", grows=direction == "max")
    return good, bad, search.spent or f"{value:g} cannot be told apart from the bound"


def _beside(search: _Search, value: float, answer: Holds, *, grows: bool) -> float | None:
    """The nearest value with an answer, on one side of values that are unclear; None if there is another answer before."""
    for _ in range(_STEPS_FROM_UNCLEAR):
        following = _next(value, grows=grows, is_whole=search.is_whole)
        if following == value or search.spent:
            break
        value, found = following, search.at(following)
        if found != "unclear":
            return value if found == answer else None
    return None


def _next(value: float, *, grows: bool, is_whole: bool) -> float:
    following = value * 2 if grows else value / 2
    return max(1.0, math.floor(following)) if is_whole else following


def _end_text(search: _Search, value: float) -> str:
    if search.spent:
        return search.spent
    match search.at(value):
        case "not measured":
            return f"at {value:g} the metric was not measured"
        case "unclear":
            return f"at {value:g} it is unclear with {search.seeds_max} seeds"
        case "yes":
            return f"it holds up to the end of the range, {value:g}"
        case _:
            return f"it does not hold at the end of the range, {value:g}"


def _bisect(search: _Search, good: float, bad: float, precision: float) -> tuple[float, float, str]:
    """Make the interval smaller, and look on both sides of a value that is unclear."""
    is_near: Callable[[], bool] = lambda: (  # noqa: E731 - asked in two loops, of what they change
        abs(bad - good) <= (1 if search.is_whole else precision * max(good, bad))
    )
    while not is_near():
        middle = _middle(good, bad, is_whole=search.is_whole)
        match search.at(middle):
            case "yes":
                good = middle
            case "no":
                bad = middle
            case _:
                return _sides(search, good, middle, bad, precision)
        if search.spent:
            return good, bad, search.spent
    return good, bad, "the interval is small enough"


def _sides(
    search: _Search, good: float, unclear: float, bad: float, precision: float
) -> tuple[float, float, str]:
    """Bring both ends near to a value that cannot be told apart from the bound."""
    good = _closer(search, good, unclear, "yes", precision)
    bad = _closer(search, bad, unclear, "no", precision)
    why = f"values between cannot be told apart from the bound with {search.seeds_max} seeds"
    return good, bad, search.spent or why


def _closer(search: _Search, end: float, unclear: float, answer: Holds, precision: float) -> float:
    """The last value with the answer of an end, on the way from there to a value without it."""
    while not search.spent:
        width = 1 if search.is_whole else precision * max(end, unclear) / 2
        if abs(end - unclear) <= width:
            break
        middle = _middle(end, unclear, is_whole=search.is_whole)
        if search.at(middle) == answer:
            end = middle
        else:
            unclear = middle
    return end


def _middle(one: float, other: float, *, is_whole: bool) -> float:
    middle = (one + other) / 2
    return float(math.floor(middle)) if is_whole else middle
