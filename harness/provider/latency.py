"""Latency of a model: time to first token, time per token, a factor per attempt, and an explicit tail.

`duration = (ttft + prefill + overhead + itl * output_tokens) * factor * tail`

The time to the first token and what follows it are drawn apart, or as one row of measured calls.

The body of measured latencies is close to lognormal, and their far tail is heavier: hence a factor for the first and a
rare large one for the second. Profiles of known models are in `profiles.toml`, with the number of calls behind them; those of models at
one endpoint, whose parts are fitted together, in `endpoint_profiles.toml`.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Annotated, NamedTuple

from annotated_types import Ge, MinLen

from harness.chance.distributions import DISTRIBUTIONS, AnyDistribution, Constant
from harness.chance.draws import Draws
from harness.errors import ScenarioError
from harness.json_types import JsonObject
from harness.units import Probability, Seconds, whole_microseconds

Row = tuple[Annotated[int, Ge(0)], Seconds, Seconds]
"""A measured call: output tokens, time to the first token [s], time from there to the end [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The rare slow call."""

    probability: Probability
    """Share of calls that are slow."""
    factor: Annotated[float, Ge(1)]
    """How many times longer they take."""


_NOT_STATED = Constant(0.0)
_UNCHANGED = Constant(1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """The latency profile of a model. It states `ttft_s` or `rows`."""

    ttft_s: AnyDistribution = _NOT_STATED
    """Time from the start of service to the first token [s]; queueing comes on top."""
    itl_s: AnyDistribution = Constant(0.0)
    """Time per generated token [s], drawn once an attempt."""
    overhead_s: Seconds = field(default=0.0, repr=False)
    """Added after the first token to what the tokens take, however many there are [s]."""
    rows: Annotated[tuple[Row, ...], MinLen(1)] | None = field(default=None, repr=False)
    """Measured calls, each as `[output tokens, time to first token, time from there to the end]`. One of those whose size is near
    is drawn whole, so that what belongs together stays together; `itl_s` is the time of each token that it differs by."""
    prefill_s_per_1k_input_tokens: Seconds = 0.0
    """Added to the time to the first token for every thousand tokens read [s]."""
    factor: AnyDistribution = _UNCHANGED
    """Multiplies the whole duration; drawn once an attempt. The spread of a fitted profile is here."""
    tail: Tail | None = None
    """The rare slow call, on top of everything else."""

    def __post_init__(self) -> None:
        if self.rows is None:
            if self.ttft_s is _NOT_STATED:
                raise ValueError("give either ttft_s or rows")
        elif self.ttft_s != _NOT_STATED or self.overhead_s:
            raise ValueError("rows stand in place of ttft_s and overhead_s")
        else:
            object.__setattr__(self, "rows", tuple(sorted(self.rows)))

    def sample(
        self, draws: Draws, key: str, input_tokens: int, output_tokens: int, slowness: float = 1.0
    ) -> Duration:
        """Draw the duration of one attempt.

        Args:
            draws: Source of random values.
            key: Names the attempt.
            input_tokens: Tokens to read.
            output_tokens: Tokens to generate.
            slowness: Multiplies the whole duration.
        """
        itl_s = self.itl_s.sample(draws, key, "itl")
        if self.rows is None:
            ttft_s = self.ttft_s.sample(draws, key, "ttft")
            generate_s = itl_s * output_tokens + self.overhead_s
        else:
            ttft_s, generate_s = _whole_row(
                self.rows, draws.uniform(key, "row"), output_tokens, itl_s
            )
        ttft_s += self.prefill_s_per_1k_input_tokens * input_tokens / 1000
        factor = slowness
        if self.factor is not _UNCHANGED:
            factor *= self.factor.sample(draws, key, "factor")
        if self.tail is not None and draws.uniform(key, "tail") < self.tail.probability:
            factor *= self.tail.factor
        return tuple.__new__(  # half the price of `Duration(...)`, on the way of every attempt
            Duration, (whole_microseconds(ttft_s * factor), whole_microseconds(generate_s * factor))
        )


def _whole_row(
    rows: tuple[Row, ...], uniform: float, output_tokens: int, itl_s: float
) -> tuple[float, float]:
    """Time to the first token and from there to the end, of a measured call of about that size, put right for its size.

    A tenth of the calls, and at least ten, are near: of one alone there would be no spread.
    """
    near = min(len(rows), max(10, len(rows) // 10))
    low = high = bisect_left(rows, output_tokens, key=_size)
    while high - low < near:
        below = output_tokens - rows[low - 1][0] if low else math.inf
        above = rows[high][0] - output_tokens if high < len(rows) else math.inf
        if above <= below:
            high += 1
        else:
            low -= 1
    low = bisect_left(rows, rows[low][0], key=_size)
    high = bisect_right(rows, rows[high - 1][0], key=_size)
    size, first_s, rest_s = rows[low + int(uniform * (high - low))]
    moved_s = rest_s + itl_s * (output_tokens - size)
    if output_tokens < size:  # not below its share, where it was faster than most
        moved_s = max(moved_s, rest_s * output_tokens / size)
    return first_s, moved_s


def _size(row: Row) -> int:
    return row[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLatency:
    """The latency of one recorded response, as far as it is known; a profile gives the rest.

    Slowness multiplies all of it.
    """

    profile: Latency | None = None
    """Gives what is not known; set by whoever serves the response."""
    first_s: float | None = None
    """Time from the start of service to the first piece of the response [s]; None if unknown."""
    total_s: float | None = None
    """Time to its end [s]; None if unknown."""

    def sample(
        self, draws: Draws, key: str, input_tokens: int, output_tokens: int, slowness: float = 1.0
    ) -> Duration:
        """The recorded duration, as `Latency.sample` has it."""
        first_s, total_s = self.first_s, self.total_s
        if first_s is None or total_s is None:
            assert self.profile is not None, "what is not recorded is drawn"
            likely = self.profile.sample(draws, key, input_tokens, output_tokens)
            if total_s is not None:
                whole_s = sum(likely)
                first_s = total_s * (likely.prefill_s / whole_s if whole_s else 1.0)
            else:
                first_s = likely.prefill_s if first_s is None else first_s
                total_s = first_s + likely.generate_s
        if slowness == 1.0:
            return Duration(first_s, total_s - first_s)
        return Duration(
            whole_microseconds(first_s * slowness),
            whole_microseconds((total_s - first_s) * slowness),
        )


class Duration(NamedTuple):
    """How long one attempt is served."""

    prefill_s: float
    """From the start of service to the first token [s]."""
    generate_s: float
    """From the first token to the last [s]."""


def latency_of(model: str) -> Latency:
    """Find the profile of a model by its name, ignoring a date at the end, or of one at an endpoint (`model@endpoint`).

    Raises:
        ScenarioError: There is none; the message lists what there is.
    """
    if "@" in model and model in _profiles(_OF_ENDPOINTS):
        return _read_latency(_profiles(_OF_ENDPOINTS)[model]["latency"])
    profiles = _profiles()
    known = [name for name in profiles if model == name or model.startswith(f"{name}-20")]
    if not known:
        near = difflib.get_close_matches(model, profiles, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f". Known: {', '.join(profiles)}"
        raise ScenarioError(
            f"no latency profile for model {model!r}{hint}\n"
            "  How to fix: state its `latency:` in the scenario, for example "
            "{ttft_s: {lognormal: {median: 1.0, sigma: 0.4}}, itl_s: 0.015}"
        )
    return _read_latency(profiles[known[0]]["latency"])


_FAMILIES = (
    ("haiku", "claude-haiku-4-5"),
    ("opus", "claude-opus-4-6"),
    ("claude", "claude-sonnet-4-6"),
    ("flash", "claude-haiku-4-5"),
    ("gemini", "claude-sonnet-4-6"),  # before `mini`, which is in it
    ("nano", "gpt-5-nano"),
    ("mini", "gpt-5-mini"),
    ("gpt-4", "gpt-4o"),
    ("gpt-5", "gpt-5"),
    ("o4", "o4-mini"),
    ("o3", "o4-mini"),
)
"""Whose profile stands in for a model that has none, by what its name contains; the first that fits."""

_ANY_MODEL = "claude-sonnet-4-6"


def likely_latency_of(model: str) -> Latency:
    """The profile of a model, or of the model with the most similar name; programs may request any name."""
    try:
        return latency_of(model)
    except ScenarioError:
        return latency_of(next((like for part, like in _FAMILIES if part in model), _ANY_MODEL))


_OF_ENDPOINTS = "endpoint_profiles.toml"

_MADE_BY: JsonObject = dict(DISTRIBUTIONS)


@cache
def _profiles(file: str = "profiles.toml") -> JsonObject:
    return tomllib.loads(
        resources.files("harness.provider").joinpath(file).read_text(encoding="utf-8")
    )


def _read_latency(table: JsonObject) -> Latency:
    fields: JsonObject = dict(table)
    for name in ("ttft_s", "itl_s", "factor"):
        if name in fields:
            fields[name] = _read_distribution(fields[name])
    if "tail" in fields:
        fields["tail"] = Tail(**fields["tail"])
    return Latency(**fields)


def _read_distribution(value: float | dict[str, dict[str, float]]) -> AnyDistribution:
    if isinstance(value, dict):
        ((name, parameters),) = value.items()
        distribution: AnyDistribution = _MADE_BY[name](**parameters)
        return distribution
    return Constant(float(value))
