"""Distributions of durations, sizes and gaps.

Each is a frozen record of its parameters with `mean` and `sample`. All but the gamma turn one keyed uniform value
into one sample by the inverse of the distribution function, so that a changed parameter moves a sample and does not
replace it. Times in samples are seconds, sizes are tokens; a distribution does not know which.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cached_property
from math import exp
from pathlib import Path
from statistics import NormalDist, fmean
from typing import Annotated, Protocol

from annotated_types import Ge, Gt, Lt, MinLen

from harness.chance.draws import Draws
from harness.errors import ScenarioError
from harness.fields import ScenarioFile, Tagged

_STANDARD_NORMAL = NormalDist()
_inverse_normal = _STANDARD_NORMAL.inv_cdf


class Distribution(Protocol):
    """A distribution of durations or sizes."""

    @property
    def mean(self) -> float:
        """The expected value of a sample."""

    def sample(self, draws: Draws, *key: object) -> float:
        """The sample for a key."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant value. A bare number means this."""

    value: Annotated[float, Ge(0)]
    """The value."""

    @property
    def mean(self) -> float:
        """The value itself."""
        return self.value

    def sample(self, draws: Draws, *key: object) -> float:
        """The value itself; nothing is drawn."""
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Uniform:
    """Evenly spread between two values; mean (low + high) / 2."""

    low: Annotated[float, Ge(0)] = 0.0
    """The smallest value."""
    high: Annotated[float, Ge(0)]
    """The largest value."""

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise ValueError(f"high ({self.high:g}) is below low ({self.low:g})")

    @property
    def mean(self) -> float:
        """The middle."""
        return (self.low + self.high) / 2

    def sample(self, draws: Draws, *key: object) -> float:
        """A value between low and high."""
        return self.low + (self.high - self.low) * draws.uniform(*key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exponential:
    """Memoryless, as the gaps between independent arrivals are; mean as given."""

    mean: Annotated[float, Gt(0)]
    """The mean."""

    def sample(self, draws: Draws, *key: object) -> float:
        """A value above 0."""
        return -self.mean * math.log(draws.uniform(*key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Normal:
    """A normal distribution cut off at 0: values below 0 cannot come, and the rest keep their shape."""

    mu: Annotated[float, Ge(0)]
    """The mean before the cut."""
    sigma: Annotated[float, Gt(0)]
    """The standard deviation before the cut."""

    @property
    def mean(self) -> float:
        """The mean after the cut: mu + sigma * pdf(a) / (1 - cdf(a)) with a = -mu / sigma."""
        cut = -self.mu / self.sigma
        return self.mu + self.sigma * _STANDARD_NORMAL.pdf(cut) / (1 - _STANDARD_NORMAL.cdf(cut))

    def sample(self, draws: Draws, *key: object) -> float:
        """A value from 0 up."""
        below = _STANDARD_NORMAL.cdf(-self.mu / self.sigma)
        quantile = below + (1 - below) * draws.uniform(*key)
        return max(0.0, self.mu + self.sigma * _STANDARD_NORMAL.inv_cdf(min(quantile, 1 - 2**-53)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormal:
    """The exponential of a normal value: what latencies and lengths of text look like; mean median * exp(sigma^2 / 2)."""

    median: Annotated[float, Gt(0)]
    """The median; half of all values lie below it."""
    sigma: Annotated[float, Ge(0)]
    """Standard deviation of the logarithm; 0.4 means that about two thirds lie within a factor of 1.5."""

    @property
    def mean(self) -> float:
        """Above the median, by the weight of the tail."""
        return self.median * math.exp(self.sigma**2 / 2)

    def sample(self, draws: Draws, *key: object) -> float:
        """A value above 0."""
        return self.median * exp(self.sigma * _inverse_normal(draws.uniform(*key)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogNormalTail:
    """A lognormal body with a lognormal tail: a share of the values comes from a second, slower lognormal."""

    median: Annotated[float, Gt(0)]
    """The median of the body."""
    sigma: Annotated[float, Ge(0)]
    """Standard deviation of the logarithm of the body."""
    tail_share: Annotated[float, Gt(0), Lt(1)]
    """The share of values that come from the tail."""
    tail_median: Annotated[float, Gt(0)]
    """The median of the tail."""
    tail_sigma: Annotated[float, Ge(0)]
    """Standard deviation of the logarithm of the tail."""

    @property
    def mean(self) -> float:
        """The means of both, by their shares."""
        body = self.median * math.exp(self.sigma**2 / 2)
        tail = self.tail_median * math.exp(self.tail_sigma**2 / 2)
        return (1 - self.tail_share) * body + self.tail_share * tail

    def sample(self, draws: Draws, *key: object) -> float:
        """A value above 0; a changed share moves the fewest samples from one part to the other."""
        normal = _inverse_normal(draws.uniform(*key))
        if draws.uniform(*key, "tail") > 1 - self.tail_share:
            return self.tail_median * exp(self.tail_sigma * normal)
        return self.median * exp(self.sigma * normal)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gamma:
    """A sum of exponential phases when the shape is whole; mean shape * scale."""

    shape: Annotated[float, Gt(0)]
    """The shape; above 1 it has a hump, below 1 it is burstier than an exponential."""
    scale: Annotated[float, Gt(0)]
    """The scale."""

    @property
    def mean(self) -> float:
        """Shape times scale."""
        return self.shape * self.scale

    def sample(self, draws: Draws, *key: object) -> float:
        """A value above 0, by Marsaglia and Tsang, "A simple method for generating gamma variables", TOMS 26(3), 2000."""
        boost = 1.0
        shape = self.shape
        if shape < 1:
            boost = draws.uniform(*key, "boost") ** (1 / shape)
            shape += 1
        d = shape - 1 / 3
        c = 1 / math.sqrt(9 * d)
        attempt = 0
        while True:
            x = _STANDARD_NORMAL.inv_cdf(draws.uniform(*key, attempt, "x"))
            v = (1 + c * x) ** 3
            if v > 0 and math.log(
                draws.uniform(*key, attempt, "u")
            ) < x * x / 2 + d - d * v + d * math.log(v):
                return d * v * boost * self.scale
            attempt += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Weibull:
    """Time to failure: heavy-tailed for a shape below 1; mean scale * gamma(1 + 1 / shape)."""

    shape: Annotated[float, Gt(0)]
    """The shape; 1 is the exponential."""
    scale: Annotated[float, Gt(0)]
    """The scale: 63 % of all values lie below it."""

    @property
    def mean(self) -> float:
        """Scale times gamma(1 + 1 / shape)."""
        return self.scale * math.gamma(1 + 1 / self.shape)

    def sample(self, draws: Draws, *key: object) -> float:
        """A value above 0."""
        return float(self.scale * (-math.log(draws.uniform(*key))) ** (1 / self.shape))


@dataclass(frozen=True, kw_only=True)
class Empirical:
    """Measured values, drawn with equal chance; mean of the values."""

    values: Annotated[tuple[Annotated[float, Ge(0)], ...], MinLen(1)] | None = None
    """The values themselves."""
    file: ScenarioFile | None = None
    """A file with one value a line, or a CSV whose first column holds them; a relative path starts at the scenario."""

    def __post_init__(self) -> None:
        if (self.values is None) == (self.file is None):
            raise ValueError("give either values or file")

    @cached_property
    def sorted_values(self) -> tuple[float, ...]:
        """All values in ascending order, so that a quantile is an index."""
        if self.values is not None:
            return tuple(sorted(self.values))
        assert self.file is not None
        return tuple(sorted(_read_values(Path(self.file))))

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return fmean(self.sorted_values)

    def sample(self, draws: Draws, *key: object) -> float:
        """One of the values."""
        return self.sorted_values[int(draws.uniform(*key) * len(self.sorted_values))]


DISTRIBUTIONS: dict[str, type[Distribution]] = {
    "constant": Constant,
    "uniform": Uniform,
    "exponential": Exponential,
    "normal": Normal,
    "lognormal": LogNormal,
    "lognormal_tail": LogNormalTail,
    "gamma": Gamma,
    "weibull": Weibull,
    "empirical": Empirical,
}
"""The name of each distribution in a scenario file."""

AnyDistribution = Annotated[
    Constant
    | Uniform
    | Exponential
    | Normal
    | LogNormal
    | LogNormalTail
    | Gamma
    | Weibull
    | Empirical,
    Tagged(DISTRIBUTIONS, number=Constant),
]
"""One of the distributions; in a file a bare number is a constant."""


def _read_values(path: Path) -> list[float]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.reader(lines)
            cells = [(reader.line_num, row[0].strip()) for row in reader if row and row[0].strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ScenarioError(
            f"{path}: the values of an empirical distribution cannot be read: {error}"
        ) from error
    values: list[float] = []
    for number, (line, cell) in enumerate(cells):
        try:
            value = float(cell)
        except ValueError:
            if number == 0:  # a heading
                continue
            raise ScenarioError(f"{path}:{line}: {cell!r} is not a number") from None
        if not 0 <= value < math.inf:
            raise ScenarioError(f"{path}:{line}: {cell} is not a finite number from 0 up")
        values.append(value)
    if not values:
        raise ScenarioError(f"{path}: holds no values")
    return values
