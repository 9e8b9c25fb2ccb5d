"""Axes of a sweep: a key of the scenario file and the values that it takes.

agents.worker.model=fast,deep                       a list
workload.arrivals.poisson.rate_per_s=0.1..2.0:8     8 values at equal distances
providers.anthropic.concurrency=1..64:7:log         7 values at equal ratios
workload.tasks=10..500                              a range, for samples
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from harness.errors import HarnessError

_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE: Final = re.compile(
    rf"(?P<low>{_NUMBER})\.\.(?P<high>{_NUMBER})(?::(?P<count>\d+))?(?P<log>:log)?"
)
_DIGITS: Final = 12
"""Significant digits of a computed value: 0.1 + 0.2 is written 0.3."""

VALUES_MAX: Final = 10_000
"""The most values of one axis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """A key of the scenario, and its values or its range."""

    key: str
    """Where the value stands in the file, as for `--set`."""
    values: tuple[str, ...] = ()
    """As they are written in the file; empty of a range, which only samples can use."""
    low: float = math.nan
    high: float = math.nan
    is_log: bool = False
    """Whether a range is divided by equal ratios."""
    is_whole: bool = False
    """Whether both ends of a range are whole numbers, and with them all values."""

    @property
    def is_range(self) -> bool:
        """Whether there are ends and no values."""
        return not self.values

    def at(self, share: float) -> str:
        """The value that lies so far between the ends.

        Args:
            share: 0 for the low end, 1 for the high one.
        """
        if self.is_log:
            value = math.exp(
                math.log(self.low) + share * (math.log(self.high) - math.log(self.low))
            )
        else:
            value = self.low + share * (self.high - self.low)
        return written(value, is_whole=self.is_whole)


def written(value: float, *, is_whole: bool) -> str:
    """A number as it stands in a scenario file."""
    return str(round(value)) if is_whole else repr(float(f"{value:.{_DIGITS}g}"))


def axis_of(text: str, option: str = "--grid") -> Axis:
    """Read an axis.

    Args:
        text: `KEY=VALUES`; see the top of the file.
        option: Where it was written, for messages.

    Raises:
        HarnessError: It is written wrongly, or has no value or too many.
    """
    key, equals, values = text.partition("=")
    if not equals or not key.strip():
        raise HarnessError(
            f"{option} {text!r}: there is no key\n"
            f"  How to fix: write KEY=VALUES, such as {option} workload.tasks=10,20,40"
        )
    return axis(key.strip(), values.strip(), f"{option} {text}")


def axis(key: str, values: str, place: str) -> Axis:
    """Make the axis of a key from its values as text.

    Raises:
        HarnessError: There is no value, too many, or a range that is none.
    """
    found = _RANGE.fullmatch(values)
    if found is None:
        if ".." in values:
            raise HarnessError(
                f"{place}: {values!r} is no range\n"
                "  How to fix: write LOW..HIGH:COUNT or LOW..HIGH:COUNT:log, such as 0.1..2.0:8"
            )
        return listed(key, split(values), place)
    ends = _range(key, found, place)
    if found["count"] is None:
        return ends
    count = int(found["count"])
    if not 2 <= count <= VALUES_MAX:
        raise HarnessError(
            f"{place}: a range has 2 to {VALUES_MAX:,} values, and this one {count:,}\n"
            "  How to fix: write a number of values after the colon, such as 0.1..2.0:8"
        )
    return listed(key, [ends.at(step / (count - 1)) for step in range(count)], place)


def listed(key: str, values: list[str], place: str) -> Axis:
    """Make the axis of a key from its values, the same value once.

    Raises:
        HarnessError: There is no value, or one is empty.
    """
    if not values or not all(values):
        raise HarnessError(
            f"{place}: a value is empty\n  How to fix: write values with commas between them, such as {key}=1,2,4"
        )
    if len(values) > VALUES_MAX:
        raise HarnessError(
            f"{place}: {len(values):,} values; an axis has at most {VALUES_MAX:,}\n  How to fix: leave some out"
        )
    return Axis(key=key, values=tuple(dict.fromkeys(values)))


def split(text: str) -> list[str]:
    """Split a text at its commas, but not inside of brackets, braces and quotes, where YAML has commas of its own."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _range(key: str, found: re.Match[str], place: str) -> Axis:
    low, high = float(found["low"]), float(found["high"])
    if not low < high:
        raise HarnessError(
            f"{place}: {found['low']} is not below {found['high']}\n  How to fix: write the lower end first"
        )
    is_log = found["log"] is not None
    if is_log and low <= 0:
        raise HarnessError(
            f"{place}: equal ratios need ends above 0, and {found['low']} is not\n"
            "  How to fix: raise the lower end, or leave `:log` out"
        )
    is_whole = all(re.fullmatch(r"[-+]?\d+", found[end]) for end in ("low", "high"))
    return Axis(key=key, low=low, high=high, is_log=is_log, is_whole=is_whole)
