"""The latency of measured calls: a fitted dependence, or the calls themselves where it does not hold.

Of streamed calls `total = first token + overhead + tokens * time per token` is fitted, of calls that came whole
`total = (a + b * tokens) * factor`. A constant overhead that is divided by few tokens looks like slow tokens: with it apart, time
per token and size are independent in most sets of calls. Where they are not, a profile draws whole calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.calibrate.calls import MeasuredCall
from harness.calibrate.spread import Spread, Values, drawn, fit_like, fit_spread
from harness.chance.distributions import Constant
from harness.provider.latency import Row

Kind = Literal["streamed", "whole"]
"""Whether the first token of a call has a time of its own."""

_LEAST_VARIATION = 0.05
"""Sizes that vary by less (standard deviation over mean) do not tell an overhead from time per token."""
_MOST_OF_LEAST = 0.98
"""The overhead is below the shortest time by so much, so that every call has a time per token."""


class Measured(NamedTuple):
    """Timed calls of one kind, as columns."""

    kind: Kind
    tokens: Values
    first_s: Values
    """Time to the first token [s]; of whole calls 0."""
    rest_s: Values
    """From there to the end [s]; of whole calls all of it."""

    @property
    def total_s(self) -> Values:
        """Time to the end [s]."""
        return np.asarray(self.first_s + self.rest_s)

    @property
    def sizes_vary(self) -> bool:
        """Whether sizes vary enough to tell what does not depend on them."""
        return bool(np.std(self.tokens) > _LEAST_VARIATION * np.mean(self.tokens))

    def at(self, places: NDArray[np.int64]) -> Measured:
        """The calls at some places."""
        return Measured(self.kind, self.tokens[places], self.first_s[places], self.rest_s[places])


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted dependence."""

    kind: Kind
    first_s: Spread
    """Time to the first token [s]; of whole calls a constant."""
    overhead_s: float
    """After the first token, whatever the size [s]."""
    per_token_s: Spread
    """Time per token [s]; of whole calls a constant."""
    factor: Spread
    """Multiplies all of it; 1 for streamed calls."""

    def parameters(self) -> dict[str, float]:
        """What was fitted, by name."""
        found = {"overhead_s": self.overhead_s} if self.kind == "streamed" else {}
        for name, spread in (
            ("ttft_s", self.first_s),
            ("itl_s", self.per_token_s),
            ("factor", self.factor),
        ):
            if isinstance(spread, Constant):
                found[name] = spread.value
            else:
                found |= {f"{name}.{part}": getattr(spread, part) for part in spread.__slots__}
        if self.kind == "streamed":
            found.pop("factor")
        else:
            found.pop("factor.median")  # 1 by definition
        return found

    def totals(self, tokens: Values, random: np.random.Generator) -> Values:
        """Draw a duration for each size [s]."""
        count = len(tokens)
        first_s = drawn(self.first_s, count, random)
        rest_s = drawn(self.per_token_s, count, random) * tokens + self.overhead_s
        return np.asarray((first_s + rest_s) * drawn(self.factor, count, random))


def measured(calls: Sequence[MeasuredCall]) -> Measured:
    """Columns of the timed calls; of the streamed ones alone if they are the greater part."""
    timed = [call for call in calls if call.is_timed]
    streamed = [call for call in timed if call.is_streamed]
    kind: Kind = "streamed" if len(streamed) * 2 > len(timed) else "whole"
    used = streamed if kind == "streamed" else timed
    first_s = [call.first_s or 0.0 if kind == "streamed" else 0.0 for call in used]
    total_s = [call.total_s or 0.0 for call in used]
    return Measured(
        kind,
        np.array([call.output_tokens or 0 for call in used], dtype=np.float64),
        np.array(first_s),
        np.maximum(np.array(total_s) - first_s, 1e-6),
    )


def fit(calls: Measured, like: Fit | None = None) -> Fit:
    """Fit the dependence.

    Args:
        calls: The calls.
        like: Fit the same kinds of spread as this one; None means those that the calls show.
    """
    if calls.kind == "streamed":
        overhead_s = _overhead_s(calls)
        per_token_s = (calls.rest_s - overhead_s) / calls.tokens
        return Fit(
            "streamed",
            fit_like(like.first_s, calls.first_s) if like else fit_spread(calls.first_s),
            overhead_s,
            fit_like(like.per_token_s, per_token_s) if like else fit_spread(per_token_s),
            Constant(1.0),
        )
    a_s, b_s = _line(calls)
    factor = calls.total_s / (a_s + b_s * calls.tokens)
    spread = fit_like(like.factor, factor) if like else fit_spread(factor)
    return Fit("whole", Constant(a_s), 0.0, Constant(b_s), spread)


def rows_of(calls: Measured, fitted: Fit) -> tuple[Row, ...]:
    """The calls as rows of a profile; of whole calls, what does not depend on the size is the time to the first token."""
    first_s, rest_s = calls.first_s, calls.rest_s
    if calls.kind == "whole":
        rest_s = np.minimum(calls.total_s, fitted.per_token_s.mean * calls.tokens)
        first_s = calls.total_s - rest_s
    columns = zip(calls.tokens.tolist(), first_s.tolist(), rest_s.tolist(), strict=True)
    return tuple(sorted((int(n), round(first, 6), round(rest, 6)) for n, first, rest in columns))


def _overhead_s(calls: Measured) -> float:
    """The part of the time after the first token that does not depend on the size [s].

    `rest / tokens = time per token + overhead / tokens` is a line in `1 / tokens` whose residuals have one variance.
    """
    if not calls.sizes_vary:
        return 0.0
    slope = np.polyfit(1 / calls.tokens, calls.rest_s / calls.tokens, 1)[0]
    return float(np.clip(slope, 0.0, _MOST_OF_LEAST * calls.rest_s.min()))


def _line(calls: Measured) -> tuple[float, float]:
    """`a` and `b` of `total = (a + b * tokens) * factor`, robustly, with a median factor near 1."""
    from scipy.optimize import least_squares  # type: ignore[import-untyped]

    logs = np.log(calls.total_s)
    middle_s = float(np.exp(logs.mean()))
    if not calls.sizes_vary:
        return middle_s, 0.0
    begin = (middle_s / 2, middle_s / 2 / float(calls.tokens.mean()))

    def residuals(line: Values) -> Values:
        return np.asarray(logs - np.log(line[0] + line[1] * calls.tokens + 1e-9))

    found = least_squares(
        residuals,
        begin,
        bounds=([0.0, 0.0], [np.inf, np.inf]),
        loss="soft_l1",
        f_scale=0.5,
        x_scale=begin,
    )
    shift = float(np.exp(residuals(found.x).mean()))  # all of the middle is in the line
    return float(found.x[0]) * shift, float(found.x[1]) * shift
