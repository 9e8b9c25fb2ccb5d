"""When tasks arrive: processes, given times, recorded traces; and the rounding of all times."""

from __future__ import annotations

import math
from itertools import islice, pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.chance import Draws
from harness.chance.arrivals import Arrival, At, Every, Poisson, Trace
from harness.errors import ScenarioError
from harness.units import whole_microseconds

quietly = settings(derandomize=True, deadline=None, database=None)


def times(arrivals: Poisson | Every | At | Trace, seed: int = 1, n: int = 10_000) -> list[float]:
    return [arrival.at_s for arrival in islice(arrivals.arrivals(Draws(seed)), n)]


# -- processes --------------------------------------------------------------------------------------


def test_poisson_arrivals_have_the_mean_gap_of_their_rate() -> None:
    """The mean of n exponential gaps has a relative error of 1 / sqrt(n); 3.9 of them leave one case in ten thousand."""
    n = 10_000
    assert times(Poisson(rate_per_s=0.25), n=n)[-1] / n == pytest.approx(4, rel=3.9 / math.sqrt(n))


def test_poisson_gaps_are_exponential() -> None:
    """Kolmogorov-Smirnov: sqrt(n) D exceeds 1.95 in one of a thousand samples; the seed is fixed."""
    arrived = times(Poisson(rate_per_s=2))
    gaps = sorted(after - before for before, after in pairwise([0, *arrived]))
    n = len(gaps)
    distance = max(
        max((rank + 1) / n - (1 - math.exp(-2 * gap)), (1 - math.exp(-2 * gap)) - rank / n)
        for rank, gap in enumerate(gaps)
    )
    assert math.sqrt(n) * distance < 1.95


def test_poisson_arrivals_are_in_order_and_start_after_zero() -> None:
    arrived = times(Poisson(rate_per_s=3))
    assert arrived == sorted(arrived)
    assert arrived[0] > 0


def test_same_seed_gives_the_same_times_and_another_seed_others() -> None:
    poisson = Poisson(rate_per_s=3)
    assert times(poisson, seed=1) == times(poisson, seed=1)
    assert times(poisson, seed=1) != times(poisson, seed=2)


def test_higher_rate_brings_the_same_arrivals_earlier() -> None:
    """Two scenarios that differ in load differ in nothing else; each gap is rounded to a microsecond."""
    for slow, (number, fast) in zip(
        times(Poisson(rate_per_s=1), n=100),
        enumerate(times(Poisson(rate_per_s=2), n=100), 1),
        strict=True,
    ):
        assert fast == pytest.approx(slow / 2, abs=number * 1e-6)


def test_every_arrives_at_whole_multiples_without_drift() -> None:
    arrived = times(Every(every_s=0.1), n=1000)
    assert arrived[:4] == [0, 0.1, 0.2, 0.3]
    assert arrived[999] == 99.9


def test_given_times_are_put_in_order() -> None:
    assert list(At(at_s=(3, 0, 0, 1.5)).arrivals(Draws(1))) == [
        Arrival(0),
        Arrival(0),
        Arrival(1.5),
        Arrival(3),
    ]


@pytest.mark.parametrize(
    "arrivals", [Poisson(rate_per_s=0.3), Every(every_s=1 / 3), At(at_s=(1 / 3, 2 / 7))]
)
def test_times_are_whole_microseconds(arrivals: Poisson | Every | At) -> None:
    assert all(time_s == round(time_s, 6) for time_s in times(arrivals, n=1000))


# -- whole microseconds -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        (0, 0),
        (0.1 + 0.2, 0.3),
        (1.0000004, 1.0),
        (1.0000006, 1.000001),
        (0.0000001, 0.0),
        (-1.0000006, -1.000001),
        (86_400.1234567, 86_400.123457),
    ],
)
def test_durations_are_rounded_to_whole_microseconds(exact: float, rounded: float) -> None:
    assert whole_microseconds(exact) == rounded


@quietly
@given(st.floats(0, 1e9))
def test_rounding_moves_by_half_a_microsecond_at_most_and_only_once(duration_s: float) -> None:
    rounded = whole_microseconds(duration_s)
    assert abs(rounded - duration_s) <= 0.5e-6 + math.ulp(duration_s)
    assert whole_microseconds(rounded) == rounded


@quietly
@given(st.floats(0, 1e6), st.integers(-3, 3))
def test_rounding_hides_the_last_bits_in_which_machines_differ(
    duration_s: float, ulps: int
) -> None:
    """But for the few values that lie on the border between two microseconds."""
    other = duration_s + ulps * math.ulp(duration_s)
    near_border = abs(duration_s * 1e6 % 1 - 0.5) < 1e-3
    assert near_border or other < 0 or whole_microseconds(duration_s) == whole_microseconds(other)


# -- traces -----------------------------------------------------------------------------------------


def trace(folder: Path, content: str | bytes, **options: Any) -> Trace:  # noqa: ANN401 - the fields of a trace
    file = folder / "trace.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Trace(file=str(file), time=options.pop("time", "at"), **options)


def rows(recorded: Trace) -> list[Arrival]:
    return list(recorded.arrivals(Draws(1)))


def test_trace_in_seconds_starts_at_zero_with_its_sizes(tmp_path: Path) -> None:
    content = "at,in,out\n100.5,10,1\n101,20,2\n103.25,30,3\n"
    assert rows(trace(tmp_path, content, input_tokens="in", output_tokens="out")) == [
        Arrival(0, 10, 1),
        Arrival(0.5, 20, 2),
        Arrival(2.75, 30, 3),
    ]


def test_sizes_that_are_not_asked_for_are_none(tmp_path: Path) -> None:
    content = "at,in,out\n1,10,1\n2,20,2\n"
    assert rows(trace(tmp_path, content)) == [Arrival(0), Arrival(1)]
    assert rows(trace(tmp_path, content, output_tokens="out")) == [
        Arrival(0, None, 1),
        Arrival(1, None, 2),
    ]


@pytest.mark.parametrize(
    ("first", "second", "gap_s"),
    [
        ("2023-11-16 18:17:03.9799600", "2023-11-16 18:17:04.0319600", 0.052),
        ("2023-11-16 18:17:03.9799609", "2023-11-16 18:17:04.9799601", 1.0),
        ("2023-11-16T18:17:03", "2023-11-16T18:17:05.5", 2.5),
        ("2023-11-16T18:17:03.25Z", "2023-11-16T18:17:03.75Z", 0.5),
        ("2023-11-16T18:17:03.1234567+01:00", "2023-11-16T17:17:04.1234567+00:00", 1.0),
        ("2023-12-31 23:59:59.9999999", "2024-01-01 00:00:00.9999999", 1.0),
        ("2023-11-16", "2023-11-17", 86_400.0),
    ],
)
def test_trace_with_iso_stamps_is_read_whatever_their_number_of_digits(
    tmp_path: Path, first: str, second: str, gap_s: float
) -> None:
    assert rows(trace(tmp_path, f"at\n{first}\n{second}\n")) == [Arrival(0), Arrival(gap_s)]


def test_rows_are_put_in_order_of_time_and_keep_their_order_within_an_instant(
    tmp_path: Path,
) -> None:
    content = "at,in\n5,9\n2,4\n2,1\n2,3\n1,7\n"
    assert rows(trace(tmp_path, content, input_tokens="in")) == [
        Arrival(0, 7),
        Arrival(1, 4),
        Arrival(1, 1),
        Arrival(1, 3),
        Arrival(4, 9),
    ]


def test_sizes_may_be_zero(tmp_path: Path) -> None:
    assert rows(trace(tmp_path, "at,in\n1,0\n", input_tokens="in")) == [Arrival(0, 0)]


def test_limit_is_the_number_of_rows_read(tmp_path: Path) -> None:
    content = "at\n" + "".join(f"{number}\n" for number in range(10)) + "not a time\n"
    assert times(trace(tmp_path, content, limit=3)) == [0, 1, 2]
    assert len(times(trace(tmp_path, content, limit=10))) == 10
    with pytest.raises(ScenarioError, match="not a time"):
        times(trace(tmp_path, content, limit=11))


def test_speed_brings_the_tasks_closer_together(tmp_path: Path) -> None:
    content = "at\n10\n12\n20\n"
    assert times(trace(tmp_path, content, speed=4.0)) == [0, 0.5, 2.5]
    assert times(trace(tmp_path, content, speed=0.5)) == [0, 4, 20]


@pytest.mark.parametrize(
    "content",
    [
        "\ufeffat,in\n1,2\n4,3\n",
        "at,in\r\n1,2\r\n4,3\r\n",
        'at,"in"\n"1",2\n\n4,3\n',
        "in,at\n2,1\n3,4",
    ],
)
def test_dialects_of_csv_are_understood(tmp_path: Path, content: str) -> None:
    assert rows(trace(tmp_path, content, input_tokens="in")) == [Arrival(0, 2), Arrival(3, 3)]


def test_trace_without_rows_has_no_arrivals(tmp_path: Path) -> None:
    assert rows(trace(tmp_path, "at\n")) == []


def test_trace_is_the_same_for_every_seed(tmp_path: Path) -> None:
    recorded = trace(tmp_path, "at\n1\n2\n")
    assert times(recorded, seed=1) == times(recorded, seed=2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("when,in\n1,2\n", r"trace\.csv:1: no column 'at'; the file has when, in$"),
        ("at\n1\n", r"trace\.csv:1: no column 'in'; the file has at$"),
        ("", r"trace\.csv:1: no column 'at'; the file has none$"),
        ("at,in\n1,2\nsoon,3\n", r"trace\.csv:3: 'soon' is neither seconds nor an ISO timestamp$"),
        ("at,in\n,3\n", r"trace\.csv:2: '' is neither seconds nor an ISO timestamp$"),
        ("at,in\nnan,3\n", r"trace\.csv:2: 'nan' is not a finite time$"),
        ("at,in\n1,2\ninf,3\n", r"trace\.csv:3: 'inf' is not a finite time$"),
        ("at,in\n1,2.5\n", r"trace\.csv:2: in '2\.5' is not a whole number of tokens$"),
        ("at,in\n1,2\n\n2,\n", r"trace\.csv:4: in '' is not a whole number of tokens$"),
        ("at,in\n1,2\n2\n", r"trace\.csv:3: in None is not a whole number of tokens$"),
        ("at,in\n1,-2\n", r"trace\.csv:2: in -2 is negative$"),
        (b"at,in\n1,\xff\n", r"trace\.csv: the trace cannot be read: "),
    ],
)
def test_wrong_trace_is_refused_with_file_and_line(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        rows(trace(tmp_path, content, input_tokens="in"))


def test_row_that_ends_before_its_time_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(
        ScenarioError, match=r"trace\.csv:3: .* is neither seconds nor an ISO timestamp$"
    ):
        rows(trace(tmp_path, "in,at\n1,2\n3\n"))


def test_missing_trace_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nowhere\.csv: the trace cannot be read"):
        rows(Trace(file=str(tmp_path / "nowhere.csv"), time="at"))


def test_mean_gap_of_a_trace_is_what_was_recorded(tmp_path: Path) -> None:
    content = "at\n" + "".join(f"{1_700_000_000 + 0.1 * number:.6f}\n" for number in range(1000))
    gaps = [after - before for before, after in pairwise(times(trace(tmp_path, content)))]
    assert fmean(gaps) == pytest.approx(
        0.1, abs=1e-6
    )  # a float near 1.7e9 s holds a fifth of a microsecond
